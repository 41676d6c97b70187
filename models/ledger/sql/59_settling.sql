-- Settling: what was taken is compared with what is owed for the booking as it is now, and what is too much goes back.
-- How much is owed when a booking was cancelled follows from its terms, and those who ask tell it (engine/owing.py);
-- it is counted for one version of the booking, and if that is not its version any more, it is counted again.

-- What of a payment is ours as far as is known: what was taken (or is held, to be taken), without what goes or went back,
-- whoever gave it back, and without what disputes hold or have taken.
CREATE OR REPLACE FUNCTION ledger_ours(p_payment payment) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_payment.state = 'HELD' THEN
        RETURN p_payment.amount;
    END IF;
    RETURN greatest(0, p_payment.captured - p_payment.charged_back - (
        SELECT greatest(p_payment.refunded, coalesce(sum(r.amount), 0)) FROM payment_refund r
         WHERE r.organization_id = p_payment.organization_id AND r.booking_id = p_payment.booking_id
           AND r.payment_number = p_payment.number AND r.state <> 'FAILED'
    ));
END $$;

-- Whether money of a payment may be given back by another refund: three that failed are enough, then staff is told
-- (`vacancy_payments_for_staff`), and gives it back by another way.
CREATE OR REPLACE FUNCTION ledger_may_go_back(p_payment payment) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN 3 > (
        SELECT count(*) FROM payment_refund r
         WHERE r.organization_id = p_payment.organization_id AND r.booking_id = p_payment.booking_id
           AND r.payment_number = p_payment.number AND r.state = 'FAILED'
    );
END $$;

-- What is ours of all payments that count for the booking.
CREATE OR REPLACE FUNCTION ledger_paid(p_organization_id uuid, p_booking_id uuid)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(sum(ledger_ours(p)), 0)::bigint FROM payment p
         WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id
           AND p.state IN ('HELD', 'CAPTURED') AND p.decision IS DISTINCT FROM 'VOID'
    );
END $$;

-- What of the later part of a price has fallen due by now; what is still to fall due has an instant after it.
CREATE OR REPLACE FUNCTION ledger_due_later(p_organization_id uuid, p_quote_id uuid, OUT fallen bigint, OUT next_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    SELECT coalesce(sum(d.amount) FILTER (WHERE d.at <= v_now), 0), min(d.at) FILTER (WHERE d.at > v_now)
      INTO fallen, next_at
      FROM quote q
      CROSS JOIN LATERAL jsonb_to_recordset(q.due_later) AS d (at timestamptz, amount bigint)
     WHERE q.organization_id = p_organization_id AND q.id = p_quote_id;
END $$;

-- What is to be paid of a booking now and is neither held nor taken; less than nothing if more was taken. NULL: nothing of
-- it had a price. What falls due later counts once the booking was confirmed.
CREATE OR REPLACE FUNCTION ledger_outstanding(p_organization_id uuid, p_booking booking)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT q.due_now - ledger_paid(p_organization_id, p_booking.id)
               + CASE WHEN p_booking.confirmed_at IS NULL THEN 0
                      ELSE (ledger_due_later(p_organization_id, p_booking.quote_id)).fallen END
          FROM quote q
         WHERE q.organization_id = p_organization_id AND q.id = p_booking.quote_id
    );
END $$;

-- Whether the venue itself takes the money of a booking that is confirmed: what was due when it was confirmed was not paid
-- online. What it was of then is told by the first change after that.
CREATE OR REPLACE FUNCTION ledger_is_collected_by_venue(p_organization_id uuid, p_booking booking)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_quote_id uuid := p_booking.quote_id;
    v_details jsonb;
BEGIN
    SELECT e.details INTO v_details FROM booking_event e
     WHERE e.organization_id = p_organization_id AND e.booking_id = p_booking.id
       AND e.kind IN ('CHANGED', 'ITEM_CANCELLED') AND e.created_at >= p_booking.confirmed_at
     ORDER BY e.version
     LIMIT 1;
    IF FOUND THEN
        v_quote_id := (v_details->'quotes'->>'before')::uuid;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM payment p
         WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking.id
           AND p.state IN ('HELD', 'CAPTURED') AND p.decision IS DISTINCT FROM 'VOID'
    ) AND EXISTS (
        SELECT FROM quote q WHERE q.organization_id = p_organization_id AND q.id = v_quote_id AND q.due_now > 0
    );
END $$;

-- Whether nobody is to pay this any more, of a booking that is confirmed: its first payment came to nothing and the venue
-- confirmed; the guest had their time for a later one; a kept card was tried four times.
CREATE OR REPLACE FUNCTION ledger_is_given_up(p_payment payment, p_seen payment)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE p_payment.purpose
        WHEN 'BOOKING' THEN true
        WHEN 'SURCHARGE' THEN p_payment.ceiling_at <= clock_timestamp()
        ELSE p_payment.failures + (p_seen.failure_id IS DISTINCT FROM p_payment.failure_id
                                   AND p_seen.failure_id IS NOT NULL)::integer > 3
    END;
