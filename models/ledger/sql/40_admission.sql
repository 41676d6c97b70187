-- Admission: the only way to a new booking. One call, one transaction, READ COMMITTED.
-- Functions are plpgsql, not sql: their plans are kept from call to call. Nobody tells the planner how short a request
-- is: the few rows that it needs are fetched by LATERAL with OFFSET 0, or all of the organization's are read for a join.

-- What is taken from `starts_at` to `ends_at`; in between the guest is there from `open_from` to `open_to`.
DO $$ BEGIN
    CREATE TYPE ledger_take AS (
        booking_id uuid, resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity bigint, sharing_key text,
        open_from timestamptz, open_to timestamptz
    );
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- What bookings of these requests take: of each resource itself, and of all that it requires. Items of one resource,
-- interval and activity count as one booking of it. An item takes [claim_from, claim_to) where that is given, what it
-- requires too. One take per booking, resource and interval; the guest is there from the first of its items to the last.
CREATE OR REPLACE FUNCTION ledger_takes(p_organization_id uuid, p_requests jsonb)
RETURNS ledger_take[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH item AS (
            SELECT (q->>'booking_id')::uuid AS booking_id, i.resource_id,
                   coalesce(i.claim_from, i.starts_at) AS starts_at, coalesce(i.claim_to, i.ends_at) AS ends_at,
                   coalesce(i.shared_as, i.activity) AS activity, i.starts_at AS open_from, i.ends_at AS open_to,
                   sum(i.quantity) AS quantity
              FROM jsonb_array_elements(p_requests) AS q
              CROSS JOIN LATERAL jsonb_to_recordset(q->'items') AS i (
                  resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity bigint, activity text,
                  claim_from timestamptz, claim_to timestamptz, shared_as text
              )
             GROUP BY q->>'booking_id', i.resource_id, i.starts_at, i.ends_at, i.activity, i.claim_from, i.claim_to,
                      i.shared_as
        ), taken AS (
            SELECT booking_id, resource_id, starts_at, ends_at, activity, open_from, open_to, quantity FROM item
            UNION ALL
            SELECT i.booking_id, n.required_id, i.starts_at, i.ends_at, i.activity, i.open_from, i.open_to,
                   n.per_unit * i.quantity + n.per_booking
              FROM item i
              CROSS JOIN LATERAL (
                  SELECT n.required_id, n.per_unit, n.per_booking FROM resource_requirement n
                   WHERE n.organization_id = p_organization_id AND n.resource_id = i.resource_id
                  OFFSET 0
              ) n
        ), keyed AS (
            SELECT t.booking_id, t.resource_id, t.starts_at, t.ends_at, t.quantity, t.open_from, t.open_to,
                   ledger_sharing_key(r.sharing, t.activity, t.booking_id) AS sharing_key
              FROM taken t
              CROSS JOIN LATERAL (
                  SELECT r.sharing FROM resource r
                   WHERE r.organization_id = p_organization_id AND r.id = t.resource_id
                  OFFSET 0
              ) r
        )
        SELECT coalesce(array_agg(
            (k.booking_id, k.resource_id, k.starts_at, k.ends_at, k.quantity, k.sharing_key, k.open_from, k.open_to)::ledger_take
            ORDER BY k.booking_id, k.resource_id, k.starts_at, k.ends_at
        ), '{}')
          FROM (
            SELECT booking_id, resource_id, starts_at, ends_at, sharing_key, sum(quantity)::bigint AS quantity,
                   min(open_from) AS open_from, max(open_to) AS open_to
              FROM keyed
             GROUP BY booking_id, resource_id, starts_at, ends_at, sharing_key
        ) k
    );
END $$;

