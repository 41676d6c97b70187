-- Payments: what a booking is to be paid, what the provider last said of it, and what follows. No function here asks the
-- provider: somebody asks, tells what was said (`ledger_payment_seen`), does what was decided, and tells again. Any of them
-- may come twice, late, or from two processes at once, and whoever dies in between is followed by the next who looks.
--
-- Locks: payments come last, after their booking. Who only says that somebody is to look (`check_at`) locks payments alone,
-- and waits for nothing after; who writes what happened to them has the lock of the booking.

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
CREATE OR REPLACE TRIGGER payment_event_append_only BEFORE UPDATE OR DELETE ON payment_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER payment_booking_moved AFTER UPDATE ON booking
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR NEW.last_event IN ('CHANGED', 'ITEM_CANCELLED'))
    EXECUTE FUNCTION payment_booking_moved();

-- The payments of a booking and what has gone back of them, in the order of their numbers.
CREATE OR REPLACE FUNCTION ledger_money(p_organization_id uuid, p_booking_id uuid)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
BEGIN
    RETURN jsonb_build_object(
        'payments', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.number), '[]') FROM payment p
                      WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id),
        'refunds', (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.number), '[]') FROM payment_refund r
                     WHERE r.organization_id = p_organization_id AND r.booking_id = p_booking_id),
        'disputes', (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.created_at, d.reference), '[]') FROM payment_dispute d
                      WHERE d.organization_id = p_organization_id AND d.booking_id = p_booking_id)
    );
END $$;

-- A booking as `ledger_booking` tells it, with its money.
CREATE OR REPLACE FUNCTION ledger_booking_money(p_organization_id uuid, p_booking_id uuid)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ledger_booking(p_organization_id, p_booking_id) || ledger_money(p_organization_id, p_booking_id);
END $$;

-- Begins to collect what is due now: the payment that may be paid, or a new one, and with it time to pay: `period_seconds`
-- from now, at most `ceiling_seconds` from the first payment of the booking. What is asked again has no effect.
-- p_request: booking_id, actor, key, request_hash, expected_version, period_seconds, retry_seconds, ceiling_seconds.
-- Outcomes: as of ledger_change_booking, with the booking's money and `number`, the payment's; REFUSED with HOLD_EXPIRED,
-- NOTHING_DUE, INVALID_STATE, VERSION_CONFLICT, NOT_FOUND.
CREATE OR REPLACE FUNCTION ledger_checkout(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_resource_ids uuid[];
    v_booking booking;
    v_answer jsonb;
    v_refusal text;
    v_number smallint;
BEGIN
    SELECT array_agg(DISTINCT c.resource_id) INTO v_resource_ids FROM claim c
     WHERE c.organization_id = p_organization_id AND c.booking_id = v_booking_id;
    PERFORM ledger_lock_resources(p_organization_id, v_resource_ids);
    SELECT * INTO v_booking FROM booking b
     WHERE b.organization_id = p_organization_id AND b.id = v_booking_id
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object('code', 'NOT_FOUND'));
    END IF;
    v_answer := ledger_replay(p_organization_id, p_request);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    IF EXISTS (
        SELECT FROM claim c
         WHERE c.organization_id = p_organization_id AND c.booking_id = v_booking_id
           AND c.resource_id <> ALL (coalesce(v_resource_ids, '{}'))
    ) THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;
    IF (p_request->>'expected_version')::bigint <> v_booking.version THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object(
            'code', 'VERSION_CONFLICT', 'current', v_booking.version, 'status', v_booking.status));
    END IF;

    SELECT p.number INTO v_number FROM payment p
     WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id
       AND p.state <> 'VOID' AND p.decision IS DISTINCT FROM 'VOID'
       AND CASE v_booking.status WHEN 'ON_HOLD' THEN p.purpose = 'BOOKING'
                                 ELSE p.purpose <> 'BOOKING' AND p.state NOT IN ('HELD', 'CAPTURED') END
     ORDER BY p.number DESC
     LIMIT 1;
    IF v_number IS NULL OR v_booking.status NOT IN ('ON_HOLD', 'CONFIRMED') THEN
        v_refusal := CASE
            WHEN v_booking.status = 'EXPIRED' THEN 'HOLD_EXPIRED'
            WHEN v_booking.status NOT IN ('ON_HOLD', 'CONFIRMED') THEN 'INVALID_STATE'
            WHEN v_booking.status = 'CONFIRMED' AND ledger_is_collected_by_venue(p_organization_id, v_booking)
                THEN 'INVALID_STATE'
            WHEN coalesce(ledger_outstanding(p_organization_id, v_booking), 0) <= 0 THEN 'NOTHING_DUE'
        END;
        IF v_refusal IS NOT NULL THEN
            RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object(
                'code', v_refusal, 'status', v_booking.status));
        END IF;
        v_number := ledger_new_payment(p_organization_id, v_booking, p_request);
    END IF;
    PERFORM ledger_remember(
        p_organization_id, p_request, jsonb_build_object('booking_id', v_booking_id, 'payment', v_number));
    RETURN ledger_booking_money(p_organization_id, v_booking_id)
        || jsonb_build_object('outcome', 'DONE', 'number', v_number);
