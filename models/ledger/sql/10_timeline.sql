-- The timeline: a step function per resource, kept from claims and adjustments by row triggers.
--
-- These functions are installed again by every `vacancy migrate` (models/migrate.py), so CREATE OR REPLACE only.
-- They belong to the owner of the tables and run with its rights (SECURITY DEFINER): the application's role may insert
-- and delete claims, and insert adjustments; it may write neither the timeline nor a version nor the outbox. What only
-- triggers call is not the application's to call, and runs with the rights and the search path of the trigger.
-- Row triggers, and no transition tables: a distributed engine runs them on the shard's own node.

-- The one place that gives a resource its next version. It comes before anything is read of the timeline, in every
-- writer: the UPDATE takes the row lock, so that even a psql session that inserts a claim waits for its turn, and each
-- later statement of a READ COMMITTED transaction then sees what the writer before has committed.
-- It also notes the first change point that this may make, for whoever folds the past (62_folding.sql).
CREATE OR REPLACE FUNCTION ledger_next_version(
    p_organization_id uuid, p_resource_id uuid, p_starts_at timestamptz, p_ends_at timestamptz
) RETURNS resource LANGUAGE plpgsql AS $$
DECLARE
    v_resource resource;
BEGIN
    UPDATE resource
       SET version = version + 1,
           foldable_from = least(foldable_from, CASE WHEN p_starts_at > folded_until OR folded_until IS NULL
                                                     THEN p_starts_at ELSE p_ends_at END)
     WHERE organization_id = p_organization_id AND id = p_resource_id
     RETURNING * INTO STRICT v_resource;
    INSERT INTO outbox (organization_id, kind, entity_id, version, starts_at, ends_at, created_at)
    VALUES (p_organization_id, 'RESOURCE', p_resource_id, v_resource.version, p_starts_at, p_ends_at, clock_timestamp());
    RETURN v_resource;
END $$;

