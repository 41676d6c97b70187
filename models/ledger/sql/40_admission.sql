-- Admission: the only way to a new booking. One call, one transaction, READ COMMITTED.
-- Functions are plpgsql, not sql: their plans are kept from call to call.

DO $$ BEGIN
    CREATE TYPE ledger_take AS (
        resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity bigint, sharing_key text
    );
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- What a booking of these items takes: of each resource itself, and of all that it requires. Items of one resource,
-- interval and activity count as one booking of it. One take per resource and interval.
CREATE OR REPLACE FUNCTION ledger_takes(p_organization_id uuid, p_booking_id uuid, p_items jsonb)
RETURNS ledger_take[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH item AS (
            SELECT i.resource_id, i.starts_at, i.ends_at, i.activity, sum(i.quantity) AS quantity
              FROM jsonb_to_recordset(p_items) AS i (
                  resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity bigint, activity text
              )
             GROUP BY i.resource_id, i.starts_at, i.ends_at, i.activity
        ), taken AS (
            SELECT resource_id, starts_at, ends_at, activity, quantity FROM item
            UNION ALL
            SELECT q.required_id, i.starts_at, i.ends_at, i.activity, q.per_unit * i.quantity + q.per_booking
              FROM item i
              JOIN resource_requirement q ON q.organization_id = p_organization_id AND q.resource_id = i.resource_id
        ), keyed AS (
            SELECT t.resource_id, t.starts_at, t.ends_at, t.quantity,
                   CASE r.sharing WHEN 'SHARED' THEN NULL
                                  WHEN 'SAME_ACTIVITY' THEN coalesce(t.activity, '#' || p_booking_id)
                                  ELSE '#' || p_booking_id END AS sharing_key
              FROM taken t
              JOIN resource r ON r.organization_id = p_organization_id AND r.id = t.resource_id
        )
        SELECT coalesce(array_agg(
            (k.resource_id, k.starts_at, k.ends_at, k.quantity, k.sharing_key)::ledger_take
            ORDER BY k.resource_id, k.starts_at, k.ends_at
        ), '{}')
          FROM (
            SELECT resource_id, starts_at, ends_at, sharing_key, sum(quantity)::bigint AS quantity
              FROM keyed
             GROUP BY resource_id, starts_at, ends_at, sharing_key
        ) k
    );
END $$;

-- Why these takes do not fit, or NULL. They are looked at where something can change: at their starts, and at the
-- timeline's change points within them; at each, all takes there are summed. Of several reasons the hardest to mend is
-- told: CLOSED, then ACTIVITY_CONFLICT, then SOLD_OUT with the vacancies at the fullest instant of that resource.
CREATE OR REPLACE FUNCTION ledger_refusal(p_organization_id uuid, p_takes ledger_take[])
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH take AS (
            SELECT * FROM unnest(p_takes)
        ), point AS (
            SELECT t.resource_id, t.starts_at AS at FROM take t
            UNION
            SELECT t.resource_id, within.at
              FROM take t
              CROSS JOIN LATERAL (
                  SELECT l.at FROM timeline l
                   WHERE l.organization_id = p_organization_id AND l.resource_id = t.resource_id
                     AND l.at > t.starts_at AND l.at < t.ends_at
                  OFFSET 0  -- keeps the planner from reading the whole timeline of the resource
              ) within
        ), looked AS (
            SELECT p.resource_id, step.closed,
                   step.capacity - step.taken AS free,
                   demand.quantity,
                   demand.keys > 1 OR (step.taken > 0 AND step.sharing_key IS DISTINCT FROM demand.sharing_key) AS in_use,
                   step.capacity
              FROM point p
              CROSS JOIN LATERAL (
                  SELECT l.capacity, l.taken, l.closed, l.sharing_key
                    FROM timeline l
                   WHERE l.organization_id = p_organization_id AND l.resource_id = p.resource_id AND l.at <= p.at
                   ORDER BY l.at DESC
                   LIMIT 1
              ) step
              CROSS JOIN LATERAL (
                  SELECT sum(t.quantity) AS quantity, min(t.sharing_key) AS sharing_key,
                         count(DISTINCT coalesce(t.sharing_key, '')) AS keys
                    FROM take t
                   WHERE t.resource_id = p.resource_id AND t.starts_at <= p.at AND t.ends_at > p.at
              ) demand
        ), refused AS (
            SELECT k.resource_id,
                   CASE WHEN bool_or(k.closed) THEN 'CLOSED'
                        WHEN bool_or(k.in_use AND r.sharing = 'SAME_ACTIVITY') THEN 'ACTIVITY_CONFLICT'
                        ELSE 'SOLD_OUT' END AS code,
                   min(CASE WHEN k.in_use THEN 0 ELSE k.free END) AS vacancies
              FROM looked k
              JOIN resource r ON r.organization_id = p_organization_id AND r.id = k.resource_id
             GROUP BY k.resource_id
            HAVING bool_or(k.closed OR k.in_use OR k.quantity > k.free)
        )
        SELECT jsonb_build_object('code', code, 'resource_id', resource_id, 'vacancies', vacancies)
          FROM refused
         ORDER BY array_position(ARRAY['CLOSED', 'ACTIVITY_CONFLICT', 'SOLD_OUT'], code), resource_id
         LIMIT 1
    );
