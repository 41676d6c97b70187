-- What happens to all bookings of a series at once: one transaction, one lock, one idempotency key.

-- Changes each booking as `ledger_change_booking` would, under locks that are taken once. What one booking refuses keeps
-- nothing from another: each has a life of its own, and one may long have ended. Outcomes: DONE and REPLAYED with the
-- result, IDEMPOTENCY_CONFLICT, RELOCK, and REFUSED if nothing was changed: that leaves no trace of the key. DONE and
-- REFUSED have `answers`, one per booking in the order of `booking_ids`, as of `ledger_change_booking`, and each with the
-- booking as it is now.
--
-- p_request: booking_ids (of one organization, at most 100), action (CONFIRM, RELEASE), actor, key, request_hash, collects
-- as of `ledger_change_booking`.
CREATE OR REPLACE FUNCTION ledger_change_series(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_ids uuid[] := ARRAY(SELECT jsonb_array_elements_text(p_request->'booking_ids')::uuid);
    v_resource_ids uuid[];
    v_booking booking;
    v_refusal jsonb;
    v_answer jsonb;
    v_answers jsonb := '[]';
    v_remembered jsonb := '[]';
    v_is_changed boolean := false;
BEGIN
    SELECT coalesce(array_agg(DISTINCT c.resource_id), '{}') INTO v_resource_ids FROM claim c
     WHERE c.organization_id = p_organization_id AND c.booking_id = ANY (v_booking_ids);
    PERFORM ledger_lock_resources(p_organization_id, v_resource_ids);
    PERFORM ledger_lock_bookings(p_organization_id, v_booking_ids);
    v_answer := ledger_replay(p_organization_id, p_request);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    IF EXISTS (
        SELECT FROM claim c
         WHERE c.organization_id = p_organization_id AND c.booking_id = ANY (v_booking_ids)
           AND c.resource_id <> ALL (v_resource_ids)
    ) THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;

    FOR n IN 1 .. cardinality(v_booking_ids) LOOP
        SELECT * INTO STRICT v_booking FROM booking b
         WHERE b.organization_id = p_organization_id AND b.id = v_booking_ids[n];
        v_refusal := ledger_carry_out(p_organization_id, v_booking, p_request);
        v_is_changed := v_is_changed OR v_refusal IS NULL;
        v_answer := CASE WHEN v_refusal IS NULL THEN jsonb_build_object('outcome', 'DONE')
                         ELSE jsonb_build_object('outcome', 'REFUSED', 'refusal', v_refusal) END;
        v_remembered := v_remembered || (v_answer || jsonb_build_object('booking_id', v_booking_ids[n]));
        v_answers := v_answers || (ledger_booking(p_organization_id, v_booking_ids[n]) || v_answer);
    END LOOP;
    IF NOT v_is_changed THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'answers', v_answers);
    END IF;
    PERFORM ledger_remember(p_organization_id, p_request, jsonb_build_object('answers', v_remembered));
    RETURN jsonb_build_object('outcome', 'DONE', 'answers', v_answers);
END $$;