END $$;

-- When a kept card that was declined so many times is tried again: after 1, 3 and 7 days.
CREATE OR REPLACE FUNCTION ledger_next_charge(p_failures integer, p_now timestamptz)
RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_now + (ARRAY[interval '1 day', interval '3 days', interval '7 days'])[p_failures];
END $$;

-- Notes that what was taken is settled where that needs no terms: the booking is confirmed, and no more was taken than is
-- owed for it in the end. So the usual booking is settled by the very call that sees its money taken.
CREATE OR REPLACE FUNCTION ledger_settle_evident(p_organization_id uuid, p_booking_id uuid)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment p SET settled_version = b.version
      FROM booking b
      JOIN quote q ON q.organization_id = b.organization_id AND q.id = b.quote_id
     WHERE b.organization_id = p_organization_id AND b.id = p_booking_id
       AND b.status IN ('CONFIRMED', 'REDEEMED', 'COMPLETED', 'NO_SHOW') AND b.confirmed_at IS NOT NULL
       AND p.organization_id = p_organization_id AND p.booking_id = p_booking_id
       AND p.state = 'CAPTURED' AND p.settled_version IS DISTINCT FROM b.version
       AND ledger_paid(p_organization_id, p_booking_id) <= q.due_now + (
           SELECT coalesce(sum((d->>'amount')::bigint), 0) FROM jsonb_array_elements(q.due_later) d
       );
END $$;

-- Why money of a booking goes back that was confirmed: what was done to it last.
CREATE OR REPLACE FUNCTION ledger_refund_reason(p_organization_id uuid, p_booking booking)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_booking.confirmed_at IS NULL THEN
        RETURN 'NOT_BOOKED';
    ELSIF p_booking.status = 'CANCELLED' THEN
        RETURN 'CANCELLED';
    END IF;
    RETURN coalesce((
        SELECT CASE e.kind WHEN 'CHANGED' THEN 'CHANGED' ELSE 'PART' END FROM booking_event e
         WHERE e.organization_id = p_organization_id AND e.booking_id = p_booking.id AND e.kind IN ('CHANGED', 'ITEM_CANCELLED')
         ORDER BY e.version DESC
         LIMIT 1
    ), 'NOT_BOOKED');
END $$;

