-- Payments: what a booking is to be paid, what the provider last said of it, and what follows. No function here asks the
-- provider: somebody asks, tells what was said (`ledger_payment_seen`), does what was decided, and tells again. Any of them
-- may come twice, late, or from two processes at once, and whoever dies in between is followed by the next who looks.
--
-- Locks: payments come last, after their booking. Who only says that somebody is to look (`check_at`) locks payments alone,
-- and waits for nothing after; who writes what happened to them has the lock of the booking.

-- Writes what the provider says of a payment, and decides in the same transaction what becomes of the booking and of the
-- money. p_request: booking_id, number, version (of the payment, when the provider was asked: what was said before another
-- wrote is STALE, and to be asked again); seen {state, reference, amount, currency, captured, refunded, failure_code,
-- decline_code, failure_id, method, customer, is_disputed}, of which a payment that the provider knows nothing of has state alone (NEW,
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
    ELSIF (v_booking.status = 'EXPIRED' AND v_is_money AND NOT v_is_late)
       OR NOT ledger_claimed(p_organization_id, v_booking_id) <@ v_locked THEN
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
    v_late jsonb := coalesce(nullif(p_request->'late', 'null'), '{}');
    v_locked uuid[];
BEGIN
    IF NOT coalesce(p_is_late, false) THEN
        v_locked := ledger_claimed(p_organization_id, v_booking_id);
        PERFORM ledger_lock_resources(p_organization_id, v_locked);
        RETURN v_locked;
    END IF;
    SELECT array_agg(DISTINCT (c->>'resource_id')::uuid) INTO v_locked
      FROM payment p
      CROSS JOIN LATERAL jsonb_array_elements(p.claims) AS c
     WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id
       AND p.number = (p_request->>'number')::smallint;
    RETURN ledger_lock_for_admission(p_organization_id, v_locked, (
        SELECT jsonb_build_array(v_late || jsonb_build_object('promo_code_id', b.promo_code_id)) FROM booking b
         WHERE b.organization_id = p_organization_id AND b.id = v_booking_id
    ));
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
