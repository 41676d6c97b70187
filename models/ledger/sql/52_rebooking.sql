-- Changing what a booking is of, and cancelling a part of it. One call, one transaction, under the same locks as an
-- admission: those of what it has and of what it is to have, in one order, before the booking itself.

-- Why this booking is not changed, or NULL. The caller has locked it. A hold that is over is first to be extended: who
-- changes it would else take places by a hold that nobody keeps. What is PENDING is what the venue was asked for, and an
-- offer of a waitlist is of just that.
CREATE OR REPLACE FUNCTION ledger_why_fixed(p_organization_id uuid, p_booking booking, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF p_booking.status = 'EXPIRED' OR (p_booking.status = 'ON_HOLD' AND p_booking.hold_expires_at <= v_now) THEN
        RETURN jsonb_build_object('code', 'HOLD_EXPIRED');
    ELSIF p_booking.status NOT IN ('ON_HOLD', 'CONFIRMED') THEN
        RETURN jsonb_build_object('code', 'INVALID_STATE', 'status', p_booking.status);
    ELSIF (p_request->>'until_start')::boolean AND EXISTS (
        SELECT FROM booking_item i
         WHERE i.organization_id = p_organization_id AND i.booking_id = p_booking.id AND i.starts_at <= v_now
    ) THEN
        RETURN jsonb_build_object('code', 'BEGUN');
    ELSIF EXISTS (
        SELECT FROM waitlist_entry e
         WHERE e.organization_id = p_organization_id AND e.booking_id = p_booking.id AND e.status = 'OFFERED'
    ) THEN
        RETURN jsonb_build_object('code', 'OFFERED');
    END IF;
    RETURN NULL;
END $$;

-- Writes that a booking is of something else now: its version, event and outbox row, and the key. `p_before` are its items
-- as they were.
CREATE OR REPLACE FUNCTION ledger_rebooked(
    p_organization_id uuid, p_booking booking, p_request jsonb, p_event text, p_before jsonb
) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE booking
       SET quote_id = (p_request->>'quote_id')::uuid,
           promo_code_id = (p_request->>'promo_code_id')::uuid,
           claim_count = (SELECT count(*) FROM claim c
                           WHERE c.organization_id = p_organization_id AND c.booking_id = p_booking.id),
           approval_seconds = CASE WHEN p_request ? 'approval_seconds' THEN (p_request->>'approval_seconds')::integer
                                   ELSE approval_seconds END,
           last_event = p_event, last_actor = p_request->>'actor', last_reason = NULL,
           last_details = jsonb_build_object(
               'items', jsonb_build_object('before', p_before, 'after', ledger_items(p_organization_id, p_booking.id)),
               'quotes', jsonb_build_object('before', p_booking.quote_id, 'after', p_request->'quote_id'))
     WHERE organization_id = p_organization_id AND id = p_booking.id;
    PERFORM ledger_remember(p_organization_id, p_request, jsonb_build_object('booking_id', p_booking.id));
    RETURN ledger_booking(p_organization_id, p_booking.id);
END $$;

-- What a booking is of, in order.
CREATE OR REPLACE FUNCTION ledger_items(p_organization_id uuid, p_booking_id uuid)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.position), '[]') FROM booking_item i
         WHERE i.organization_id = p_organization_id AND i.booking_id = p_booking_id
    );
END $$;

