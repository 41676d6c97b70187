-- Beginning to pay: what is to be collected, and time to do it. The provider is asked after this, by who checks out.

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
    v_locked uuid[] := ledger_claimed(p_organization_id, v_booking_id);
    v_taken record;
    v_booking booking;
    v_refusal text;
    v_number smallint;
BEGIN
    PERFORM ledger_lock_resources(p_organization_id, v_locked);
    SELECT * INTO v_taken FROM ledger_take_booking(p_organization_id, p_request, v_locked);
    IF v_taken.o_answer IS NOT NULL THEN
        RETURN v_taken.o_answer;
    END IF;
    v_booking := v_taken.o_booking;

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
