-- What tax providers are to be told of bookings (models/tax_entry.py): written by whatever confirms, cancels or reprices
-- one, in its transaction, and told by the worker after it.

CREATE OR REPLACE FUNCTION booking_tax_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.quote_id <> NEW.quote_id THEN
        UPDATE tax_entry t SET reverses = 'WHOLE', attempts = 0, next_at = clock_timestamp()
         WHERE t.organization_id = NEW.organization_id AND t.booking_id = NEW.id AND t.quote_id = OLD.quote_id
           AND t.reverses IS NULL;
    END IF;
    IF NEW.status = 'CANCELLED' THEN
        UPDATE tax_entry t
           SET reverses = 'BY_TERMS', cancelled_at = NEW.updated_at, attempts = 0, next_at = clock_timestamp()
         WHERE t.organization_id = NEW.organization_id AND t.booking_id = NEW.id AND t.quote_id = NEW.quote_id
           AND t.reverses IS NULL;
    ELSE
        -- One calculation is of all taxes of a quote that a provider has counted.
        INSERT INTO tax_entry (organization_id, booking_id, quote_id, calculation, next_at)
        SELECT NEW.organization_id, NEW.id, q.id, line->>'calculation', clock_timestamp()
          FROM quote q CROSS JOIN LATERAL jsonb_array_elements(q.taxes) line
         WHERE q.organization_id = NEW.organization_id AND q.id = NEW.quote_id AND line->>'calculation' IS NOT NULL
         LIMIT 1
        ON CONFLICT (organization_id, booking_id, quote_id) DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER booking_tax_entries AFTER INSERT OR UPDATE OF status, quote_id ON booking
    FOR EACH ROW WHEN (NEW.quote_id IS NOT NULL AND NEW.status IN ('CONFIRMED', 'CANCELLED'))
    EXECUTE FUNCTION booking_tax_entries();

-- Takes up to `p_limit` entries of which a provider is to be told now, for this caller alone until their next time: after
-- a minute at first, then later and later, up to an hour. Ids only; each effect then names one organization.
CREATE OR REPLACE FUNCTION worker_take_tax_entries(p_limit integer)
RETURNS TABLE (organization_id uuid, booking_id uuid, quote_id uuid, attempts integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE tax_entry t
       SET attempts = t.attempts + 1,
           next_at = clock_timestamp() + least(interval '1 hour', interval '1 minute' * (2 ^ least(t.attempts, 10)))
      FROM (
          SELECT e.organization_id, e.booking_id, e.quote_id FROM tax_entry e
           WHERE e.next_at <= (SELECT clock_timestamp())
           ORDER BY e.next_at
           LIMIT p_limit
             FOR UPDATE SKIP LOCKED
      ) due
     WHERE t.organization_id = due.organization_id AND t.booking_id = due.booking_id AND t.quote_id = due.quote_id
    RETURNING t.organization_id, t.booking_id, t.quote_id, t.attempts::integer;
$$;