-- Makes a booking be of other items: all of them, or it stays as it was. What it claims itself counts as free, and nothing
-- that it is of counts in what the conditions measure.
-- p_request: as of ledger_hold, of the booking that there is; with expected_version, until_start (true: only before the
-- first item begins), and read_version: by which version of the booking it was decided.
-- Outcomes: as of ledger_hold, one answer; REFUSED also with HOLD_EXPIRED, INVALID_STATE, BEGUN, OFFERED, VERSION_CONFLICT
-- (of the booking), NOT_FOUND.
CREATE OR REPLACE FUNCTION ledger_rebook(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_requests CONSTANT jsonb := jsonb_build_array(p_request);
    v_locked uuid[];
    v_taken record;
    v_answer jsonb;
BEGIN
    v_locked := ledger_lock_for(
        p_organization_id, v_requests, ledger_claimed(p_organization_id, (p_request->>'booking_id')::uuid));
    SELECT * INTO v_taken FROM ledger_take_booking(p_organization_id, p_request, v_locked);
    IF v_taken.o_answer IS NOT NULL THEN
        RETURN v_taken.o_answer;
    END IF;
    v_answer := ledger_why_fixed(p_organization_id, v_taken.o_booking, p_request);
    IF v_answer IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', v_answer);
    END IF;
    IF (p_request->>'read_version')::bigint <> (v_taken.o_booking).version
       OR NOT ledger_is_current(p_organization_id, v_requests) THEN
        RETURN jsonb_build_object('outcome', 'STALE');
    END IF;
    RETURN ledger_swap(p_organization_id, v_taken.o_booking, p_request, v_locked);
END $$;

-- Decides over the change under the locks that `ledger_rebook` has taken, and carries it out. The booking gives back all
-- that it has before it is asked whether the rest fits; if that does not, this too is undone, and nobody has seen it.
CREATE OR REPLACE FUNCTION ledger_swap(p_organization_id uuid, p_booking booking, p_request jsonb, p_locked_ids uuid[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_requests CONSTANT jsonb := jsonb_build_array(p_request);
    v_before CONSTANT jsonb := ledger_items(p_organization_id, p_booking.id);
    v_members uuid[] := ledger_members(p_organization_id, ledger_booked(v_requests));
    v_customers text[] := ledger_counted_customers(v_requests);
    v_takes ledger_take[] := ledger_takes(p_organization_id, v_requests);
    v_wanted uuid[];
    v_from timestamptz;
    v_to timestamptz;
    v_chosen jsonb;
    v_unchosen jsonb;
    v_refusal jsonb;
BEGIN
    SELECT array_agg(DISTINCT t.resource_id) || v_members, least(min(t.starts_at), (p_request->>'looks_from')::timestamptz),
           greatest(max(t.ends_at), (p_request->>'looks_to')::timestamptz)
      INTO v_wanted, v_from, v_to
      FROM unnest(v_takes) t;
    IF NOT v_wanted <@ p_locked_ids OR NOT ledger_expire(
        p_organization_id,
        array_remove(ledger_over_holds(p_organization_id, v_wanted, v_from, v_to), p_booking.id)
            || array_remove(ledger_over_holds_of_customers(p_organization_id, v_customers), p_booking.id),
        p_locked_ids
    ) THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;
    BEGIN
        DELETE FROM claim WHERE organization_id = p_organization_id AND booking_id = p_booking.id;
        DELETE FROM booking_item WHERE organization_id = p_organization_id AND booking_id = p_booking.id;
        IF v_members IS NOT NULL THEN
            SELECT * INTO v_takes, v_chosen, v_unchosen FROM ledger_choose(p_organization_id, v_requests, v_takes);
        END IF;
        v_refusal := coalesce(ledger_refusal(p_organization_id, v_takes), v_unchosen);
        IF p_request ? 'conditions' THEN
            v_refusal := ledger_refusals(p_organization_id, v_requests, v_refusal);
        END IF;
        IF v_refusal IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'VS002', MESSAGE = 'the booking stays as it was';
        END IF;
        PERFORM ledger_keep_quotes(p_organization_id, v_requests);
        PERFORM ledger_put_items(p_organization_id, v_requests, v_takes, v_chosen);
        RETURN ledger_rebooked(p_organization_id, p_booking, p_request, 'CHANGED', v_before);
    EXCEPTION WHEN SQLSTATE 'VS002' THEN
        NULL;  -- what the block has written is undone; the variables keep what they say
    END;
    RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', v_refusal);
END $$;

-- What is taken by items as they are written down (rows as of `ledger_items`), the members that were chosen too.
CREATE OR REPLACE FUNCTION ledger_takes_of_items(p_organization_id uuid, p_booking_id uuid, p_items jsonb)
RETURNS TABLE (resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity bigint)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT taken.resource_id, taken.starts_at, taken.ends_at, sum(taken.quantity)::bigint
      FROM (
          SELECT t.resource_id, t.starts_at, t.ends_at, t.quantity
            FROM unnest(ledger_takes(p_organization_id, jsonb_build_array(
                     jsonb_build_object('booking_id', p_booking_id, 'items', p_items)))) t
          UNION ALL
          SELECT m.id::uuid, coalesce(i.claim_from, i.starts_at), coalesce(i.claim_to, i.ends_at), 1
            FROM jsonb_to_recordset(p_items) AS i (
                starts_at timestamptz, ends_at timestamptz, claim_from timestamptz, claim_to timestamptz, chosen jsonb)
            CROSS JOIN LATERAL jsonb_array_elements_text(CASE jsonb_typeof(i.chosen) WHEN 'array' THEN i.chosen END) AS m (id)
      ) taken
     GROUP BY taken.resource_id, taken.starts_at, taken.ends_at;
END $$;

-- Cancels so many units of one item, and gives back what they take; of what was chosen, the last. Rules are not asked, and
-- nothing else is looked at: what is left was admitted.
-- p_request: booking_id, position, quantity, guests (who is left; null: not told), actor, key, request_hash,
-- expected_version, read_version, until_start; quote_id and what goes with it. At least one unit of the booking is left.
-- Outcomes: as of ledger_rebook, but nothing of an admission.
CREATE OR REPLACE FUNCTION ledger_cancel_item(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_booking_id CONSTANT uuid := (p_request->>'booking_id')::uuid;
    v_position CONSTANT smallint := (p_request->>'position')::smallint;
    v_locked uuid[] := ledger_claimed(p_organization_id, v_booking_id);
    v_taken record;
    v_before jsonb;
    v_answer jsonb;
BEGIN
    PERFORM ledger_lock_resources(p_organization_id, v_locked);
    SELECT * INTO v_taken FROM ledger_take_booking(p_organization_id, p_request, v_locked);
    IF v_taken.o_answer IS NOT NULL THEN
        RETURN v_taken.o_answer;
    END IF;
    v_answer := ledger_why_fixed(p_organization_id, v_taken.o_booking, p_request);
    IF v_answer IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', v_answer);
    END IF;
    IF (p_request->>'read_version')::bigint <> (v_taken.o_booking).version THEN
        RETURN jsonb_build_object('outcome', 'STALE');
    END IF;

    v_before := ledger_items(p_organization_id, v_booking_id);
    DELETE FROM booking_item i
     WHERE i.organization_id = p_organization_id AND i.booking_id = v_booking_id AND i.position = v_position
       AND i.quantity = (p_request->>'quantity')::integer;
    UPDATE booking_item i
       SET quantity = i.quantity - (p_request->>'quantity')::integer,
           guests = nullif(p_request->'guests', 'null'),
           chosen = i.chosen[1:i.quantity - (p_request->>'quantity')::integer]
     WHERE i.organization_id = p_organization_id AND i.booking_id = v_booking_id AND i.position = v_position;
    PERFORM ledger_release_part(p_organization_id, v_booking_id, v_before);
    PERFORM ledger_keep_quotes(p_organization_id, jsonb_build_array(p_request));
    RETURN ledger_rebooked(p_organization_id, v_taken.o_booking, p_request, 'ITEM_CANCELLED', v_before);
END $$;

-- Gives back what the items of a booking take no more, now that they are fewer than `p_before`. What an item requires may
-- have been edited since it was admitted: so no more is given back than it would take now, and nothing that what is left
-- would take.
CREATE OR REPLACE FUNCTION ledger_release_part(p_organization_id uuid, p_booking_id uuid, p_before jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_items CONSTANT jsonb := ledger_items(p_organization_id, p_booking_id);
    v_claim record;
BEGIN
    FOR v_claim IN
        SELECT c.resource_id, c.starts_at, c.ends_at, c.sharing_key,
               greatest(c.quantity - taken.quantity + coalesce(left_.quantity, 0), coalesce(left_.quantity, 0)) AS keeps
          FROM claim c
          JOIN ledger_takes_of_items(p_organization_id, p_booking_id, p_before) taken
         USING (resource_id, starts_at, ends_at)
          LEFT JOIN ledger_takes_of_items(p_organization_id, p_booking_id, v_items) left_
         USING (resource_id, starts_at, ends_at)
         WHERE c.organization_id = p_organization_id AND c.booking_id = p_booking_id
           AND c.quantity > greatest(c.quantity - taken.quantity + coalesce(left_.quantity, 0), coalesce(left_.quantity, 0))
         ORDER BY c.resource_id, c.starts_at, c.ends_at
    LOOP
        DELETE FROM claim c
         WHERE c.organization_id = p_organization_id AND c.booking_id = p_booking_id
           AND (c.resource_id, c.starts_at, c.ends_at) = (v_claim.resource_id, v_claim.starts_at, v_claim.ends_at);
        IF v_claim.keeps > 0 THEN
            INSERT INTO claim (organization_id, booking_id, resource_id, starts_at, ends_at, quantity, sharing_key)
            VALUES (p_organization_id, p_booking_id, v_claim.resource_id, v_claim.starts_at, v_claim.ends_at,
                    v_claim.keeps, v_claim.sharing_key);
        END IF;
    END LOOP;
END $$;
