-- What the worker does for all organizations. Finding work crosses organizations, so these functions run with the
-- owner's rights and tell ids only; each effect then names one organization.

-- The organizations in which a hold is over.
CREATE OR REPLACE FUNCTION worker_organizations_with_over_holds(p_limit integer)
RETURNS SETOF uuid LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT b.organization_id FROM booking b
     WHERE b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at <= (SELECT clock_timestamp())
     LIMIT p_limit;
$$;

-- Ends up to `p_limit` holds that are over, and returns how many it has ended. Their resources are locked in id order:
-- a patient call waits for each, otherwise what is being admitted to just now is left for the next round.
CREATE OR REPLACE FUNCTION worker_expire_over(p_organization_id uuid, p_limit integer, p_patient boolean)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_now timestamptz := clock_timestamp();
    v_booking_ids uuid[];
    v_resource_ids uuid[];
    v_booking_id uuid;
    v_ended integer := 0;
BEGIN
    SELECT array_agg(over.id) INTO v_booking_ids FROM (
        SELECT b.id FROM booking b
         WHERE b.organization_id = p_organization_id AND b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at <= v_now
         ORDER BY b.hold_expires_at
         LIMIT p_limit
    ) over;
    SELECT array_agg(DISTINCT c.resource_id) INTO v_resource_ids FROM claim c
     WHERE c.organization_id = p_organization_id AND c.booking_id = ANY (v_booking_ids);
    IF p_patient THEN
        PERFORM ledger_lock_resources(p_organization_id, v_resource_ids);
    ELSE
        v_resource_ids := ledger_try_lock_resources(p_organization_id, v_resource_ids);
    END IF;
    FOR v_booking_id IN
        SELECT b.id FROM booking b
         WHERE b.organization_id = p_organization_id AND b.id = ANY (v_booking_ids)
           AND b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at <= clock_timestamp()
           AND NOT EXISTS (
               SELECT FROM claim c
                WHERE c.organization_id = b.organization_id AND c.booking_id = b.id
                  AND c.resource_id <> ALL (v_resource_ids)
           )
         ORDER BY b.id
    LOOP
        PERFORM ledger_end_booking(p_organization_id, v_booking_id, 'EXPIRED', 'EXPIRED', 'system', NULL);
        v_ended := v_ended + 1;
    END LOOP;
    RETURN v_ended;
END $$;

-- The oldest outbox rows that nobody has published yet.
CREATE OR REPLACE FUNCTION worker_unpublished(p_limit integer)
RETURNS TABLE (organization_id uuid, kind text, entity_id uuid, version bigint, created_at timestamptz)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.organization_id, o.kind, o.entity_id, o.version, o.created_at FROM outbox o
     WHERE o.published_at IS NULL
     ORDER BY o.created_at
     LIMIT p_limit;
$$;

-- Marks rows as published: the n-th of each list makes one key.
CREATE OR REPLACE FUNCTION worker_mark_published(
    p_organization_ids uuid[], p_kinds text[], p_entity_ids uuid[], p_versions bigint[]
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE outbox o SET published_at = clock_timestamp()
      FROM unnest(p_organization_ids, p_kinds, p_entity_ids, p_versions) AS k (organization_id, kind, entity_id, version)
     WHERE o.organization_id = k.organization_id AND o.kind = k.kind AND o.entity_id = k.entity_id
       AND o.version = k.version AND o.published_at IS NULL;
$$;

-- Forgets idempotency keys, quotes that came to nothing and published outbox rows that are older than `p_keep`, and webhooks
-- that are older than 30 days, at most `p_limit` of each; returns with how many it is done. Of outbox rows the oldest go
-- first, and the newest version of an entity stays, whatever its age: it is set aside as published at infinity, so that it
-- is not looked at every hour from then on, and goes with the next that is forgotten.
CREATE OR REPLACE FUNCTION worker_forget(p_keep interval, p_limit integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();  -- no index is searched for a volatile function
    v_before timestamptz := v_now - p_keep;
    v_forgotten integer;
    v_rows integer;
BEGIN
    DELETE FROM idempotency k USING (
        SELECT i.organization_id, i.actor, i.key FROM idempotency i
         WHERE i.created_at < v_before LIMIT p_limit
    ) old WHERE k.organization_id = old.organization_id AND k.actor = old.actor AND k.key = old.key;
    GET DIAGNOSTICS v_forgotten = ROW_COUNT;
    -- No booking has one now, or had one before it was changed. What was missed for a month stays: those with bookings are
    -- not looked at for ever.
    DELETE FROM quote k USING (
        SELECT q.organization_id, q.id FROM quote q
         WHERE q.expires_at < v_before AND q.expires_at >= v_before - interval '30 days'
           AND NOT EXISTS (
               SELECT FROM booking b WHERE b.organization_id = q.organization_id AND b.quote_id = q.id
           )
           AND NOT EXISTS (
               SELECT FROM quote n WHERE n.organization_id = q.organization_id AND n.replaces_id = q.id
           )
         LIMIT p_limit
    ) old WHERE k.organization_id = old.organization_id AND k.id = old.id;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_forgotten := v_forgotten + v_rows;
    DELETE FROM webhook_event k USING (
        SELECT w.organization_id, w.event_id FROM webhook_event w
         WHERE w.received_at < v_now - interval '30 days' LIMIT p_limit
    ) old WHERE k.organization_id = old.organization_id AND k.event_id = old.event_id;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_forgotten := v_forgotten + v_rows;
    WITH old AS MATERIALIZED (
        SELECT p.organization_id, p.kind, p.entity_id, p.version FROM outbox p
         WHERE p.published_at < v_before AND p.published_at < 'infinity'
         ORDER BY p.published_at, p.version
         LIMIT p_limit
    ), passed AS (
        DELETE FROM outbox o USING old
         WHERE o.organization_id = old.organization_id AND o.kind = old.kind AND o.entity_id = old.entity_id
           AND o.version <= old.version AND o.published_at IS NOT NULL
           AND EXISTS (
               SELECT FROM outbox n
                WHERE n.organization_id = o.organization_id AND n.kind = o.kind AND n.entity_id = o.entity_id
                  AND n.version > o.version
           )
        RETURNING o.organization_id, o.kind, o.entity_id, o.version
    ), set_aside AS (
        UPDATE outbox o SET published_at = 'infinity'
          FROM old
         WHERE o.organization_id = old.organization_id AND o.kind = old.kind AND o.entity_id = old.entity_id
           AND o.version = old.version
           AND NOT EXISTS (
               SELECT FROM passed g
                WHERE g.organization_id = o.organization_id AND g.kind = o.kind AND g.entity_id = o.entity_id
                  AND g.version = o.version
           )
    )
    SELECT count(*) INTO v_rows FROM old;
    RETURN v_forgotten + v_rows;
END $$;

-- Takes statistics of the small tables that have grown much since they were taken last; returns how many. Plans are kept,
-- and one that was made for an empty table may search by the organization alone, through all of its rows. Autovacuum
-- comes around once a minute; a new installation has thousands of bookings by then.
CREATE OR REPLACE FUNCTION worker_analyze()
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_table regclass;
    v_analyzed integer := 0;
BEGIN
    FOR v_table IN
        SELECT c.oid FROM pg_class c
          JOIN pg_stat_user_tables s ON s.relid = c.oid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.reltuples < 20000
           AND s.n_mod_since_analyze > greatest(100, c.reltuples)
    LOOP
        EXECUTE format('ANALYZE %s', v_table);
        v_analyzed := v_analyzed + 1;
    END LOOP;
    RETURN v_analyzed;
END $$;