END $$;

-- Writes the payment, and moves the end of the hold. The caller has locked the booking.
CREATE OR REPLACE FUNCTION ledger_new_payment(p_organization_id uuid, p_booking booking, p_request jsonb)
RETURNS smallint LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_number smallint;
    v_ceiling_at timestamptz;
    v_is_extended boolean;
    v_expires_at timestamptz;
BEGIN
    -- What is paid after the booking was confirmed has its own time.
    SELECT coalesce(max(p.number), 0) + 1, min(p.ceiling_at) FILTER (WHERE p_booking.status = 'ON_HOLD'),
           coalesce(bool_or(p.is_extended), false)
      INTO v_number, v_ceiling_at, v_is_extended
      FROM payment p
     WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking.id;
    v_ceiling_at := coalesce(v_ceiling_at, v_now + make_interval(secs => (p_request->>'ceiling_seconds')::integer));
    v_expires_at := ledger_end_of_period(p_booking, v_ceiling_at, (p_request->>'period_seconds')::integer);
    IF p_booking.status = 'ON_HOLD' THEN
        UPDATE booking
           SET hold_expires_at = v_expires_at, hold_ceiling_at = greatest(hold_ceiling_at, v_expires_at),
               last_event = 'CHECKOUT', last_actor = p_request->>'actor', last_reason = NULL
         WHERE organization_id = p_organization_id AND id = p_booking.id;
    END IF;
    INSERT INTO payment (
        organization_id, booking_id, number, purpose, amount, currency, claims, retry_seconds, ceiling_at, is_extended, check_at
    )
    SELECT p_organization_id, p_booking.id, v_number, CASE p_booking.status WHEN 'ON_HOLD' THEN 'BOOKING' ELSE 'SURCHARGE' END,
           ledger_outstanding(p_organization_id, p_booking), q.currency,
           (SELECT coalesce(jsonb_agg(to_jsonb(c) - 'organization_id' - 'booking_id' ORDER BY c.resource_id, c.starts_at), '[]')
              FROM claim c WHERE c.organization_id = p_organization_id AND c.booking_id = p_booking.id),
           (p_request->>'retry_seconds')::integer, v_ceiling_at, v_is_extended,
           ledger_next_check(v_expires_at, v_now, 0)
      FROM quote q
     WHERE q.organization_id = p_organization_id AND q.id = p_booking.quote_id;
    RETURN v_number;
END $$;

-- When a hold ends that is given so many seconds from now: never earlier than it would anyway, and no later than
-- `p_ceiling_at` for that reason.
CREATE OR REPLACE FUNCTION ledger_end_of_period(p_booking booking, p_ceiling_at timestamptz, p_seconds integer)
RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    RETURN greatest(
        p_booking.hold_expires_at, least(clock_timestamp() + make_interval(secs => p_seconds), p_ceiling_at));
END $$;

-- When somebody looks at what is undecided, whatever is told meanwhile: after 10 seconds, then less and less often up to
-- every five minutes, and in any case before a hold ends.
CREATE OR REPLACE FUNCTION ledger_next_check(p_hold_expires_at timestamptz, p_now timestamptz, p_checks integer)
RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN least(
        p_now + least(interval '10 seconds' * power(2, least(p_checks, 5)), interval '5 minutes'),
        greatest(p_hold_expires_at - interval '10 seconds', p_now + interval '5 seconds')
    );
END $$;

-- Whether money for the booking is held or taken.
CREATE OR REPLACE FUNCTION ledger_is_paid(p_organization_id uuid, p_booking_id uuid)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM payment p
         WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id AND p.purpose = 'BOOKING'
           AND p.state IN ('HELD', 'CAPTURED') AND p.decision IS DISTINCT FROM 'VOID'
    );
