-- What happens to a booking after it was held. One call, one transaction, under the same locks as the admission.

-- Carries out an action on a booking, if its status allows it; the refusal, or NULL: it is done. The caller has locked the
-- booking and its resources, and has read it since.
CREATE OR REPLACE FUNCTION ledger_carry_out(p_organization_id uuid, p_booking booking, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_action text := p_request->>'action';
    v_now timestamptz := clock_timestamp();
    v_refusal text;
    v_expires_at timestamptz;
BEGIN
    IF v_action IN ('EXTEND', 'CONFIRM', 'RELEASE') AND p_booking.status <> 'ON_HOLD' THEN
        v_refusal := CASE p_booking.status WHEN 'EXPIRED' THEN 'HOLD_EXPIRED' ELSE 'INVALID_STATE' END;
    ELSIF v_action IN ('APPROVE', 'REJECT') AND p_booking.status <> 'PENDING' THEN
        v_refusal := 'INVALID_STATE';
    ELSIF v_action = 'CONFIRM' AND (p_request->>'collects')::boolean
       AND ledger_outstanding(p_organization_id, p_booking) > 0 THEN
        v_refusal := 'PAYMENT_REQUIRED';
    ELSIF v_action = 'CANCEL' AND p_booking.status NOT IN ('ON_HOLD', 'PENDING', 'CONFIRMED') THEN
        v_refusal := 'NOT_CANCELLABLE';
    ELSIF v_action = 'CANCEL' AND (p_request->>'until_start')::boolean AND EXISTS (
        SELECT FROM booking_item i
         WHERE i.organization_id = p_organization_id AND i.booking_id = p_booking.id AND i.starts_at <= v_now
    ) THEN
        v_refusal := 'NOT_CANCELLABLE';
    ELSIF v_action = 'EXTEND' THEN
        SELECT least(v_now + make_interval(secs => min(r.hold_seconds)), p_booking.hold_ceiling_at) INTO v_expires_at
          FROM booking_item i
          JOIN resource r ON r.organization_id = i.organization_id AND r.id = i.resource_id
         WHERE i.organization_id = p_organization_id AND i.booking_id = p_booking.id;
        IF v_expires_at <= greatest(p_booking.hold_expires_at, v_now) THEN
            v_refusal := 'HOLD_LIMIT';
        END IF;
    END IF;
    IF v_refusal IS NOT NULL THEN
        RETURN jsonb_build_object('code', v_refusal, 'status', p_booking.status);
    END IF;

    -- What is over but nobody needed is still ON_HOLD or PENDING here, and may be extended, confirmed or approved.
    CASE v_action
        WHEN 'EXTEND' THEN
            UPDATE booking
               SET hold_expires_at = v_expires_at,
                   last_event = 'EXTENDED', last_actor = p_request->>'actor', last_reason = NULL
             WHERE organization_id = p_organization_id AND id = p_booking.id AND status = 'ON_HOLD';
        WHEN 'CONFIRM' THEN
            UPDATE booking
               SET status = CASE WHEN approval_seconds IS NULL THEN 'CONFIRMED' ELSE 'PENDING' END,
                   hold_expires_at = v_now + make_interval(secs => approval_seconds),
                   last_event = CASE WHEN approval_seconds IS NULL THEN 'CONFIRMED' ELSE 'SUBMITTED' END,
                   last_actor = p_request->>'actor', last_reason = NULL
             WHERE organization_id = p_organization_id AND id = p_booking.id AND status = 'ON_HOLD';
        WHEN 'APPROVE' THEN
            UPDATE booking
               SET status = 'CONFIRMED', hold_expires_at = NULL,
                   last_event = 'APPROVED', last_actor = p_request->>'actor', last_reason = p_request->>'reason'
             WHERE organization_id = p_organization_id AND id = p_booking.id AND status = 'PENDING';
        WHEN 'REJECT' THEN
            PERFORM ledger_end_booking(
                p_organization_id, p_booking.id, 'REJECTED', 'REJECTED', p_request->>'actor', p_request->>'reason');
        WHEN 'RELEASE' THEN
            PERFORM ledger_end_booking(
                p_organization_id, p_booking.id, 'CANCELLED', 'RELEASED', p_request->>'actor', p_request->>'reason');
        WHEN 'CANCEL' THEN
            PERFORM ledger_end_booking(
                p_organization_id, p_booking.id, 'CANCELLED', 'CANCELLED', p_request->>'actor', p_request->>'reason');
    END CASE;
    RETURN NULL;
END $$;

-- The resources that a booking claims something of. Read before they are locked it is advice.
CREATE OR REPLACE FUNCTION ledger_claimed(p_organization_id uuid, p_booking_id uuid)
RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT c.resource_id FROM claim c
         WHERE c.organization_id = p_organization_id AND c.booking_id = p_booking_id
    );
END $$;

-- Locks the booking that a request is about, after the resources in `p_locked_ids`; `o_answer` is why nothing is to be done
-- to it, as of `ledger_change_booking`: NOT_FOUND, what was done under the key, RELOCK, VERSION_CONFLICT; or NULL.
CREATE OR REPLACE FUNCTION ledger_take_booking(
    p_organization_id uuid, p_request jsonb, p_locked_ids uuid[], OUT o_booking booking, OUT o_answer jsonb
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT * INTO o_booking FROM booking b
     WHERE b.organization_id = p_organization_id AND b.id = (p_request->>'booking_id')::uuid
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        o_answer := jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object('code', 'NOT_FOUND'));
        RETURN;
    END IF;
    o_answer := ledger_replay(p_organization_id, p_request);
    IF o_answer IS NOT NULL THEN
        RETURN;
    END IF;
    IF NOT ledger_claimed(p_organization_id, o_booking.id) <@ p_locked_ids THEN
        o_answer := jsonb_build_object('outcome', 'RELOCK');
    ELSIF (p_request->>'expected_version')::bigint <> o_booking.version THEN
        o_answer := jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object(
            'code', 'VERSION_CONFLICT', 'current', o_booking.version, 'status', o_booking.status));
    END IF;
