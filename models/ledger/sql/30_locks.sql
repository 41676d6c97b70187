-- Every lock of the ledger, and their order: resources by id, then customers by the number that stands for them, then
-- promo codes by id, then bookings by id, then payments (58_payments.sql). Nothing else in the project locks them. Nobody
-- can wait in a circle: who waits for a resource holds only resources with a smaller id, who waits for a customer has all of
-- its resources and only customers with a smaller number, and whoever has resources that it could not wait for in order
-- took them without waiting. Who waits for a booking has its resources: nobody else changes it meanwhile, unless it has
-- ended, and then nothing is waited for any more. Who only writes of its money waits for a booking without them, and then
-- for nothing but its payments.

-- Waits for each row in turn, in id order, so that two writers never wait for one another in a circle. Rows of a
-- weaker lock than FOR UPDATE: foreign keys may still be checked against them. Returns how many there are.
CREATE OR REPLACE FUNCTION ledger_lock_resources(p_organization_id uuid, p_resource_ids uuid[])
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_locked integer;
BEGIN
    SELECT count(*) INTO v_locked FROM (
        SELECT r.id FROM resource r
         WHERE r.organization_id = p_organization_id AND r.id = ANY (p_resource_ids)
         ORDER BY r.id
           FOR NO KEY UPDATE
    ) locked;
    RETURN v_locked;
END $$;

-- The same without waiting: the ids that could be locked at once. Out of order it is safe, since it never waits.
CREATE OR REPLACE FUNCTION ledger_try_lock_resources(p_organization_id uuid, p_resource_ids uuid[])
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_locked uuid[];
BEGIN
    SELECT coalesce(array_agg(locked.id), '{}') INTO v_locked FROM (
        SELECT r.id FROM resource r
         WHERE r.organization_id = p_organization_id AND r.id = ANY (p_resource_ids)
         ORDER BY r.id
           FOR NO KEY UPDATE SKIP LOCKED
    ) locked;
    RETURN v_locked;
END $$;