END $$;

-- Writes what the provider says of a payment, and decides in the same transaction what becomes of the booking and of the
-- money. p_request: booking_id, number, version (of the payment, when the provider was asked: what was said before another
-- wrote is STALE, and to be asked again); seen {state, reference, amount, currency, captured, refunded, failure_code,
-- decline_code, failure_id, method, customer}, of which a payment that the provider knows nothing of has state alone (NEW,
-- or VOID: it never will); and late, where the booking has EXPIRED: the conditions of its rules, with looks_from and
-- looks_to, as of ledger_hold.
-- Outcomes: DONE with the booking and its money, STALE, RELOCK, REFUSED with NOT_FOUND.
CREATE OR REPLACE FUNCTION ledger_payment_seen(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_seen payment := jsonb_populate_record(NULL::payment, p_request->'seen');
    v_is_money boolean := v_seen.state IN ('HELD', 'CAPTURED');
    v_is_late boolean;
    v_locked uuid[];
    v_booking booking;
    v_payment payment;
    v_decided record;
BEGIN
    SELECT b.status = 'EXPIRED' AND v_is_money INTO v_is_late FROM booking b
     WHERE b.organization_id = p_organization_id AND b.id = v_booking_id;
    v_locked := ledger_lock_for_payment(p_organization_id, p_request, v_is_late);
    SELECT * INTO v_booking FROM booking b
     WHERE b.organization_id = p_organization_id AND b.id = v_booking_id
       FOR NO KEY UPDATE;
    SELECT * INTO v_payment FROM payment p
     WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id
       AND p.number = (p_request->>'number')::smallint
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object('code', 'NOT_FOUND'));
    ELSIF v_payment.version <> (p_request->>'version')::bigint THEN
        RETURN jsonb_build_object('outcome', 'STALE');
    ELSIF (v_booking.status = 'EXPIRED' AND v_is_money AND NOT v_is_late) OR EXISTS (
        SELECT FROM claim c
         WHERE c.organization_id = p_organization_id AND c.booking_id = v_booking_id AND c.resource_id <> ALL (v_locked)
    ) THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;

    SELECT * INTO v_decided FROM ledger_decide(p_organization_id, v_booking, v_payment, v_seen, p_request, v_locked);
    IF v_decided.refusal->>'code' = 'RELOCK' THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;
    PERFORM ledger_follow_payment(p_organization_id, v_booking, v_payment, v_seen, v_decided.decision);
    PERFORM ledger_write_payment(p_organization_id, v_payment, v_seen, v_decided.decision, v_decided.refusal);
    RETURN ledger_booking_money(p_organization_id, v_booking_id) || jsonb_build_object('outcome', 'DONE');
END $$;

-- Locks what `ledger_payment_seen` needs, in the order of every lock: what the booking claims, or would claim if late money
-- admits it once more, with what is over there; returns the ids.
CREATE OR REPLACE FUNCTION ledger_lock_for_payment(p_organization_id uuid, p_request jsonb, p_is_late boolean)
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_requests jsonb := jsonb_build_array(coalesce(nullif(p_request->'late', 'null'), '{}'));
    v_customers text[] := ledger_counted_customers(v_requests);
    v_locked uuid[];
BEGIN
    IF NOT coalesce(p_is_late, false) THEN
        SELECT coalesce(array_agg(DISTINCT c.resource_id), '{}') INTO v_locked FROM claim c
         WHERE c.organization_id = p_organization_id AND c.booking_id = v_booking_id;
        PERFORM ledger_lock_resources(p_organization_id, v_locked);
        RETURN v_locked;
    END IF;
    SELECT array_agg(DISTINCT (c->>'resource_id')::uuid) INTO v_locked
      FROM payment p
      CROSS JOIN LATERAL jsonb_array_elements(p.claims) AS c
     WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id
       AND p.number = (p_request->>'number')::smallint;
    v_locked := ledger_with_over_holds(p_organization_id, v_locked, '-infinity', 'infinity');
    IF v_customers IS NOT NULL THEN
        SELECT v_locked || array_agg(c.resource_id) INTO v_locked FROM claim c
         WHERE c.organization_id = p_organization_id
           AND c.booking_id = ANY (ledger_over_holds_of_customers(p_organization_id, v_customers));
    END IF;
    PERFORM ledger_lock_resources(p_organization_id, v_locked);
    IF v_customers IS NOT NULL THEN
        PERFORM ledger_lock_customers(p_organization_id, v_customers);
    END IF;
    PERFORM ledger_lock_promo_codes(p_organization_id, (
        SELECT jsonb_build_array(jsonb_build_object('promo_code_id', b.promo_code_id)) FROM booking b
         WHERE b.organization_id = p_organization_id AND b.id = v_booking_id
    ));
    RETURN v_locked;