-- Makes `p_from` and `p_to`, where they are given, change points with the values that already hold there.
CREATE OR REPLACE FUNCTION ledger_split(
    p_organization_id uuid, p_resource_id uuid, p_from timestamptz, p_to timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO timeline (organization_id, resource_id, at, capacity, taken, sharing_key, closed)
    SELECT p_organization_id, p_resource_id, point.at, step.capacity, step.taken, step.sharing_key, step.closed
      FROM (VALUES (p_from), (p_to)) AS point (at)
      CROSS JOIN LATERAL (
          SELECT t.capacity, t.taken, t.sharing_key, t.closed
            FROM timeline t
           WHERE t.organization_id = p_organization_id AND t.resource_id = p_resource_id AND t.at <= point.at
           ORDER BY t.at DESC
           LIMIT 1
      ) step
    ON CONFLICT DO NOTHING;
END $$;

-- Removes the change points in [p_from, p_to] at which nothing changes any more; never the one that was folded to.
CREATE OR REPLACE FUNCTION ledger_compact(
    p_organization_id uuid, p_resource_id uuid, p_from timestamptz, p_to timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM timeline t
     WHERE t.organization_id = p_organization_id AND t.resource_id = p_resource_id AND t.at BETWEEN p_from AND p_to
       AND NOT EXISTS (
           SELECT FROM resource r
            WHERE r.organization_id = p_organization_id AND r.id = p_resource_id AND r.folded_until >= t.at
       )
       AND EXISTS (
           SELECT FROM (
               SELECT b.capacity, b.taken, b.sharing_key, b.closed
                 FROM timeline b
                WHERE b.organization_id = p_organization_id AND b.resource_id = p_resource_id AND b.at < t.at
                ORDER BY b.at DESC
                LIMIT 1
           ) before
           WHERE (before.capacity, before.taken, before.closed) = (t.capacity, t.taken, t.closed)
             AND before.sharing_key IS NOT DISTINCT FROM t.sharing_key
       );
END $$;

-- Stops whoever would join a party that may not be joined. A function, so that it can be said within the statement that
-- meets them there, and costs nothing where nobody is met.
CREATE OR REPLACE FUNCTION ledger_refuse_party() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'another party is there, and may not be joined'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'timeline_one_party_check', TABLE = 'timeline';
END $$;

CREATE OR REPLACE FUNCTION ledger_resource_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.version <> 0 THEN
        RAISE EXCEPTION 'a resource begins at version 0'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'resource_version_check', TABLE = 'resource';
    END IF;
    IF NEW.folded_until IS NOT NULL OR NEW.foldable_from IS NOT NULL THEN
        RAISE EXCEPTION 'a resource begins without a past'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'resource_folded_until_check', TABLE = 'resource';
    END IF;
    INSERT INTO timeline (organization_id, resource_id, at, capacity, taken, sharing_key, closed)
    VALUES (NEW.organization_id, NEW.id, '-infinity', NEW.capacity, 0, NULL, false);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_claim_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_claim claim;
    v_added integer;
    v_resource resource;
    v_from timestamptz;
BEGIN
    IF TG_OP = 'INSERT' THEN
        v_claim := NEW;
        v_added := NEW.quantity;
    ELSE
        v_claim := OLD;
        v_added := -OLD.quantity;
    END IF;
    v_resource := ledger_next_version(
        v_claim.organization_id, v_claim.resource_id, v_claim.starts_at, v_claim.ends_at);
    -- Only what is not folded is counted: a claim that began before has nothing there, to take or to give back.
    v_from := greatest(v_claim.starts_at, v_resource.folded_until);
    IF v_from >= v_claim.ends_at THEN
        RETURN NULL;
    END IF;

    PERFORM ledger_split(v_claim.organization_id, v_claim.resource_id, v_from, v_claim.ends_at);
    UPDATE timeline t
       SET taken = t.taken + v_added,
           sharing_key = CASE WHEN t.taken + v_added = 0 THEN NULL
                              WHEN v_added > 0 AND t.taken > 0 AND t.sharing_key IS DISTINCT FROM v_claim.sharing_key
                              THEN ledger_refuse_party()
                              ELSE v_claim.sharing_key END
     WHERE t.organization_id = v_claim.organization_id AND t.resource_id = v_claim.resource_id
       AND t.at >= v_from AND t.at < v_claim.ends_at;

    -- A change point is there for the claims that begin or end at it: only when one goes can it have become needless.
    IF TG_OP = 'DELETE' THEN
        PERFORM ledger_compact(v_claim.organization_id, v_claim.resource_id, v_from, v_from);
        PERFORM ledger_compact(v_claim.organization_id, v_claim.resource_id, v_claim.ends_at, v_claim.ends_at);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_adjustment_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_resource resource := ledger_next_version(NEW.organization_id, NEW.resource_id, NEW.starts_at, NEW.ends_at);
    v_from timestamptz := greatest(NEW.starts_at, v_resource.folded_until);
BEGIN
    NEW.version := v_resource.version;
    IF NEW.ends_at IS NULL AND NEW.capacity IS NOT NULL THEN
        UPDATE resource SET capacity = NEW.capacity WHERE organization_id = NEW.organization_id AND id = NEW.resource_id;
    END IF;
    -- What is folded stays closed, whatever is asked for it.
    IF v_from >= NEW.ends_at THEN
        RETURN NEW;
    END IF;

    PERFORM ledger_split(NEW.organization_id, NEW.resource_id, v_from, NEW.ends_at);
    UPDATE timeline t
       SET capacity = coalesce(NEW.capacity, t.capacity), closed = coalesce(NEW.closed, t.closed)
     WHERE t.organization_id = NEW.organization_id AND t.resource_id = NEW.resource_id
       AND t.at >= v_from AND (NEW.ends_at IS NULL OR t.at < NEW.ends_at);
    PERFORM ledger_compact(NEW.organization_id, NEW.resource_id, v_from, coalesce(NEW.ends_at, 'infinity'));
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is not changed once written', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only_check', TABLE = TG_TABLE_NAME;
END $$;

CREATE OR REPLACE TRIGGER resource_made AFTER INSERT ON resource
    FOR EACH ROW EXECUTE FUNCTION ledger_resource_made();
CREATE OR REPLACE TRIGGER claim_changed AFTER INSERT OR DELETE ON claim
    FOR EACH ROW EXECUTE FUNCTION ledger_claim_changed();
CREATE OR REPLACE TRIGGER claim_not_updated BEFORE UPDATE ON claim
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER adjustment_made BEFORE INSERT ON adjustment
    FOR EACH ROW EXECUTE FUNCTION ledger_adjustment_made();
CREATE OR REPLACE TRIGGER adjustment_append_only BEFORE UPDATE OR DELETE ON adjustment
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