END $$;

-- p_request: booking_id, action (EXTEND, CONFIRM, RELEASE, CANCEL, APPROVE, REJECT), actor, key, request_hash, reason,
-- expected_version, until_start (true: CANCEL only before the first item begins), collects (true: CONFIRM only if nothing
-- is due now that is not paid). Outcomes: as of ledger_hold; REFUSED with HOLD_EXPIRED, HOLD_LIMIT, NOT_CANCELLABLE,
-- PAYMENT_REQUIRED, INVALID_STATE, VERSION_CONFLICT.
CREATE OR REPLACE FUNCTION ledger_change_booking(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_resource_ids uuid[];
    v_taken record;
    v_answer jsonb;
BEGIN
    v_resource_ids := ledger_claimed(p_organization_id, v_booking_id);
    PERFORM ledger_lock_resources(p_organization_id, v_resource_ids);
    SELECT * INTO v_taken FROM ledger_take_booking(p_organization_id, p_request, v_resource_ids);
    IF v_taken.o_answer IS NOT NULL THEN
        RETURN v_taken.o_answer;
    END IF;

    v_answer := ledger_carry_out(p_organization_id, v_taken.o_booking, p_request);
    IF v_answer IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', v_answer);
    END IF;
    PERFORM ledger_remember(p_organization_id, p_request, jsonb_build_object('booking_id', v_booking_id));
    RETURN ledger_booking(p_organization_id, v_booking_id) || jsonb_build_object('outcome', 'DONE');
END $$;

-- Changes capacity, or closes or opens, over [starts_at, ends_at); no end: from then on; no start: from now.
-- p_request: resource_id, starts_at, ends_at, capacity or closed, actor, key, request_hash, reason, expected_version.
-- Outcomes: as of ledger_hold; REFUSED with CAPACITY_IN_USE (references of at most 20 bookings in the way),
-- VERSION_CONFLICT, NOT_FOUND.
CREATE OR REPLACE FUNCTION ledger_adjust(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_resource_id uuid := (p_request->>'resource_id')::uuid;
    v_from timestamptz := coalesce((p_request->>'starts_at')::timestamptz, clock_timestamp());
    v_to timestamptz := (p_request->>'ends_at')::timestamptz;
    v_locked uuid[] := ledger_with_over_holds(
        p_organization_id, ARRAY[v_resource_id], v_from, coalesce(v_to, 'infinity'));
    v_capacity integer := (p_request->>'capacity')::integer;
    v_answer jsonb;
    v_version bigint;
BEGIN
    PERFORM ledger_lock_resources(p_organization_id, v_locked);
    SELECT r.version INTO v_version FROM resource r
     WHERE r.organization_id = p_organization_id AND r.id = v_resource_id;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object('code', 'NOT_FOUND'));
    END IF;
    v_answer := ledger_replay(p_organization_id, p_request);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    IF (p_request->>'expected_version')::bigint <> v_version THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object(
            'code', 'VERSION_CONFLICT', 'resource_id', v_resource_id, 'current', v_version));
    END IF;

    IF NOT ledger_expire_over(
        p_organization_id, ARRAY[v_resource_id], v_locked, v_from, coalesce(v_to, 'infinity')
    ) THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;
    -- A step may be longer than the claims in it: where one ends as another begins, nothing need change.
    SELECT jsonb_agg(in_the_way.reference) INTO v_answer FROM (
        SELECT DISTINCT b.reference
          FROM (
              SELECT greatest(l.at, v_from) AS starts_at, l.taken,
                     lead(l.at, 1, coalesce(v_to, 'infinity')) OVER (ORDER BY l.at) AS ends_at
                FROM timeline l
               WHERE l.organization_id = p_organization_id AND l.resource_id = v_resource_id
                 AND l.at < coalesce(v_to, 'infinity')
                 AND l.at >= (
                     SELECT max(f.at) FROM timeline f
                      WHERE f.organization_id = p_organization_id AND f.resource_id = v_resource_id AND f.at <= v_from
                 )
          ) step
          JOIN claim c ON c.organization_id = p_organization_id AND c.resource_id = v_resource_id
                      AND c.starts_at < step.ends_at AND c.ends_at > step.starts_at
          JOIN booking b ON b.organization_id = c.organization_id AND b.id = c.booking_id
         WHERE step.taken > v_capacity
         ORDER BY b.reference
         LIMIT 20
    ) in_the_way;
    IF v_answer IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object(
            'code', 'CAPACITY_IN_USE', 'resource_id', v_resource_id, 'references', v_answer));
    END IF;

    INSERT INTO adjustment (organization_id, resource_id, version, starts_at, ends_at, capacity, closed, actor, reason)
    VALUES (p_organization_id, v_resource_id, 0, v_from, v_to, v_capacity, (p_request->>'closed')::boolean,
            p_request->>'actor', p_request->>'reason')
    RETURNING version INTO v_version;
    v_answer := jsonb_build_object('resource_id', v_resource_id, 'version', v_version);
    PERFORM ledger_remember(p_organization_id, p_request, v_answer);
    RETURN jsonb_build_object('outcome', 'DONE', 'result', v_answer);
END $$;