END $$;

-- What is decided by what the provider says; the booking is confirmed, or admitted once more, here. What has been decided
-- before stays. `refusal`: why late money does not book. Nothing is decided (NULL) while the buyer may still pay, while the
-- provider is at it, and while the venue is to approve.
CREATE OR REPLACE FUNCTION ledger_decide(
    p_organization_id uuid, p_booking booking, p_payment payment, p_seen payment, p_request jsonb, p_locked_ids uuid[],
    OUT decision text, OUT refusal jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    v_is_money boolean := p_seen.state IN ('HELD', 'CAPTURED');
BEGIN
    decision := p_payment.decision;
    IF decision IS NOT NULL OR p_seen.state = 'VOID' THEN
        RETURN;
    ELSIF (p_seen.amount, p_seen.currency) <> (p_payment.amount, p_payment.currency)
       OR (p_seen.state = 'CAPTURED' AND p_seen.captured <> p_payment.amount) THEN
        decision := 'VOID';  -- it is not what was asked for, and buys nothing
    ELSIF p_booking.status IN ('ON_HOLD', 'EXPIRED') AND v_is_money
      AND ledger_outstanding(p_organization_id, p_booking) > p_payment.amount THEN
        decision := 'VOID';  -- it was asked for at another price, and is too little now
    ELSIF p_booking.status IN ('CONFIRMED', 'REDEEMED', 'COMPLETED', 'NO_SHOW') THEN
        decision := CASE WHEN v_is_money THEN 'CAPTURE'
                         WHEN p_seen.state <> 'PROCESSING' AND ledger_is_given_up(p_payment, p_seen) THEN 'VOID' END;
    ELSIF p_booking.status = 'ON_HOLD' AND v_is_money THEN
        PERFORM ledger_carry_out(
            p_organization_id, p_booking, jsonb_build_object('action', 'CONFIRM', 'actor', 'payments'));
        decision := CASE WHEN p_booking.approval_seconds IS NULL THEN 'CAPTURE' END;
    ELSIF p_booking.status = 'EXPIRED' AND v_is_money AND p_payment.purpose = 'BOOKING' THEN
        refusal := ledger_readmit(p_organization_id, p_booking, p_payment, p_request, p_locked_ids);
        decision := CASE WHEN refusal IS NOT NULL THEN 'VOID'
                         WHEN p_booking.approval_seconds IS NULL THEN 'CAPTURE' END;
    ELSIF p_booking.status NOT IN ('ON_HOLD', 'PENDING') AND p_seen.state <> 'PROCESSING' THEN
        decision := 'VOID';
    END IF;
END $$;

-- Admits a booking that has EXPIRED once more, for money that came late: the very places that it had, if they are free and
-- what rules count still allows it. Why not, or NULL: it is CONFIRMED, or PENDING where the venue is to approve. What has
-- begun is not sold any more, nor what the venue has let run out. RELOCK: more has to be locked.
CREATE OR REPLACE FUNCTION ledger_readmit(
    p_organization_id uuid, p_booking booking, p_payment payment, p_request jsonb, p_locked_ids uuid[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_late jsonb := coalesce(nullif(p_request->'late', 'null'), '{}');
    v_customers text[] := ledger_counted_customers(jsonb_build_array(v_late));
    v_takes ledger_take[];
    v_resource_ids uuid[];
    v_from timestamptz;
    v_to timestamptz;
    v_now timestamptz := clock_timestamp();
    v_refusal jsonb;
BEGIN
    IF EXISTS (
        SELECT FROM booking_item i
         WHERE i.organization_id = p_organization_id AND i.booking_id = p_booking.id AND i.starts_at <= v_now
    ) OR EXISTS (
        SELECT FROM booking_event e
         WHERE e.organization_id = p_organization_id AND e.booking_id = p_booking.id AND e.kind = 'SUBMITTED'
    ) THEN
        RETURN jsonb_build_object('code', 'HOLD_EXPIRED');
    END IF;
    SELECT array_agg((
               p_booking.id, c.resource_id, c.starts_at, c.ends_at, c.quantity, c.sharing_key, there.open_from, there.open_to
           )::ledger_take),
           array_agg(DISTINCT c.resource_id), min(c.starts_at), max(c.ends_at)
      INTO v_takes, v_resource_ids, v_from, v_to
      FROM jsonb_to_recordset(p_payment.claims) AS c (
          resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity bigint, sharing_key text
      )
      CROSS JOIN LATERAL (
          SELECT coalesce(min(i.starts_at), c.starts_at) AS open_from, coalesce(max(i.ends_at), c.ends_at) AS open_to
            FROM booking_item i
           WHERE i.organization_id = p_organization_id AND i.booking_id = p_booking.id
             AND i.starts_at >= c.starts_at AND i.ends_at <= c.ends_at
      ) there;
    v_from := least(v_from, (v_late->>'looks_from')::timestamptz);
    v_to := greatest(v_to, (v_late->>'looks_to')::timestamptz);
    IF NOT v_resource_ids <@ p_locked_ids
       OR NOT ledger_expire_over(p_organization_id, v_resource_ids, p_locked_ids, v_from, v_to)
       OR (v_customers IS NOT NULL AND NOT ledger_expire(
           p_organization_id, ledger_over_holds_of_customers(p_organization_id, v_customers), p_locked_ids)) THEN
        RETURN jsonb_build_object('code', 'RELOCK');
    END IF;
    v_refusal := ledger_refusal(p_organization_id, v_takes);
    IF v_refusal IS NULL AND ledger_unmet(p_organization_id, v_late) IS NOT NULL THEN
        v_refusal := jsonb_build_object('code', 'HOLD_EXPIRED');
    END IF;
    v_refusal := coalesce(v_refusal, ledger_price_refusal(
        p_organization_id, jsonb_build_array(jsonb_build_object('promo_code_id', p_booking.promo_code_id))));
    IF v_refusal IS NOT NULL THEN
        RETURN v_refusal;
    END IF;
    UPDATE booking
       SET status = CASE WHEN approval_seconds IS NULL THEN 'CONFIRMED' ELSE 'PENDING' END,
           hold_expires_at = v_now + make_interval(secs => approval_seconds),
           last_event = CASE WHEN approval_seconds IS NULL THEN 'CONFIRMED_LATE' ELSE 'SUBMITTED' END,
           last_actor = 'payments', last_reason = NULL
     WHERE organization_id = p_organization_id AND id = p_booking.id AND status = 'EXPIRED';
    INSERT INTO claim (organization_id, booking_id, resource_id, starts_at, ends_at, quantity, sharing_key)
    SELECT p_organization_id, t.booking_id, t.resource_id, t.starts_at, t.ends_at, t.quantity, t.sharing_key
      FROM unnest(v_takes) t;
    RETURN NULL;
END $$;

-- What else follows for the booking: after an attempt that failed there is time for another, once; and where money that
-- was counted on is gone for good (the authorization has ended, or somebody has cancelled it at the provider), so is what
-- it was to buy.
CREATE OR REPLACE FUNCTION ledger_follow_payment(
    p_organization_id uuid, p_booking booking, p_payment payment, p_seen payment, p_decision text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_expires_at timestamptz;
BEGIN
    IF p_seen.failure_id IS DISTINCT FROM p_payment.failure_id AND p_seen.failure_id IS NOT NULL
       AND p_booking.status = 'ON_HOLD' AND p_decision IS NULL AND NOT p_payment.is_extended THEN
        v_expires_at := ledger_end_of_period(p_booking, p_payment.ceiling_at, p_payment.retry_seconds);
        IF v_expires_at > p_booking.hold_expires_at THEN
            UPDATE booking
               SET hold_expires_at = v_expires_at, hold_ceiling_at = greatest(hold_ceiling_at, v_expires_at),
                   last_event = 'EXTENDED', last_actor = 'payments', last_reason = NULL
             WHERE organization_id = p_organization_id AND id = p_booking.id;
            UPDATE payment SET is_extended = true
             WHERE organization_id = p_organization_id AND booking_id = p_booking.id AND number = p_payment.number;
        END IF;
    ELSIF p_seen.state = 'VOID' AND p_payment.state <> 'VOID' AND p_decision IS DISTINCT FROM 'VOID'
       AND (p_decision = 'CAPTURE' OR p_payment.state = 'HELD')
       AND p_payment.purpose = 'BOOKING' AND p_booking.status IN ('CONFIRMED', 'PENDING') THEN
        PERFORM ledger_end_booking(
            p_organization_id, p_booking.id, 'CANCELLED', 'CANCELLED', 'payments', 'The authorization has ended');
    END IF;
END $$;

-- Writes the payment, what is to go back of it because it bought nothing (three times at most, if that fails), and when
-- somebody looks next.
CREATE OR REPLACE FUNCTION ledger_write_payment(
    p_organization_id uuid, p_payment payment, p_seen payment, p_decision text, p_refusal jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_failed boolean := p_seen.failure_id IS NOT NULL AND p_seen.failure_id IS DISTINCT FROM p_payment.failure_id;
BEGIN
    UPDATE payment p
       SET state = p_seen.state, decision = p_decision, reference = coalesce(p_seen.reference, p.reference),
           captured = coalesce(p_seen.captured, p.captured), refunded = coalesce(p_seen.refunded, p.refunded),
           failures = p.failures + v_failed::integer,
           failure_code = coalesce(p_seen.failure_code, p.failure_code),
           decline_code = CASE WHEN v_failed THEN p_seen.decline_code ELSE p.decline_code END,
           failure_id = coalesce(p_seen.failure_id, p.failure_id),
           method = coalesce(p_seen.method, p.method), customer = coalesce(p_seen.customer, p.customer),
           refusal = coalesce(p.refusal, p_refusal), is_disputed = p.is_disputed OR coalesce(p_seen.is_disputed, false),
           charge_at = CASE WHEN v_failed THEN ledger_next_charge(p.failures + 1, v_now) ELSE p.charge_at END
     WHERE p.organization_id = p_organization_id AND p.booking_id = p_payment.booking_id AND p.number = p_payment.number;
    IF p_seen.state = 'CAPTURED' AND p_decision = 'VOID' THEN
        PERFORM ledger_new_refund(p_organization_id, p, ledger_ours(p), 'NOT_BOOKED')
           FROM payment p
          WHERE p.organization_id = p_organization_id AND p.booking_id = p_payment.booking_id
            AND p.number = p_payment.number AND ledger_may_go_back(p);
    END IF;
    PERFORM ledger_settle_evident(p_organization_id, p_payment.booking_id);
    UPDATE payment p
       SET checks = CASE WHEN p.version <> p_payment.version THEN 0 ELSE p.checks END
     WHERE p.organization_id = p_organization_id AND p.booking_id = p_payment.booking_id AND p.number = p_payment.number;
    PERFORM ledger_look_later(p_organization_id, p_payment.booking_id, p_payment.number);
END $$;

-- Money that is to go back of a payment; nothing if `p_amount` is none. The caller has locked the booking.
CREATE OR REPLACE FUNCTION ledger_new_refund(
    p_organization_id uuid, p_payment payment, p_amount bigint, p_reason text, p_version bigint DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_amount > 0 THEN
        INSERT INTO payment_refund (
            organization_id, booking_id, number, payment_number, amount, currency, reason, booking_version
        )
        SELECT p_organization_id, p_payment.booking_id, coalesce(max(r.number), 0) + 1, p_payment.number, p_amount,
               p_payment.currency, p_reason, p_version
          FROM payment_refund r
         WHERE r.organization_id = p_organization_id AND r.booking_id = p_payment.booking_id;
        UPDATE payment SET check_at = clock_timestamp(), checks = 0
         WHERE organization_id = p_organization_id AND booking_id = p_payment.booking_id AND number = p_payment.number;
    END IF;
END $$;

-- Bookings of any organization whose payments somebody is to look at now, at most `p_limit`; for `p_lease_seconds` nobody
-- else is told so of these, and then again, if whoever was told has died.
CREATE OR REPLACE FUNCTION worker_take_payments(p_limit integer, p_lease_seconds integer)
RETURNS TABLE (organization_id uuid, booking_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT p.organization_id, p.booking_id, p.number FROM payment p
         WHERE p.check_at <= v_now
         ORDER BY p.check_at
         LIMIT p_limit
           FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE payment p
           SET check_at = v_now + make_interval(secs => p_lease_seconds), checks = least(p.checks + 1, 100)
          FROM due
         WHERE p.organization_id = due.organization_id AND p.booking_id = due.booking_id AND p.number = due.number
        RETURNING p.organization_id, p.booking_id
    )
    SELECT DISTINCT t.organization_id, t.booking_id FROM taken t;
END $$;
