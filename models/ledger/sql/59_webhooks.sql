-- The inbox of the payment provider's webhooks. An event is believed no further than that somebody is to look.

-- Takes an event about a booking: remembers it, and has the booking's payments looked at now. NEW; REPEATED, which does
-- nothing; or FOREIGN: there is no such booking, and nothing to do either. It locks payments alone (58_payments.sql), so it
-- waits for nobody who waits for a booking.
CREATE OR REPLACE FUNCTION ledger_webhook(
    p_organization_id uuid, p_booking_id uuid, p_event_id text, p_type text, p_created_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
BEGIN
    IF NOT EXISTS (SELECT FROM booking b WHERE b.organization_id = p_organization_id AND b.id = p_booking_id) THEN
        RETURN 'FOREIGN';
    END IF;
    INSERT INTO webhook_event (organization_id, event_id, booking_id, type, created_at)
    VALUES (p_organization_id, p_event_id, p_booking_id, p_type, p_created_at)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'REPEATED';
    END IF;
    UPDATE payment p SET check_at = clock_timestamp(), checks = 0
     WHERE p.organization_id = p_organization_id AND p.booking_id = p_booking_id;
    RETURN 'NEW';
END $$;

-- Whose payment it is that the provider knows by this id: for events that carry nothing of ours, such as a dispute's. It
-- looks through all organizations, and tells ids only.
CREATE OR REPLACE FUNCTION worker_booking_of_payment(p_reference text)
RETURNS TABLE (organization_id uuid, booking_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.organization_id, p.booking_id FROM payment p WHERE p.reference = p_reference LIMIT 1;
$$;
