-- A payment's states, its version, and the history of a booking's money: kept by the database, whoever writes the rows.

-- One line of a booking's money, by the triggers below. The caller has locked the booking, so that positions have no gaps.
CREATE OR REPLACE FUNCTION payment_note(
    p_organization_id uuid, p_booking_id uuid, p_payment smallint, p_refund smallint, p_kind text, p_outcome text,
    p_amount bigint, p_currency text, p_code text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payment_event (
        organization_id, booking_id, position, payment_number, refund_number, kind, outcome, amount, currency, code, created_at
    )
    SELECT p_organization_id, p_booking_id, coalesce(max(e.position), 0) + 1, p_payment, p_refund, p_kind, p_outcome,
           p_amount, p_currency, p_code, clock_timestamp()
      FROM payment_event e
     WHERE e.organization_id = p_organization_id AND e.booking_id = p_booking_id;
END $$;

-- What was captured, or can never be paid, stays so; what was decided is not decided otherwise: somebody may be doing it.
CREATE OR REPLACE FUNCTION payment_before_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.version := 1;
    ELSIF (OLD.state = 'CAPTURED' OR (OLD.state = 'VOID' AND OLD.reference IS NOT NULL)) AND NEW.state <> OLD.state
       OR OLD.decision <> coalesce(NEW.decision, '') OR OLD.reference <> coalesce(NEW.reference, '') THEN
        RAISE EXCEPTION 'a payment does not go from % (%) to % (%)', OLD.state, OLD.decision, NEW.state, NEW.decision
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition_check', TABLE = 'payment';
    ELSE
        NEW.version := OLD.version + CASE
            WHEN (NEW.state, NEW.decision, NEW.reference, NEW.captured, NEW.refunded, NEW.failures, NEW.method, NEW.customer,
                  NEW.is_disputed, NEW.charged_back)
                 IS DISTINCT FROM
                 (OLD.state, OLD.decision, OLD.reference, OLD.captured, OLD.refunded, OLD.failures, OLD.method, OLD.customer,
                  OLD.is_disputed, OLD.charged_back)
            THEN 1 ELSE 0 END;
    END IF;
    NEW.updated_at := CASE WHEN NEW.version = OLD.version THEN OLD.updated_at ELSE clock_timestamp() END;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION payment_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM payment_note(
        NEW.organization_id, NEW.booking_id, NEW.number, NULL, 'AUTHORIZE', 'REQUESTED', NEW.amount, NEW.currency);
    RETURN NULL;
END $$;

-- What is captured without having been held, by methods that can not be, was authorized as well.
CREATE OR REPLACE FUNCTION payment_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_line record;
BEGIN
    FOR v_line IN
        SELECT * FROM (VALUES
            (1, NEW.failures > OLD.failures, 'AUTHORIZE', 'FAILED', NEW.amount, coalesce(NEW.decline_code, NEW.failure_code)),
            (2, NEW.state IN ('HELD', 'CAPTURED') AND OLD.state NOT IN ('HELD', 'CAPTURED'), 'AUTHORIZE', 'SUCCEEDED',
                NEW.amount, NULL),
            (3, NEW.decision IS DISTINCT FROM OLD.decision, NEW.decision, 'REQUESTED', NEW.amount, NULL),
            (4, NEW.captured > OLD.captured, 'CAPTURE', 'SUCCEEDED', NEW.captured - OLD.captured, NULL),
            (5, NEW.state = 'VOID' AND OLD.state <> 'VOID' AND NEW.decision = 'CAPTURE', 'CAPTURE', 'FAILED', NEW.amount, NULL),
            (6, NEW.state = 'VOID' AND OLD.state <> 'VOID', 'VOID', 'SUCCEEDED', NEW.amount, NULL),
            (7, NEW.state = 'CAPTURED' AND OLD.state <> 'CAPTURED' AND NEW.decision = 'VOID', 'VOID', 'FAILED', NEW.amount, NULL)
        ) line (position, is_new, kind, outcome, amount, code)
         WHERE is_new
         ORDER BY position
    LOOP
        PERFORM payment_note(
            NEW.organization_id, NEW.booking_id, NEW.number, NULL, v_line.kind, v_line.outcome, v_line.amount, NEW.currency,
            v_line.code);
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION payment_refund_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM payment_note(
        NEW.organization_id, NEW.booking_id, NEW.payment_number, NEW.number, 'REFUND', NEW.state, NEW.amount, NEW.currency);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION payment_dispute_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM payment_note(
        NEW.organization_id, NEW.booking_id, NEW.payment_number, NULL, 'DISPUTE',
        CASE NEW.state WHEN 'OPEN' THEN 'REQUESTED' WHEN 'LOST' THEN 'SUCCEEDED' ELSE 'FAILED' END, NEW.amount, NEW.currency);
    RETURN NULL;
END $$;

-- Whatever becomes of a booking, somebody looks after its payments at once: a hold that has ended is not to be paid any
-- more, what was cancelled goes back, what was approved is captured. What is not paid yet when the booking becomes one of
-- something else is never paid: it was to buy what it was then, at the price of then. The next checkout begins another.
CREATE OR REPLACE FUNCTION payment_booking_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE payment
       SET check_at = clock_timestamp(), checks = 0,
           decision = CASE WHEN decision IS NULL AND NEW.last_event IN ('CHANGED', 'ITEM_CANCELLED')
                                AND state NOT IN ('HELD', 'CAPTURED') THEN 'VOID' ELSE decision END
     WHERE organization_id = NEW.organization_id AND booking_id = NEW.id AND state <> 'VOID';
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER payment_before_change BEFORE INSERT OR UPDATE ON payment
    FOR EACH ROW EXECUTE FUNCTION payment_before_change();
CREATE OR REPLACE TRIGGER payment_made AFTER INSERT ON payment
    FOR EACH ROW EXECUTE FUNCTION payment_made();
CREATE OR REPLACE TRIGGER payment_changed AFTER UPDATE ON payment
    FOR EACH ROW WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION payment_changed();
CREATE OR REPLACE TRIGGER payment_refund_made AFTER INSERT ON payment_refund
    FOR EACH ROW EXECUTE FUNCTION payment_refund_changed();
CREATE OR REPLACE TRIGGER payment_refund_changed AFTER UPDATE ON payment_refund
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION payment_refund_changed();
CREATE OR REPLACE TRIGGER payment_dispute_made AFTER INSERT ON payment_dispute
    FOR EACH ROW EXECUTE FUNCTION payment_dispute_changed();
CREATE OR REPLACE TRIGGER payment_dispute_changed AFTER UPDATE ON payment_dispute
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION payment_dispute_changed();
CREATE OR REPLACE TRIGGER payment_event_append_only BEFORE UPDATE OR DELETE ON payment_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER payment_booking_moved AFTER UPDATE ON booking
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR NEW.last_event IN ('CHANGED', 'ITEM_CANCELLED'))
    EXECUTE FUNCTION payment_booking_moved();

-- A booking as `ledger_booking` tells it, with its money: payments and refunds in the order of their numbers, and disputes as
-- they came.
CREATE OR REPLACE FUNCTION ledger_booking_money(p_organization_id uuid, p_booking_id uuid)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
BEGIN
    RETURN ledger_booking(p_organization_id, p_booking_id) || jsonb_build_object(
        'payments', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.number), '[]') FROM payment p
                      WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id),
        'refunds', (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.number), '[]') FROM payment_refund r
                     WHERE r.organization_id = p_organization_id AND r.booking_id = p_booking_id),
        'disputes', (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.created_at, d.reference), '[]') FROM payment_dispute d
                      WHERE d.organization_id = p_organization_id AND d.booking_id = p_booking_id)
    );
END $$;
