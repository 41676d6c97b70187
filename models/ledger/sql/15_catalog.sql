-- What decides over a booking beside the timeline: the resource's own row, its venue, its rules, what it requires. Row
-- triggers keep `resource.catalog_version`, under which processes keep what they have read (engine/facts.py) and which
-- the admission compares under its lock: nobody books by rules that have changed.

-- Tells that something about these resources has changed. If it can decide (`p_decides`) their version grows too, once
-- in a transaction, so that whoever expects what was shown is told, and whoever watches looks again. A resource that
-- this very transaction makes has been shown to nobody: its version stays 0.
CREATE OR REPLACE FUNCTION catalog_changed(p_organization_id uuid, p_resource_ids uuid[], p_decides boolean)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_resource resource;
BEGIN
    PERFORM ledger_lock_resources(p_organization_id, p_resource_ids);
    UPDATE resource SET catalog_version = catalog_version + 1
     WHERE organization_id = p_organization_id AND id = ANY (p_resource_ids);
    IF NOT p_decides THEN
        RETURN;
    END IF;
    FOR v_resource IN
        SELECT * FROM resource r
         WHERE r.organization_id = p_organization_id AND r.id = ANY (p_resource_ids)
           AND r.created_at < transaction_timestamp()
           AND NOT EXISTS (
               SELECT FROM outbox o
                WHERE o.organization_id = r.organization_id AND o.kind = 'RESOURCE' AND o.entity_id = r.id
                  AND o.version = r.version AND o.xmin = pg_current_xact_id()::xid
           )
         ORDER BY r.id
    LOOP
        PERFORM ledger_next_version(p_organization_id, v_resource.id, clock_timestamp(), NULL);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION catalog_resource_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.catalog_version := OLD.catalog_version + 1;
    RETURN NEW;
END $$;

-- How a resource is shared also decides for those that require it, and for those that choose from it.
CREATE OR REPLACE FUNCTION catalog_sharing_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM catalog_changed(NEW.organization_id, ARRAY(
        SELECT NEW.id UNION
        SELECT q.resource_id FROM resource_requirement q
         WHERE q.organization_id = NEW.organization_id AND q.required_id = NEW.id
        UNION
        SELECT c.resource_id FROM resource_choice c
         WHERE c.organization_id = NEW.organization_id AND c.member_id = NEW.id
    ), true);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog_venue_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM catalog_changed(
        NEW.organization_id,
        ARRAY(SELECT r.id FROM resource r WHERE r.organization_id = NEW.organization_id AND r.venue_id = NEW.id),
        (OLD.time_zone, OLD.is_published) <> (NEW.time_zone, NEW.is_published)
            OR OLD.check_in_time IS DISTINCT FROM NEW.check_in_time
            OR OLD.check_out_time IS DISTINCT FROM NEW.check_out_time
    );
    RETURN NULL;
END $$;

-- For what a resource requires, and for what it chooses from.
CREATE OR REPLACE FUNCTION catalog_requirement_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM catalog_changed(
        coalesce(NEW.organization_id, OLD.organization_id), ARRAY[coalesce(NEW.resource_id, OLD.resource_id)], true);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION catalog_rule_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE OLD.version + 1 END;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION catalog_rule_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO booking_rule_change (
        organization_id, rule_id, version, venue_id, resource_id, type, parameters, priority, valid_from, valid_until,
        is_removed, actor, created_at
    ) VALUES (
        NEW.organization_id, NEW.id, NEW.version, NEW.venue_id, NEW.resource_id, NEW.type, NEW.parameters, NEW.priority,
        NEW.valid_from, NEW.valid_until, NEW.is_removed, NEW.last_actor, NEW.updated_at
    );
    PERFORM catalog_changed(NEW.organization_id, ARRAY(
        SELECT r.id FROM resource r
         WHERE r.organization_id = NEW.organization_id AND (r.id = NEW.resource_id OR r.venue_id = NEW.venue_id)
    ), true);
    RETURN NULL;
END $$;

-- OF, beside WHEN: nothing at all is asked of the updates by which versions grow.
CREATE OR REPLACE TRIGGER catalog_resource_changes
    BEFORE UPDATE OF slug, name, description, sharing, capacity, hold_seconds, hold_ceiling_seconds ON resource
    FOR EACH ROW WHEN (
        (OLD.slug, OLD.name, OLD.sharing, OLD.capacity, OLD.hold_seconds, OLD.hold_ceiling_seconds)
            <> (NEW.slug, NEW.name, NEW.sharing, NEW.capacity, NEW.hold_seconds, NEW.hold_ceiling_seconds)
        OR OLD.description IS DISTINCT FROM NEW.description
    ) EXECUTE FUNCTION catalog_resource_changes();
CREATE OR REPLACE TRIGGER catalog_sharing_changed AFTER UPDATE OF sharing ON resource
    FOR EACH ROW WHEN (OLD.sharing <> NEW.sharing) EXECUTE FUNCTION catalog_sharing_changed();
CREATE OR REPLACE TRIGGER catalog_venue_changed AFTER UPDATE ON venue
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION catalog_venue_changed();
CREATE OR REPLACE TRIGGER catalog_requirement_changed AFTER INSERT OR UPDATE OR DELETE ON resource_requirement
    FOR EACH ROW EXECUTE FUNCTION catalog_requirement_changed();
CREATE OR REPLACE TRIGGER catalog_choice_changed AFTER INSERT OR UPDATE OR DELETE ON resource_choice
    FOR EACH ROW EXECUTE FUNCTION catalog_requirement_changed();
CREATE OR REPLACE TRIGGER catalog_rule_changes BEFORE INSERT OR UPDATE ON booking_rule
    FOR EACH ROW EXECUTE FUNCTION catalog_rule_changes();
CREATE OR REPLACE TRIGGER catalog_rule_changed AFTER INSERT OR UPDATE ON booking_rule
    FOR EACH ROW EXECUTE FUNCTION catalog_rule_changed();
CREATE OR REPLACE TRIGGER booking_rule_change_append_only BEFORE UPDATE OR DELETE ON booking_rule_change
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