-- Waits for each of these bookings in turn, in id order; the caller has locked all that they claim. Of one booking,
-- `ledger_change_booking` does the same.
CREATE OR REPLACE FUNCTION ledger_lock_bookings(p_organization_id uuid, p_booking_ids uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM booking b
      WHERE b.organization_id = p_organization_id AND b.id = ANY (p_booking_ids)
      ORDER BY b.id
        FOR NO KEY UPDATE;
END $$;

-- Resources of any organization, at most `p_limit`, that have something to fold up to `p_until` and that nobody has locked.
-- It never waits either, so that no admission is in its way for longer than the folding of these takes.
CREATE OR REPLACE FUNCTION ledger_try_lock_foldable(p_until timestamptz, p_limit integer)
RETURNS TABLE (organization_id uuid, resource_id uuid) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT r.organization_id, r.id FROM resource r
     WHERE r.foldable_from <= p_until
     ORDER BY r.foldable_from
     LIMIT p_limit
       FOR NO KEY UPDATE SKIP LOCKED;
END $$;

-- The holds that are over, by the clock of this moment and not of the transaction's beginning, and that claim something
-- of `p_resource_ids` in [p_from, p_to). Mostly there is none, which the first entry of a small index tells.
CREATE OR REPLACE FUNCTION ledger_over_holds(
    p_organization_id uuid, p_resource_ids uuid[], p_from timestamptz, p_to timestamptz
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();  -- a variable, since an index is not searched for a volatile function
    v_first timestamptz;
    v_over uuid[];
BEGIN
    SELECT b.hold_expires_at INTO v_first FROM booking b
     WHERE b.organization_id = p_organization_id AND b.status IN ('ON_HOLD', 'PENDING')
     ORDER BY b.hold_expires_at
     LIMIT 1;
    IF v_first IS NULL OR v_first > v_now THEN
        RETURN '{}';
    END IF;
    SELECT array_agg(b.id) INTO v_over FROM booking b
     WHERE b.organization_id = p_organization_id AND b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at <= v_now;
    SELECT coalesce(array_agg(DISTINCT c.booking_id), '{}') INTO v_over FROM claim c
     WHERE c.organization_id = p_organization_id AND c.booking_id = ANY (v_over)
       AND c.resource_id = ANY (p_resource_ids) AND c.starts_at < p_to AND c.ends_at > p_from;
    RETURN v_over;
END $$;

-- `p_resource_ids`, and what must be locked beside them to expire what is over on them: a hold is of several resources,
-- and ends on all of them or on none. Read before the lock, so it is advice; `ledger_expire_over` decides.
CREATE OR REPLACE FUNCTION ledger_with_over_holds(
    p_organization_id uuid, p_resource_ids uuid[], p_from timestamptz, p_to timestamptz
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_over uuid[] := ledger_over_holds(p_organization_id, p_resource_ids, p_from, p_to);
BEGIN
    IF v_over = '{}' THEN
        RETURN p_resource_ids;
    END IF;
    RETURN (
        SELECT array_agg(DISTINCT wanted.id) FROM (
            SELECT unnest(p_resource_ids) AS id
            UNION
            SELECT c.resource_id FROM claim c WHERE c.organization_id = p_organization_id AND c.booking_id = ANY (v_over)
        ) wanted
    );
END $$;

-- Ends the holds of `ledger_over_holds`. The caller has locked `p_locked_ids`, `p_resource_ids` among them. Returns false
-- if that needs more locks than can be had without waiting.
CREATE OR REPLACE FUNCTION ledger_expire_over(
    p_organization_id uuid, p_resource_ids uuid[], p_locked_ids uuid[], p_from timestamptz, p_to timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN ledger_expire(
        p_organization_id, ledger_over_holds(p_organization_id, p_resource_ids, p_from, p_to), p_locked_ids);
END $$;

-- Waits for its turn among the admissions whose conditions count what these customers have. A number stands for each
-- customer: two that share one wait for each other, which costs time and nothing else. The lock ends with the
-- transaction. What gives something back needs none: a count that has meanwhile become smaller refuses nobody wrongly
-- but for one call.
CREATE OR REPLACE FUNCTION ledger_lock_customers(p_organization_id uuid, p_customer_ids text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_number bigint;
BEGIN
    FOR v_number IN
        SELECT DISTINCT hashtextextended(p_organization_id || customer_id, 0) FROM unnest(p_customer_ids) AS customer_id
         ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(v_number);
    END LOOP;
END $$;

-- The holds of these customers that are over, whatever they are of.
CREATE OR REPLACE FUNCTION ledger_over_holds_of_customers(p_organization_id uuid, p_customer_ids text[])
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN (
        SELECT coalesce(array_agg(b.id ORDER BY b.id), '{}') FROM booking b
         WHERE b.organization_id = p_organization_id AND b.customer_id = ANY (p_customer_ids)
           AND b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at <= v_now
    );
END $$;

-- Ends these holds, which are over. What they claim beside `p_locked_ids`, which the caller has locked, is locked here if
-- that needs no waiting. Returns false if it would: then the caller gives up its locks and starts anew.
CREATE OR REPLACE FUNCTION ledger_expire(p_organization_id uuid, p_booking_ids uuid[], p_locked_ids uuid[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_booking_id uuid;
    v_missing uuid[];
BEGIN
    FOREACH v_booking_id IN ARRAY p_booking_ids LOOP
        SELECT array_agg(DISTINCT c.resource_id) INTO v_missing FROM claim c
         WHERE c.organization_id = p_organization_id AND c.booking_id = v_booking_id
           AND c.resource_id <> ALL (p_locked_ids);
        IF v_missing IS NOT NULL
           AND cardinality(ledger_try_lock_resources(p_organization_id, v_missing)) < cardinality(v_missing) THEN
            RETURN false;
        END IF;
        PERFORM ledger_end_booking(p_organization_id, v_booking_id, 'EXPIRED', 'EXPIRED', 'system', NULL);
    END LOOP;
    RETURN true;
END $$;

-- Takes a live booking to a status without claims, and gives back what it took; to EXPIRED only a hold that is over.
-- The caller has locked its resources.
CREATE OR REPLACE FUNCTION ledger_end_booking(
    p_organization_id uuid, p_booking_id uuid, p_status text, p_event text, p_actor text, p_reason text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE booking
       SET status = p_status, hold_expires_at = NULL,
           last_event = p_event, last_actor = p_actor, last_reason = p_reason
     WHERE organization_id = p_organization_id AND id = p_booking_id
       AND CASE p_status WHEN 'EXPIRED' THEN status IN ('ON_HOLD', 'PENDING') AND hold_expires_at <= clock_timestamp()
                         ELSE status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'REDEEMED') END;
    IF FOUND THEN
        DELETE FROM claim WHERE organization_id = p_organization_id AND booking_id = p_booking_id;
    END IF;
END $$;

-- The promo codes that these requests use, after their resources and customers: who waits for a code has all of those.
-- Uses are only added under this lock, so what is counted under it is not exceeded.
CREATE OR REPLACE FUNCTION ledger_lock_promo_codes(p_organization_id uuid, p_requests jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM c.id FROM promo_code c
      WHERE c.organization_id = p_organization_id AND c.id IN (
          SELECT q.promo_code_id FROM jsonb_to_recordset(p_requests) AS q (promo_code_id uuid)
      )
      ORDER BY c.id
        FOR NO KEY UPDATE;
END $$;

-- All locks of an admission of these requests, in their order: `p_resource_ids` with what must be locked beside them to end
-- what is over there, or of the customers that conditions count; those customers; the promo codes that are used. Returns the
-- ids of the resources. Which holds are over is read before the lock, so it is advice: who decides asks for a RELOCK when
-- it was not enough.
CREATE OR REPLACE FUNCTION ledger_lock_for_admission(p_organization_id uuid, p_resource_ids uuid[], p_requests jsonb)
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_locked uuid[] := ledger_with_over_holds(p_organization_id, p_resource_ids, '-infinity', 'infinity');
    v_customers text[] := CASE WHEN jsonb_path_exists(p_requests, '$[*].conditions')
                               THEN ledger_counted_customers(p_requests) END;
BEGIN
    IF v_customers IS NOT NULL THEN
        SELECT v_locked || array_agg(c.resource_id) INTO v_locked FROM claim c
         WHERE c.organization_id = p_organization_id
           AND c.booking_id = ANY (ledger_over_holds_of_customers(p_organization_id, v_customers));
    END IF;
    PERFORM ledger_lock_resources(p_organization_id, v_locked);
    IF v_customers IS NOT NULL THEN
        PERFORM ledger_lock_customers(p_organization_id, v_customers);
    END IF;
    IF jsonb_path_exists(p_requests, '$[*].promo_code_id') THEN
        PERFORM ledger_lock_promo_codes(p_organization_id, p_requests);
    END IF;
    RETURN v_locked;
END $$;
