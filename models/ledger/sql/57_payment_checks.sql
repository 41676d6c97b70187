-- When somebody looks at a payment next, a time in its row, and who takes it then.

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

-- Says when somebody looks at the payment next, or at all that are captured (`p_number` NULL). Of what is captured: while
-- it is not settled or something is to go back; once a day while it is disputed, and for 30 days after a refund, since
-- banks send refunds back; and when the next part of the price falls due.
CREATE OR REPLACE FUNCTION ledger_look_later(p_organization_id uuid, p_booking_id uuid, p_number smallint DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_booking booking;
    v_next_due_at timestamptz;
BEGIN
    SELECT * INTO v_booking FROM booking b WHERE b.organization_id = p_organization_id AND b.id = p_booking_id;
    IF v_booking.status IN ('CONFIRMED', 'REDEEMED', 'COMPLETED') THEN
        v_next_due_at := (ledger_due_later(p_organization_id, v_booking.quote_id)).next_at;
    END IF;
    UPDATE payment p
       SET check_at = CASE
           WHEN p.state = 'VOID' THEN NULL
           WHEN p.state = 'CAPTURED' THEN least(
               CASE WHEN p.decision = 'CAPTURE' AND p.settled_version IS DISTINCT FROM v_booking.version
                    THEN ledger_next_check(NULL, v_now, p.checks) END,
               CASE WHEN p.charged_back > 0 THEN v_now + interval '1 day' END,
               CASE WHEN p.decision = 'CAPTURE' THEN v_next_due_at END,
               (SELECT CASE WHEN bool_or(r.state = 'REQUESTED') OR sum(r.amount) > p.refunded
                            THEN ledger_next_check(NULL, v_now, p.checks)
                            WHEN count(*) > 0 THEN v_now + interval '1 day' END
                  FROM payment_refund r
                 WHERE r.organization_id = p_organization_id AND r.booking_id = p.booking_id AND r.payment_number = p.number
                   AND (r.state = 'REQUESTED' OR (r.state = 'SUCCEEDED' AND r.updated_at > v_now - interval '30 days')))
           )
           WHEN p.decision IS NOT NULL THEN ledger_next_check(NULL, v_now, p.checks)
           WHEN v_booking.status = 'PENDING' THEN v_now + interval '1 hour'
           WHEN p.purpose = 'BALANCE' AND p.failures > 0 THEN greatest(p.charge_at, v_now + interval '5 seconds')
           ELSE ledger_next_check(v_booking.hold_expires_at, v_now, p.checks)
       END
     WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id
       AND (p.number = p_number OR (p_number IS NULL AND p.state = 'CAPTURED'));
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