END $$;

-- The booking as the application wants it: its row, its items and the instant of the database.
CREATE OR REPLACE FUNCTION ledger_booking(p_organization_id uuid, p_booking_id uuid)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'booking', to_jsonb(b),
            'items', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.position), '[]') FROM booking_item i
                       WHERE i.organization_id = b.organization_id AND i.booking_id = b.id),
            'now', clock_timestamp()
        )
          FROM booking b
         WHERE b.organization_id = p_organization_id AND b.id = p_booking_id
    );
END $$;

-- What was done under this key, or NULL: the same answer for the same request, a conflict for another.
CREATE OR REPLACE FUNCTION ledger_replay(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT CASE WHEN k.request_hash = decode(p_request->>'request_hash', 'hex')
                    THEN jsonb_build_object('outcome', 'REPLAYED', 'result', k.result)
                    ELSE jsonb_build_object('outcome', 'IDEMPOTENCY_CONFLICT') END
          FROM idempotency k
         WHERE k.organization_id = p_organization_id AND k.actor = p_request->>'actor' AND k.key = p_request->>'key'
    );
END $$;

CREATE OR REPLACE FUNCTION ledger_remember(p_organization_id uuid, p_request jsonb, p_result jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO idempotency (organization_id, actor, key, request_hash, result, created_at)
    VALUES (p_organization_id, p_request->>'actor', p_request->>'key', decode(p_request->>'request_hash', 'hex'),
            p_result, clock_timestamp());
END $$;

-- Holds the request's items, all or nothing. Outcomes: DONE, REPLAYED, REFUSED (with the refusal),
-- IDEMPOTENCY_CONFLICT, RELOCK (call again: what has to be locked was not what had been read).
--
-- p_request: booking_id, reference, actor, key, request_hash, customer_id, contact_name, contact_email, contact_phone,
-- items [{resource_id, starts_at, ends_at, quantity, activity}], expected [{resource_id, version}].
CREATE OR REPLACE FUNCTION ledger_hold(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_booking_id uuid := (p_request->>'booking_id')::uuid;
    v_takes ledger_take[] := ledger_takes(p_organization_id, v_booking_id, p_request->'items');
    v_wanted uuid[];
    v_locked uuid[];
    v_from timestamptz;
    v_to timestamptz;
    v_answer jsonb;
    v_now timestamptz;
    v_hold_seconds integer;
    v_ceiling_seconds integer;
BEGIN
    SELECT array_agg(DISTINCT t.resource_id), min(t.starts_at), max(t.ends_at) INTO v_wanted, v_from, v_to
      FROM unnest(v_takes) t;
    IF v_wanted IS NULL OR EXISTS (
        SELECT FROM jsonb_array_elements(p_request->'items') i WHERE (i->>'resource_id')::uuid <> ALL (v_wanted)
    ) THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object('code', 'NOT_FOUND'));
    END IF;

    -- Without a lock it may be refused, never admitted; and only if nothing that is over could make room.
    v_answer := ledger_refusal(p_organization_id, v_takes);
    IF v_answer IS NOT NULL AND ledger_over_holds(p_organization_id, v_wanted, v_from, v_to) = '{}' THEN
        RETURN coalesce(
            ledger_replay(p_organization_id, p_request),
            jsonb_build_object('outcome', 'REFUSED', 'refusal', v_answer)
        );
    END IF;

    v_locked := ledger_with_over_holds(p_organization_id, v_wanted, v_from, v_to);
    PERFORM ledger_lock_resources(p_organization_id, v_locked);

    v_answer := ledger_replay(p_organization_id, p_request);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    -- What is required may have been edited since it was read; the lock on the booked resource keeps it still now.
    v_takes := ledger_takes(p_organization_id, v_booking_id, p_request->'items');
    IF EXISTS (SELECT FROM unnest(v_takes) t WHERE t.resource_id <> ALL (v_locked)) THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;
    -- Compared before anything is expired: whoever looked was not shown what is over.
    SELECT jsonb_build_object('code', 'VERSION_CONFLICT', 'resource_id', r.id, 'current', r.version) INTO v_answer
      FROM jsonb_to_recordset(coalesce(p_request->'expected', '[]')) AS e (resource_id uuid, version bigint)
      JOIN resource r ON r.organization_id = p_organization_id AND r.id = e.resource_id
     WHERE r.version <> e.version
     ORDER BY r.id
     LIMIT 1;
    IF v_answer IS NULL THEN
        IF NOT ledger_expire_over(p_organization_id, v_wanted, v_locked, v_from, v_to) THEN
            RETURN jsonb_build_object('outcome', 'RELOCK');
        END IF;
        v_answer := ledger_refusal(p_organization_id, v_takes);
    END IF;
    IF v_answer IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', v_answer);
    END IF;

    SELECT min(r.hold_seconds), min(r.hold_ceiling_seconds) INTO v_hold_seconds, v_ceiling_seconds
      FROM resource r
     WHERE r.organization_id = p_organization_id
       AND r.id IN (SELECT (i->>'resource_id')::uuid FROM jsonb_array_elements(p_request->'items') i);
    v_now := clock_timestamp();
    INSERT INTO booking (
        organization_id, id, reference, status, version, customer_id, contact_name, contact_email, contact_phone,
        hold_expires_at, hold_ceiling_at, claim_count, last_event, last_actor, created_at, updated_at
    ) VALUES (
        p_organization_id, v_booking_id, p_request->>'reference', 'ON_HOLD', 1, p_request->>'customer_id',
        p_request->>'contact_name', p_request->>'contact_email', p_request->>'contact_phone',
        v_now + make_interval(secs => v_hold_seconds), v_now + make_interval(secs => v_ceiling_seconds),
        cardinality(v_takes), 'HELD', p_request->>'actor', v_now, v_now
    );
    INSERT INTO booking_item (organization_id, booking_id, position, resource_id, starts_at, ends_at, quantity, activity)
    SELECT p_organization_id, v_booking_id, i.position, i.resource_id, i.starts_at, i.ends_at, i.quantity, i.activity
      FROM jsonb_to_recordset(p_request->'items') AS i (
          position smallint, resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity integer,
          activity text
      );
    INSERT INTO claim (organization_id, booking_id, resource_id, starts_at, ends_at, quantity, sharing_key)
    SELECT p_organization_id, v_booking_id, t.resource_id, t.starts_at, t.ends_at, t.quantity, t.sharing_key
      FROM unnest(v_takes) t;
    PERFORM ledger_remember(p_organization_id, p_request, jsonb_build_object('booking_id', v_booking_id));
    RETURN ledger_booking(p_organization_id, v_booking_id) || jsonb_build_object('outcome', 'DONE');
END $$;