-- Writes what is to go back: what is ours beyond `owed`, of the latest payment first. p_request: booking_id, version (of
-- the booking for which `owed` was counted, else STALE), owed. Returns the booking with its money. Of a hold, and of what
-- the venue is to approve, nothing goes back: nothing is decided yet.
CREATE OR REPLACE FUNCTION ledger_settle(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_booking booking;
    v_payment payment;
    v_excess bigint;
    v_amount bigint;
BEGIN
    SELECT * INTO v_booking FROM booking b
     WHERE b.organization_id = p_organization_id AND b.id = v_booking_id
       FOR NO KEY UPDATE;
    IF v_booking.version IS DISTINCT FROM (p_request->>'version')::bigint THEN
        RETURN jsonb_build_object('outcome', 'STALE');
    END IF;
    v_excess := ledger_paid(p_organization_id, v_booking_id) - (p_request->>'owed')::bigint;
    FOR v_payment IN
        SELECT * FROM payment p
         WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id
           AND p.state = 'CAPTURED' AND p.decision = 'CAPTURE' AND v_booking.status NOT IN ('ON_HOLD', 'PENDING')
         ORDER BY p.number DESC
           FOR NO KEY UPDATE
    LOOP
        v_amount := least(v_excess, ledger_ours(v_payment));
        IF v_amount > 0 AND ledger_may_go_back(v_payment) THEN
            PERFORM ledger_new_refund(
                p_organization_id, v_payment, v_amount, ledger_refund_reason(p_organization_id, v_booking), v_booking.version);
            v_excess := v_excess - v_amount;
        END IF;
    END LOOP;
    UPDATE payment p SET settled_version = v_booking.version
     WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id AND p.state = 'CAPTURED';
    PERFORM ledger_look_later(p_organization_id, v_booking_id);
    RETURN ledger_booking_money(p_organization_id, v_booking_id) || jsonb_build_object('outcome', 'DONE');
END $$;

-- Writes what the provider says of a refund. p_request: booking_id, number, reference, state (REQUESTED: it is not done
-- yet). What has come to an end stays so, but that a bank may send back what had gone through: then it is settled anew,
-- by another refund. Returns the booking with its money.
CREATE OR REPLACE FUNCTION ledger_refund_seen(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_refund payment_refund;
BEGIN
    PERFORM FROM booking b WHERE b.organization_id = p_organization_id AND b.id = v_booking_id FOR NO KEY UPDATE;
    UPDATE payment_refund r
       SET reference = coalesce(p_request->>'reference', r.reference), state = p_request->>'state',
           updated_at = CASE WHEN r.state = p_request->>'state' THEN r.updated_at ELSE clock_timestamp() END
     WHERE r.organization_id = p_organization_id AND r.booking_id = v_booking_id
       AND r.number = (p_request->>'number')::smallint
       AND (r.state = 'REQUESTED' OR (r.state = 'SUCCEEDED' AND p_request->>'state' = 'FAILED'))
    RETURNING * INTO v_refund;
    UPDATE payment p
       SET settled_version = CASE WHEN v_refund.state = 'FAILED' THEN NULL ELSE p.settled_version END
     WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id AND p.number = v_refund.payment_number;
    PERFORM ledger_look_later(p_organization_id, v_booking_id, v_refund.payment_number);
    RETURN ledger_booking_money(p_organization_id, v_booking_id);
END $$;

-- Writes what the provider says of a dispute. p_request: booking_id, number (of the payment), reference, amount, currency,
-- state. One that is over stays so. Returns the booking with its money.
CREATE OR REPLACE FUNCTION ledger_dispute_seen(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_number smallint := (p_request->>'number')::smallint;
    v_charged_back bigint;
BEGIN
    PERFORM FROM booking b WHERE b.organization_id = p_organization_id AND b.id = v_booking_id FOR NO KEY UPDATE;
    INSERT INTO payment_dispute (organization_id, booking_id, reference, payment_number, amount, currency)
    VALUES (p_organization_id, v_booking_id, p_request->>'reference', v_number, (p_request->>'amount')::bigint,
            p_request->>'currency')
    ON CONFLICT (organization_id, booking_id, reference) DO NOTHING;
    UPDATE payment_dispute d SET state = p_request->>'state', updated_at = clock_timestamp()
     WHERE d.organization_id = p_organization_id AND d.booking_id = v_booking_id AND d.reference = p_request->>'reference'
       AND d.state = 'OPEN' AND d.state <> p_request->>'state';
    SELECT coalesce(sum(d.amount), 0) INTO v_charged_back FROM payment_dispute d
     WHERE d.organization_id = p_organization_id AND d.booking_id = v_booking_id AND d.payment_number = v_number
       AND d.state <> 'WON';
    UPDATE payment p SET charged_back = v_charged_back, settled_version = NULL
     WHERE p.organization_id = p_organization_id AND p.booking_id = v_booking_id AND p.number = v_number
       AND p.charged_back <> v_charged_back;
    PERFORM ledger_look_later(p_organization_id, v_booking_id, v_number);
    RETURN ledger_booking_money(p_organization_id, v_booking_id);
END $$;

-- Begins to take what of the price has fallen due since, of the card that was kept with an earlier payment: nothing if
-- there is none, if it is paid, if somebody is at it, or if that was tried and given up for what fell due so far. No more
-- than has fallen due later and was not taken so. Returns the booking with its money.
CREATE OR REPLACE FUNCTION ledger_balance(p_organization_id uuid, p_booking_id uuid)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_now timestamptz := clock_timestamp();
    v_booking booking;
    v_fallen bigint;
    v_amount bigint;
BEGIN
    SELECT * INTO v_booking FROM booking b
     WHERE b.organization_id = p_organization_id AND b.id = p_booking_id
       FOR NO KEY UPDATE;
    v_fallen := (ledger_due_later(p_organization_id, v_booking.quote_id)).fallen;
    SELECT least(ledger_outstanding(p_organization_id, v_booking), v_fallen - coalesce(sum(ledger_ours(p)), 0)) INTO v_amount
      FROM payment p
     WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id AND p.purpose = 'BALANCE'
       AND p.state IN ('HELD', 'CAPTURED') AND p.decision IS DISTINCT FROM 'VOID';
    IF v_amount > 0 AND v_booking.status IN ('CONFIRMED', 'REDEEMED', 'COMPLETED') AND NOT EXISTS (
        SELECT FROM payment p
         WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id
           AND (p.state NOT IN ('CAPTURED', 'VOID')
                OR (p.purpose = 'BALANCE' AND p.failures > 3 AND p.created_at >= (
                       SELECT max(d.at) FROM quote q
                        CROSS JOIN LATERAL jsonb_to_recordset(q.due_later) AS d (at timestamptz)
                        WHERE q.organization_id = p_organization_id AND q.id = v_booking.quote_id AND d.at <= v_now)))
    ) THEN
        INSERT INTO payment (
            organization_id, booking_id, number, purpose, amount, currency, customer, method, claims, retry_seconds,
            ceiling_at, is_extended, check_at, charge_at
        )
        SELECT p_organization_id, p_booking_id, last.number + 1, 'BALANCE', v_amount, card.currency, card.customer,
               card.method, '[]', 0, v_now, true, v_now, v_now
          FROM (SELECT max(p.number) AS number FROM payment p
                 WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id) last
          CROSS JOIN LATERAL (
              SELECT * FROM payment p
               WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id
                 AND p.state = 'CAPTURED' AND p.decision = 'CAPTURE' AND p.charged_back = 0
                 AND p.customer IS NOT NULL AND p.method IS NOT NULL
               ORDER BY p.number DESC
               LIMIT 1
          ) card;
    END IF;
    RETURN ledger_booking_money(p_organization_id, p_booking_id);
END $$;