-- Whether these takes plainly fit: on every step of theirs there is room for all takes of that resource together, wherever
-- they are, nobody is particular about company, and nothing is closed. Mostly so, and cheaply told: each take is looked at
-- by itself. False means that it has to be looked at closely.
CREATE OR REPLACE FUNCTION ledger_plainly_fits(p_organization_id uuid, p_takes ledger_take[])
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(bool_and(
                   t.sharing_key IS NULL AND step.sharing_key IS NULL AND NOT step.closed
                   AND step.capacity - step.taken >= t.quantity_of_all
               ), false)
          FROM (SELECT *, sum(quantity) OVER (PARTITION BY resource_id) AS quantity_of_all FROM unnest(p_takes)) t
          CROSS JOIN LATERAL (
              SELECT l.capacity, l.taken, l.sharing_key, l.closed
                FROM timeline l
               WHERE l.organization_id = p_organization_id AND l.resource_id = t.resource_id AND l.at < t.ends_at
                 AND l.at >= (
                     SELECT b.at FROM timeline b
                      WHERE b.organization_id = p_organization_id AND b.resource_id = t.resource_id
                        AND b.at <= t.starts_at
                      ORDER BY b.at DESC
                      LIMIT 1
                 )
              OFFSET 0
          ) step
    );
END $$;

-- Why these takes do not fit, or NULL. They are looked at where something can change: at their starts, and at the
-- timeline's change points within them; at each, all takes there are summed. Of several reasons the hardest to mend is
-- told: CLOSED, then ACTIVITY_CONFLICT, then SOLD_OUT with the vacancies at the fullest instant of that resource.
-- Closed matters only while the guest is there.
CREATE OR REPLACE FUNCTION ledger_refusal(p_organization_id uuid, p_takes ledger_take[])
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF ledger_plainly_fits(p_organization_id, p_takes) THEN
        RETURN NULL;
    END IF;
    RETURN (
        WITH take AS (
            SELECT * FROM unnest(p_takes)
        ), point AS (
            SELECT t.resource_id, t.starts_at AS at FROM take t
            UNION
            SELECT t.resource_id, t.open_from FROM take t WHERE t.open_from > t.starts_at
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
            SELECT p.resource_id, step.closed AND demand.is_there AS closed,
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
                         count(DISTINCT coalesce(t.sharing_key, '')) AS keys,
                         bool_or(t.open_from <= p.at AND t.open_to > p.at) AS is_there
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
              CROSS JOIN LATERAL (
                  SELECT r.sharing FROM resource r
                   WHERE r.organization_id = p_organization_id AND r.id = k.resource_id
                  OFFSET 0
              ) r
             GROUP BY k.resource_id
            HAVING bool_or(k.closed OR k.in_use OR k.quantity > k.free)
        )
        SELECT jsonb_build_object('code', code, 'resource_id', resource_id, 'vacancies', vacancies)
          FROM refused
         ORDER BY array_position(ARRAY['CLOSED', 'ACTIVITY_CONFLICT', 'SOLD_OUT'], code), resource_id
         LIMIT 1
    );
END $$;

-- What is told of a request (a list of one) with conditions that `p_refusal` refuses, or nothing (NULL): just that; or where
-- some conditions are not met CONDITION, with these and with `p_refusal`, so that all reasons are told at once.
CREATE OR REPLACE FUNCTION ledger_refusals(p_organization_id uuid, p_request jsonb, p_refusal jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_unmet jsonb := ledger_unmet(p_organization_id, p_request->0);
BEGIN
    IF v_unmet IS NULL THEN
        RETURN p_refusal;
    END IF;
    RETURN jsonb_build_object('code', 'CONDITION', 'unmet', v_unmet, 'capacity', p_refusal);
END $$;

-- Bookings as the application wants them, in the order of their ids in `p_booking_ids`: each its row, its items and the
-- instant of the database. NULL if there is none.
CREATE OR REPLACE FUNCTION ledger_bookings(p_organization_id uuid, p_booking_ids uuid[])
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT jsonb_agg(jsonb_build_object(
                   'outcome', 'DONE',
                   'booking', to_jsonb(b),
                   'items', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.position), '[]') FROM booking_item i
                              WHERE i.organization_id = p_organization_id AND i.booking_id = b.id),
                   'now', clock_timestamp()
               ) ORDER BY wanted.position)
          FROM unnest(p_booking_ids) WITH ORDINALITY AS wanted (id, position)
          CROSS JOIN LATERAL (
              SELECT * FROM booking b WHERE b.organization_id = p_organization_id AND b.id = wanted.id OFFSET 0
          ) b
    );
