-- What is told of several organizations at once: numbers and versions, by exact keys. Row-level security lets a
-- unit of work see the private rows of one organization (80_isolation.sql); availability is made of private rows of many,
-- so these run with the owner's rights, and let out no row of a booking, a claim or the outbox.

-- Steps of many timelines over one window each, with the versions of each resource, in one statement and so in one
-- snapshot. The n-th of each list makes one question. A second kind of row (over = true) tells what holds that are over
-- still take there: the next admission would expire them, so nobody is shown that as taken. In the folded past nothing
-- is. What is not published is told of the organizations `p_own` only.
CREATE OR REPLACE FUNCTION ledger_steps(
    p_organization_ids uuid[], p_resource_ids uuid[], p_from timestamptz[], p_to timestamptz[], p_own uuid[]
) RETURNS TABLE (
    "position" integer, version bigint, catalog_version bigint, over boolean, starts_at timestamptz,
    ends_at timestamptz, capacity integer, taken integer, sharing_key text, closed boolean
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH asked AS (
        SELECT a.organization_id, a.resource_id, a.starts_at, a.ends_at, a.position::integer AS position, r.version,
               r.catalog_version, r.folded_until
          FROM unnest(p_organization_ids, p_resource_ids, p_from, p_to)
              WITH ORDINALITY AS a (organization_id, resource_id, starts_at, ends_at, position)
          JOIN resource r ON r.organization_id = a.organization_id AND r.id = a.resource_id
          JOIN venue v ON v.organization_id = r.organization_id AND v.id = r.venue_id
         WHERE v.is_published OR a.organization_id = ANY (p_own)
    )
    SELECT a.position, a.version, a.catalog_version, false, greatest(s.at, a.starts_at), NULL::timestamptz,
           s.capacity, s.taken, s.sharing_key::text, s.closed
      FROM asked a
     CROSS JOIN LATERAL (
        (SELECT t.at, t.capacity, t.taken, t.sharing_key, t.closed FROM timeline t
          WHERE t.organization_id = a.organization_id AND t.resource_id = a.resource_id AND t.at <= a.starts_at
          ORDER BY t.at DESC LIMIT 1)
        UNION ALL
        (SELECT t.at, t.capacity, t.taken, t.sharing_key, t.closed FROM timeline t
          WHERE t.organization_id = a.organization_id AND t.resource_id = a.resource_id
            AND t.at > a.starts_at AND t.at < a.ends_at)
     ) s
    UNION ALL
    SELECT a.position, 0, 0, true, greatest(c.starts_at, a.starts_at, a.folded_until), least(c.ends_at, a.ends_at),
           0, c.quantity, NULL, false
      FROM asked a
      JOIN booking b ON b.organization_id = a.organization_id AND b.status IN ('ON_HOLD', 'PENDING')
                    AND b.hold_expires_at <= (SELECT clock_timestamp())
      JOIN claim c ON c.organization_id = b.organization_id AND c.booking_id = b.id AND c.resource_id = a.resource_id
                  AND c.starts_at < a.ends_at AND c.ends_at > greatest(a.starts_at, a.folded_until)
     ORDER BY 1, 4, 5;
END $$;

-- What happened to many resources after a version of each, the n-th of each list making one question: the version now,
-- the row if that is another one, and the hull of where the timeline changed in between, from the outbox. `whole` is
-- false when the outbox can not tell: rows are forgotten after some days, `p_after` is no version of this resource, or
-- more than `p_folded_max` versions have gone by since. Who watches was let in when they began.
CREATE OR REPLACE FUNCTION ledger_moved(
    p_organization_ids uuid[], p_resource_ids uuid[], p_after bigint[], p_folded_max integer
) RETURNS TABLE (
    "position" integer, version bigint, resource jsonb, starts_at timestamptz, ends_at timestamptz, whole boolean
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.position::integer, r.version, CASE WHEN r.version <> a.after THEN to_jsonb(r) END, o.starts_at, o.ends_at,
           coalesce(o.versions = r.version - a.after, false)
      FROM unnest(p_organization_ids, p_resource_ids, p_after)
          WITH ORDINALITY AS a (organization_id, resource_id, after, position)
      JOIN resource r ON r.organization_id = a.organization_id AND r.id = a.resource_id
      LEFT JOIN LATERAL (
        SELECT count(*) AS versions, min(c.starts_at) AS starts_at,
               CASE WHEN bool_or(c.ends_at IS NULL) THEN NULL ELSE max(c.ends_at) END AS ends_at
          FROM outbox c
         WHERE c.organization_id = a.organization_id AND c.kind = 'RESOURCE' AND c.entity_id = a.resource_id
           AND c.version > a.after AND c.version <= r.version
      ) o ON a.after >= 0 AND r.version - a.after BETWEEN 1 AND p_folded_max;
END $$;

-- The versions of each resource now, of the catalog and of all, with what must be known to use a timeline that was read
-- before (models/kept_timelines.py); none for one that does not exist. Where `state` is the same, so is the timeline, but
-- for what is over: a version may be another timeline's in another database, or after an older backup was restored; and
-- what folds the past makes none. So there is in it who wrote the row last, and when the row was made. `is_over`: a hold
-- of it is over.
CREATE OR REPLACE FUNCTION ledger_versions(p_organization_ids uuid[], p_resource_ids uuid[])
RETURNS TABLE (
    organization_id uuid, id uuid, catalog_version bigint, version bigint, state text, is_published boolean, is_over boolean
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();  -- a variable, since an index is not searched for a volatile function
BEGIN
    RETURN QUERY
    WITH over AS MATERIALIZED (
        SELECT c.organization_id, c.resource_id
          FROM booking b
          JOIN claim c ON c.organization_id = b.organization_id AND c.booking_id = b.id
         WHERE b.organization_id = ANY (p_organization_ids) AND b.status IN ('ON_HOLD', 'PENDING')
           AND b.hold_expires_at <= v_now
    )
    SELECT r.organization_id, r.id, r.catalog_version, r.version,
           concat_ws('.', r.version, r.xmin, (extract(epoch FROM r.created_at) * 1000000)::bigint), v.is_published,
           EXISTS (SELECT FROM over o WHERE o.organization_id = r.organization_id AND o.resource_id = r.id)
      FROM unnest(p_organization_ids, p_resource_ids) AS a (organization_id, resource_id)
      JOIN resource r ON r.organization_id = a.organization_id AND r.id = a.resource_id
      JOIN venue v ON v.organization_id = r.organization_id AND v.id = r.venue_id;
END $$;

-- The version of each booking now; none for one that does not exist.
CREATE OR REPLACE FUNCTION ledger_booking_versions(p_organization_ids uuid[], p_booking_ids uuid[])
RETURNS TABLE ("position" integer, version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.position::integer, b.version
      FROM unnest(p_organization_ids, p_booking_ids) WITH ORDINALITY AS a (organization_id, booking_id, position)
      JOIN booking b ON b.organization_id = a.organization_id AND b.id = a.booking_id;
END $$;

-- How much there is to audit.
CREATE OR REPLACE FUNCTION audit_rows()
RETURNS TABLE (organizations bigint, resources bigint, bookings bigint, claims bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM organization), (SELECT count(*) FROM resource),
           (SELECT count(*) FROM booking), (SELECT count(*) FROM claim);
$$;
