-- A booking's states, its version, its history: kept by the database, whoever writes the row.

CREATE OR REPLACE FUNCTION booking_before_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.version := 1;
    ELSE
        IF NEW.status <> OLD.status AND NOT (OLD.status || ' ' || NEW.status) = ANY (ARRAY[
            'ON_HOLD CONFIRMED', 'ON_HOLD PENDING', 'ON_HOLD EXPIRED', 'ON_HOLD CANCELLED',
            'PENDING CONFIRMED', 'PENDING REJECTED', 'PENDING EXPIRED', 'PENDING CANCELLED',
            'CONFIRMED REDEEMED', 'CONFIRMED CANCELLED', 'CONFIRMED NO_SHOW', 'REDEEMED COMPLETED'
        ]) AND NOT (OLD.status || ' ' || NEW.last_event || ' ' || NEW.status) = ANY (ARRAY[
            'EXPIRED CONFIRMED_LATE CONFIRMED', 'EXPIRED SUBMITTED PENDING'  -- paid late, and admitted once more
        ]) THEN
            RAISE EXCEPTION 'a booking does not go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'booking_transition_check', TABLE = 'booking';
        END IF;
        NEW.version := OLD.version + 1;
        IF NEW.status = 'CONFIRMED' AND OLD.status <> 'CONFIRMED' THEN
            NEW.confirmed_at := clock_timestamp();
        END IF;
    END IF;
    -- What one change was of is not told of the next.
    IF NEW.last_event NOT IN ('CHANGED', 'ITEM_CANCELLED') THEN
        NEW.last_details := NULL;
    END IF;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION booking_after_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO booking_event (organization_id, booking_id, version, kind, status, actor, reason, details, created_at)
    VALUES (NEW.organization_id, NEW.id, NEW.version, NEW.last_event, NEW.status, NEW.last_actor, NEW.last_reason,
            NEW.last_details, NEW.updated_at);
    INSERT INTO outbox (organization_id, kind, entity_id, version, created_at)
    VALUES (NEW.organization_id, 'BOOKING', NEW.id, NEW.version, NEW.updated_at);
    RETURN NULL;
END $$;

-- Live with all its claims, ended with none: looked at when the transaction commits, since a booking and its claims
-- are written one after the other. It guards a booking against its own writer; capacity is never guarded so. It looks
-- with the owner's rights: what the writer may see by then does not matter.
CREATE OR REPLACE FUNCTION booking_is_whole() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_organization_id uuid := coalesce(NEW.organization_id, OLD.organization_id);
    v_booking_id uuid;
    v_status text;
    v_wanted bigint;
    v_claims bigint;
BEGIN
    IF TG_TABLE_NAME = 'booking' THEN
        v_booking_id := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        v_booking_id := OLD.booking_id;
    ELSE
        v_booking_id := NEW.booking_id;
    END IF;
    SELECT b.status,
           CASE WHEN b.status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'REDEEMED') THEN b.claim_count ELSE 0 END,
           (SELECT count(*) FROM claim c WHERE c.organization_id = v_organization_id AND c.booking_id = v_booking_id)
      INTO v_status, v_wanted, v_claims
      FROM booking b
     WHERE b.organization_id = v_organization_id AND b.id = v_booking_id;
    IF v_claims <> v_wanted THEN
        RAISE EXCEPTION 'a booking that is % does not have % claims', v_status, v_claims
            USING ERRCODE = 'check_violation', CONSTRAINT = 'booking_claims_check', TABLE = 'booking';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER booking_before_change BEFORE INSERT OR UPDATE ON booking
    FOR EACH ROW EXECUTE FUNCTION booking_before_change();
CREATE OR REPLACE TRIGGER booking_after_change AFTER INSERT OR UPDATE ON booking
    FOR EACH ROW EXECUTE FUNCTION booking_after_change();
CREATE OR REPLACE TRIGGER booking_event_append_only BEFORE UPDATE OR DELETE ON booking_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

DROP TRIGGER IF EXISTS booking_is_whole ON booking;
CREATE CONSTRAINT TRIGGER booking_is_whole AFTER INSERT OR UPDATE ON booking
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION booking_is_whole();
DROP TRIGGER IF EXISTS claim_of_whole_booking ON claim;
CREATE CONSTRAINT TRIGGER claim_of_whole_booking AFTER INSERT OR DELETE ON claim
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION booking_is_whole();