END $$;

-- One of them.
CREATE OR REPLACE FUNCTION ledger_booking(p_organization_id uuid, p_booking_id uuid)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
BEGIN
    RETURN ledger_bookings(p_organization_id, ARRAY[p_booking_id])->0;
END $$;

-- What was done under this key, or NULL: the same answer for the same request, a conflict for another.
CREATE OR REPLACE FUNCTION ledger_replay(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
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

-- Decides requests under the locks that `ledger_hold` has taken, and carries them out. One request gets its answer,
-- whatever it is. Several are admitted together, in one go, if all of them fit; otherwise NULL, nothing is done, and they
-- have to be decided one after the other. `p_takes` is what they took before the lock, if the caller knows.
CREATE OR REPLACE FUNCTION ledger_admit(
    p_organization_id uuid, p_requests jsonb, p_locked_ids uuid[], p_takes ledger_take[] DEFAULT NULL
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_is_one boolean := jsonb_array_length(p_requests) = 1;
    v_customers text[] := CASE WHEN p_requests->0 ? 'conditions' THEN ledger_counted_customers(p_requests) END;
    v_members uuid[] := ledger_members(p_organization_id, ledger_booked(p_requests));
    v_is_current boolean;
    v_takes ledger_take[];
    v_wanted uuid[];
    v_from timestamptz;
    v_to timestamptz;
    v_chosen jsonb;
    v_unchosen jsonb;
    v_answer jsonb;
    v_has_price boolean := jsonb_path_exists(p_requests, '$[*].quote_id');
    v_now timestamptz;
BEGIN
    IF v_is_one THEN
        v_answer := ledger_replay(p_organization_id, p_requests->0);
        IF v_answer IS NOT NULL THEN
            RETURN jsonb_build_array(v_answer);
        END IF;
    ELSIF v_members IS NOT NULL OR NOT ledger_may_go_together(p_organization_id, p_requests) THEN
        RETURN NULL;
    END IF;
    -- Rules and requirements may have been edited since they were read; the lock on what is booked keeps them still now.
    v_is_current := ledger_is_current(p_organization_id, p_requests);
    IF NOT v_is_current THEN
        RETURN CASE WHEN v_is_one THEN jsonb_build_array(jsonb_build_object('outcome', 'STALE')) END;
    END IF;
    -- What they take depends on nothing else: as it was before the lock it is still.
    v_takes := CASE WHEN v_is_current THEN p_takes END;
    IF v_takes IS NULL THEN
        v_takes := ledger_takes(p_organization_id, p_requests);
    END IF;
    SELECT array_agg(DISTINCT t.resource_id), min(t.starts_at), max(t.ends_at) INTO v_wanted, v_from, v_to
      FROM unnest(v_takes) t;
    v_wanted := v_wanted || v_members;
    v_from := least(v_from, (p_requests->0->>'looks_from')::timestamptz);
    v_to := greatest(v_to, (p_requests->0->>'looks_to')::timestamptz);
    IF NOT v_wanted <@ p_locked_ids THEN
        RETURN jsonb_build_array(jsonb_build_object('outcome', 'RELOCK'));
    END IF;

    -- Compared before anything is expired: whoever looked was not shown what is over.
    IF p_requests->0->'expected' <> '[]' THEN
        v_answer := ledger_moved_on(p_organization_id, p_requests->0->'expected');
    END IF;
    IF v_answer IS NULL THEN
        IF NOT ledger_expire_over(p_organization_id, v_wanted, p_locked_ids, v_from, v_to) THEN
            RETURN jsonb_build_array(jsonb_build_object('outcome', 'RELOCK'));
        END IF;
        IF v_customers IS NOT NULL AND NOT ledger_expire(
            p_organization_id, ledger_over_holds_of_customers(p_organization_id, v_customers), p_locked_ids
        ) THEN
            RETURN jsonb_build_array(jsonb_build_object('outcome', 'RELOCK'));
        END IF;
        IF v_members IS NOT NULL THEN
            SELECT * INTO v_takes, v_chosen, v_unchosen FROM ledger_choose(p_organization_id, p_requests, v_takes);
        END IF;
        v_answer := coalesce(ledger_refusal(p_organization_id, v_takes), v_unchosen);
        IF p_requests->0 ? 'conditions' THEN
            v_answer := ledger_refusals(p_organization_id, p_requests, v_answer);
        END IF;
    END IF;
    IF v_answer IS NULL AND v_has_price THEN
        v_answer := ledger_price_refusal(p_organization_id, p_requests);
    END IF;
    IF v_answer IS NOT NULL AND v_is_one THEN
        RETURN jsonb_build_array(jsonb_build_object('outcome', 'REFUSED', 'refusal', v_answer));
    ELSIF v_answer IS NOT NULL THEN
        RETURN NULL;
    END IF;

    IF v_has_price THEN
        PERFORM ledger_keep_quotes(p_organization_id, p_requests);
    END IF;
    v_now := clock_timestamp();
    INSERT INTO booking (
        organization_id, id, reference, status, version, customer_id, contact_name, contact_email, contact_phone,
        hold_expires_at, hold_ceiling_at, approval_seconds, series_id, series_position, quote_id, promo_code_id, claim_count,
        last_event, last_actor, created_at, updated_at
    )
    SELECT p_organization_id, q.booking_id, q.reference, 'ON_HOLD', 1, q.customer_id,
           q.contact_name, q.contact_email, q.contact_phone,
           v_now + make_interval(secs => CASE WHEN q.offer_to IS NULL THEN limits.hold_seconds
                                              ELSE limits.hold_ceiling_seconds END),
           v_now + make_interval(secs => limits.hold_ceiling_seconds),
           q.approval_seconds, q.series_id, q.series_position, q.quote_id, q.promo_code_id,
           (SELECT count(*) FROM unnest(v_takes) t WHERE t.booking_id = q.booking_id),
           'HELD', q.actor, v_now, v_now
      FROM jsonb_to_recordset(p_requests) AS q (
          booking_id uuid, reference text, customer_id text, contact_name text, contact_email text,
          contact_phone text, approval_seconds integer, series_id uuid, series_position smallint, actor text,
          items jsonb, offer_to uuid, quote_id uuid, promo_code_id uuid
      )
      CROSS JOIN LATERAL (
          SELECT min(r.hold_seconds) AS hold_seconds, min(r.hold_ceiling_seconds) AS hold_ceiling_seconds
            FROM jsonb_to_recordset(q.items) AS i (resource_id uuid)
            CROSS JOIN LATERAL (
                SELECT r.hold_seconds, r.hold_ceiling_seconds FROM resource r
                 WHERE r.organization_id = p_organization_id AND r.id = i.resource_id
                OFFSET 0
            ) r
      ) limits;
    PERFORM ledger_put_items(p_organization_id, p_requests, v_takes, v_chosen);
    INSERT INTO idempotency (organization_id, actor, key, request_hash, result, created_at)
    SELECT p_organization_id, q.actor, q.key, decode(q.request_hash, 'hex'),
           jsonb_build_object('booking_id', q.booking_id), v_now
      FROM jsonb_to_recordset(p_requests) AS q (actor text, key text, request_hash text, booking_id uuid);
    IF jsonb_path_exists(p_requests, '$[*].offer_to') THEN
        PERFORM waitlist_offered(p_organization_id, p_requests);
    END IF;
    RETURN ledger_bookings(
        p_organization_id,
        ARRAY(SELECT (q.request->>'booking_id')::uuid
                FROM jsonb_array_elements(p_requests) WITH ORDINALITY AS q (request, position) ORDER BY q.position)
    );
END $$;

-- Writes down what bookings are of, and claims what that takes; the caller has found that it fits. `p_chosen` are the
-- members that were chosen, by the position of their item.
CREATE OR REPLACE FUNCTION ledger_put_items(
    p_organization_id uuid, p_requests jsonb, p_takes ledger_take[], p_chosen jsonb
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO booking_item (
        organization_id, booking_id, position, resource_id, starts_at, ends_at, quantity, activity, guests, chosen,
        claim_from, claim_to
    )
    SELECT p_organization_id, (q->>'booking_id')::uuid, i.position, i.resource_id, i.starts_at, i.ends_at, i.quantity,
           i.activity, i.guests,
           CASE WHEN p_chosen ? i.position::text
                THEN ARRAY(SELECT jsonb_array_elements_text(p_chosen->(i.position::text))::uuid) END,
           i.claim_from, i.claim_to
      FROM jsonb_array_elements(p_requests) AS q
      CROSS JOIN LATERAL jsonb_to_recordset(q->'items') AS i (
          position smallint, resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity integer,
          activity text, guests jsonb, claim_from timestamptz, claim_to timestamptz
      );
    INSERT INTO claim (organization_id, booking_id, resource_id, starts_at, ends_at, quantity, sharing_key)
    SELECT p_organization_id, t.booking_id, t.resource_id, t.starts_at, t.ends_at, t.quantity, t.sharing_key
      FROM unnest(p_takes) t;
END $$;

-- The first of these resources whose version is not what is expected of it, as a refusal; or NULL.
CREATE OR REPLACE FUNCTION ledger_moved_on(p_organization_id uuid, p_expected jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object('code', 'VERSION_CONFLICT', 'resource_id', r.id, 'current', r.version)
          FROM jsonb_to_recordset(p_expected) AS e (resource_id uuid, version bigint)
          CROSS JOIN LATERAL (
              SELECT r.id, r.version FROM resource r
               WHERE r.organization_id = p_organization_id AND r.id = e.resource_id
              OFFSET 0
          ) r
         WHERE r.version <> e.version
         ORDER BY r.id
         LIMIT 1
    );
END $$;

-- Whether the order of these requests makes no difference but for the room that they leave each other: each has a key of
-- its own that nothing is remembered under, none expects a version, which the one before would change, and none has
-- conditions, which look at more than the room. (Nor has any resource of theirs members, of which one leaves the next
-- fewer to choose from: the caller knows.)
CREATE OR REPLACE FUNCTION ledger_may_go_together(p_organization_id uuid, p_requests jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT count(DISTINCT (q.actor, q.key)) = count(*) AND count(k.key) = 0
               AND bool_and(q.expected = '[]' AND q.conditions IS NULL)
          FROM jsonb_to_recordset(p_requests) AS q (actor text, key text, expected jsonb, conditions jsonb)
          LEFT JOIN idempotency k
                 ON k.organization_id = p_organization_id AND k.actor = q.actor AND k.key = q.key
    );
END $$;

-- Whether requests were decided by the facts of now of the resources that they name: by their `catalog_version`. NULL if
-- none was decided by others, but some do not say by which.
CREATE OR REPLACE FUNCTION ledger_is_current(p_organization_id uuid, p_requests jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT CASE WHEN bool_or(r.catalog_version <> i.catalog_version) THEN false
                    WHEN bool_and(i.catalog_version IS NOT NULL) THEN true END
          FROM jsonb_array_elements(p_requests) AS q
         CROSS JOIN LATERAL jsonb_to_recordset(q->'items') AS i (resource_id uuid, catalog_version bigint)
          CROSS JOIN LATERAL (
              SELECT r.catalog_version FROM resource r
               WHERE r.organization_id = p_organization_id AND r.id = i.resource_id
              OFFSET 0
          ) r
    );
END $$;

-- The resources that requests name.
CREATE OR REPLACE FUNCTION ledger_booked(p_requests jsonb) RETURNS uuid[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (
        SELECT array_agg(DISTINCT (i->>'resource_id')::uuid)
          FROM jsonb_array_elements(p_requests) AS q
          CROSS JOIN LATERAL jsonb_array_elements(q->'items') AS i
    );
END $$;

-- What can be said without a lock of a request (a list of one) that takes `p_takes`: the refusal, if it does not fit and
-- nothing that is over could make room. It may be refused so, never admitted.
CREATE OR REPLACE FUNCTION ledger_refused_at_sight(p_organization_id uuid, p_request jsonb, p_takes ledger_take[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_booked uuid[] := ledger_booked(p_request);
    v_members uuid[] := ledger_members(p_organization_id, v_booked);
    v_customers text[];
    v_wanted uuid[];
    v_from timestamptz;
    v_to timestamptz;
    v_refusal jsonb;
BEGIN
    IF NOT v_booked <@ ARRAY(SELECT t.resource_id FROM unnest(p_takes) t) THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', jsonb_build_object('code', 'NOT_FOUND'));
    END IF;
    v_refusal := ledger_refusal(p_organization_id, p_takes);
    IF v_refusal IS NULL AND v_members IS NOT NULL THEN
        -- Only whether there are enough: what is chosen without a lock may be gone by the next statement, and others not.
        SELECT o_refusal INTO v_refusal FROM ledger_choose(p_organization_id, p_request, p_takes);
    END IF;
    IF p_request->0 ? 'conditions' THEN
        v_refusal := ledger_refusals(p_organization_id, p_request, v_refusal);
        v_customers := ledger_counted_customers(p_request);
    END IF;
    IF v_refusal IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT ledger_is_current(p_organization_id, p_request) THEN
        RETURN jsonb_build_object('outcome', 'STALE');
    END IF;
    SELECT array_agg(DISTINCT t.resource_id), min(t.starts_at), max(t.ends_at) INTO v_wanted, v_from, v_to
      FROM unnest(p_takes) t;
    IF ledger_over_holds(
           p_organization_id, v_wanted || v_members,
           least(v_from, (p_request->0->>'looks_from')::timestamptz), greatest(v_to, (p_request->0->>'looks_to')::timestamptz)
       ) <> '{}'
       OR (v_customers IS NOT NULL AND ledger_over_holds_of_customers(p_organization_id, v_customers) <> '{}') THEN
        RETURN NULL;
    END IF;
    RETURN coalesce(
        ledger_replay(p_organization_id, p_request->0),
        jsonb_build_object('outcome', 'REFUSED', 'refusal', v_refusal)
    );
END $$;

-- For who would refuse requests by timelines that they know (engine/sight.py): whether these are true, and whether anything
-- is remembered under the requests' keys (the n-th of each list makes one), all of one instant.
CREATE OR REPLACE FUNCTION ledger_sight(
    p_organization_id uuid, p_resource_ids uuid[], p_actors text[], p_keys text[]
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'resources', (
                SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]')
                  FROM ledger_versions(array_fill(p_organization_id, ARRAY[cardinality(p_resource_ids)]), p_resource_ids) r
            ),
            'remembered', (
                SELECT coalesce(jsonb_agg(asked.position - 1), '[]')
                  FROM unnest(p_actors, p_keys) WITH ORDINALITY AS asked (actor, key, position)
                  JOIN idempotency k
                    ON k.organization_id = p_organization_id AND k.actor = asked.actor AND k.key = asked.key
            )
        )
    );
END $$;

-- Whether all of these requests, which take `p_takes`, fit together as far as can be said without a lock: then none need be
-- looked at alone. Where members are chosen that is not said.
CREATE OR REPLACE FUNCTION ledger_all_fit_at_sight(p_organization_id uuid, p_requests jsonb, p_takes ledger_take[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_booked uuid[] := ledger_booked(p_requests);
BEGIN
    RETURN v_booked <@ ARRAY(SELECT t.resource_id FROM unnest(p_takes) t)
       AND ledger_members(p_organization_id, v_booked) IS NULL
       AND ledger_refusal(p_organization_id, p_takes) IS NULL;
END $$;

-- What one of several requests takes.
CREATE OR REPLACE FUNCTION ledger_takes_of(p_takes ledger_take[], p_request jsonb)
RETURNS ledger_take[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ARRAY(SELECT t FROM unnest(p_takes) t WHERE t.booking_id = (p_request->>'booking_id')::uuid);
END $$;

-- Locks all that these requests may take from, and `p_own`, in the order of every lock; returns the ids. What they require
-- is read before the lock, so it is advice: who decides asks for a RELOCK when it was not enough.
CREATE OR REPLACE FUNCTION ledger_lock_for(p_organization_id uuid, p_requests jsonb, p_own uuid[] DEFAULT '{}')
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_booked uuid[] := ledger_booked(p_requests);
    v_wanted uuid[];
BEGIN
    SELECT v_booked || p_own || array_agg(other.id) INTO v_wanted
      FROM (
          SELECT q.required_id AS id FROM resource_requirement q
           WHERE q.organization_id = p_organization_id AND q.resource_id = ANY (v_booked)
          UNION ALL
          SELECT c.member_id FROM resource_choice c
           WHERE c.organization_id = p_organization_id AND c.resource_id = ANY (v_booked)
      ) other;
    RETURN ledger_lock_for_admission(p_organization_id, v_wanted, p_requests);
END $$;

-- Holds each request of a list in one transaction, as if one came after the other: its items, all or nothing. One answer
-- per request, in their order. Outcomes: DONE, REPLAYED, REFUSED (with the refusal), IDEMPOTENCY_CONFLICT, STALE (decide
-- anew: rules have changed), RELOCK (ask all of them again: what has to be locked was not what had been read).
--
-- A request: booking_id, reference, actor, key, request_hash, customer_id, contact_name, contact_email, contact_phone,
-- approval_seconds, series_id, series_position, expected [{resource_id, version}],
-- items [{position, resource_id, catalog_version, starts_at, ends_at, quantity, activity, guests}], each with claim_from
-- and claim_to if it takes longer than the guest is there, and shared_as if parties share by something else than the
-- activity; if rules have any, conditions (35_conditions.sql), with looks_from and looks_to around all of the timelines
-- that these look at; if it has a price, quote_id and what goes with it (42_quotes.sql); and if it is offered to an entry
-- of a waitlist, offer_to and offer (45_waitlist.sql).
CREATE OR REPLACE FUNCTION ledger_hold(p_organization_id uuid, p_requests jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_answers jsonb[] := array_fill(NULL::jsonb, ARRAY[jsonb_array_length(p_requests)]);
    v_takes ledger_take[] := ledger_takes(p_organization_id, p_requests);
    v_undecided jsonb := p_requests;
    v_locked uuid[];
    v_together jsonb;
    v_next integer := 0;
BEGIN
    IF cardinality(v_answers) = 1 THEN
        v_answers[1] := ledger_refused_at_sight(p_organization_id, p_requests, v_takes);
        IF v_answers[1] IS NOT NULL THEN
            RETURN to_jsonb(v_answers);
        END IF;
    ELSIF NOT ledger_all_fit_at_sight(p_organization_id, p_requests, v_takes) THEN
        FOR n IN 1 .. cardinality(v_answers) LOOP
            v_answers[n] := ledger_refused_at_sight(
                p_organization_id, jsonb_build_array(p_requests->(n - 1)), ledger_takes_of(v_takes, p_requests->(n - 1)));
        END LOOP;
        SELECT jsonb_agg(p_requests->(n - 1) ORDER BY n) INTO v_undecided
          FROM generate_subscripts(v_answers, 1) n
         WHERE v_answers[n] IS NULL;
        IF v_undecided IS NULL THEN
            RETURN to_jsonb(v_answers);
        END IF;
    END IF;

    v_locked := ledger_lock_for(p_organization_id, v_undecided);
    IF jsonb_array_length(v_undecided) = cardinality(v_answers) THEN
        v_together := ledger_admit(p_organization_id, v_undecided, v_locked, v_takes);
    ELSIF jsonb_array_length(v_undecided) > 1 THEN
        v_together := ledger_admit(p_organization_id, v_undecided, v_locked);
    END IF;
    FOR n IN 1 .. cardinality(v_answers) LOOP
        CONTINUE WHEN v_answers[n] IS NOT NULL;
        v_answers[n] := coalesce(
            v_together->v_next,
            ledger_admit(
                p_organization_id, jsonb_build_array(p_requests->(n - 1)), v_locked,
                ledger_takes_of(v_takes, p_requests->(n - 1)))->0
        );
        v_next := v_next + 1;
    END LOOP;
    RETURN to_jsonb(v_answers);
END $$;
