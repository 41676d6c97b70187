-- What rules ask that only the database can tell under its locks: a condition is a number to be measured, and the most
-- that it may be. The rules themselves are not here (engine/rules): a condition comes with the request, as data, and says
-- which kind of number, of what, and over which time. engine/conditions.py measures the same for who only looks.
--
-- A condition: item (its position in the request), index (among those of the item), kind, max, and by kind
--   CUSTOMER_ACTIVE   customer_id, after; resource_id or venue_id or neither: live items of the customer there that end
--                     after this instant
--   CUSTOMER_OVERLAP  customer_id, starts_at, ends_at; resource_id or venue_id or neither: live items of the customer
--                     there that overlap
--   ARRIVALS          resource_id, starts_at, ends_at, of_guests: units, or guests, of live items that start then
--   CAPACITY          resource_id, starts_at, ends_at, percent: so many hundredths of the least capacity, as a negative
--                     number of hundredths
--   ORPHANS           resource_id, taken, sides: how many runs of free nights would be left too short; a side is the
--                     night beside it that the request takes, and the nights outwards, nearest first
-- What the request itself adds has been taken off `max`.

-- The number. Live is what counts; the caller has ended the holds that are over.
CREATE OR REPLACE FUNCTION ledger_measure(p_organization_id uuid, p_condition jsonb)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_resource_id uuid := (p_condition->>'resource_id')::uuid;
    v_venue_id uuid := (p_condition->>'venue_id')::uuid;
    v_customer_id text := p_condition->>'customer_id';
    v_from timestamptz := coalesce(p_condition->>'starts_at', p_condition->>'after')::timestamptz;
    v_to timestamptz := coalesce(p_condition->>'ends_at', 'infinity')::timestamptz;
    v_of_guests boolean := (p_condition->>'of_guests')::boolean;
BEGIN
    CASE p_condition->>'kind'
        WHEN 'CUSTOMER_ACTIVE', 'CUSTOMER_OVERLAP' THEN
            RETURN (
                SELECT count(*) FROM booking b
                  JOIN booking_item i ON i.organization_id = b.organization_id AND i.booking_id = b.id
                  JOIN resource r ON r.organization_id = i.organization_id AND r.id = i.resource_id
                 WHERE b.organization_id = p_organization_id AND b.customer_id = v_customer_id
                   AND b.status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'REDEEMED')
                   AND i.ends_at > v_from AND i.starts_at < v_to
                   AND (v_resource_id IS NULL OR i.resource_id = v_resource_id)
                   AND (v_venue_id IS NULL OR r.venue_id = v_venue_id)
            );
        WHEN 'ARRIVALS' THEN
            RETURN (
                SELECT coalesce(sum(CASE WHEN v_of_guests THEN ledger_guests(i.guests, i.quantity) ELSE i.quantity END), 0)
                  FROM booking_item i
                  JOIN booking b ON b.organization_id = i.organization_id AND b.id = i.booking_id
                 WHERE i.organization_id = p_organization_id AND i.resource_id = v_resource_id
                   AND i.starts_at >= v_from AND i.starts_at < v_to
                   AND b.status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'REDEEMED')
            );
        WHEN 'CAPACITY' THEN
            RETURN -(p_condition->>'percent')::integer
                   * ledger_least(p_organization_id, v_resource_id, v_from, v_to, '[]', 'CAPACITY');
        WHEN 'ORPHANS' THEN
            RETURN (
                SELECT count(*) FROM jsonb_array_elements(p_condition->'sides') side
                 WHERE ledger_leaves_orphans(p_organization_id, v_resource_id, p_condition->'taken', side)
            );
    END CASE;
END $$;

-- How many people an item is for: the guests that were told, else one for each unit.
CREATE OR REPLACE FUNCTION ledger_guests(p_guests jsonb, p_quantity integer)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce((SELECT sum((g->>'count')::bigint) FROM jsonb_array_elements(p_guests) g), p_quantity);
END $$;

-- The least capacity of a resource over an interval; or what is left of it there at least, after what `p_taken` takes
-- besides: 0 where it is closed.
CREATE OR REPLACE FUNCTION ledger_least(
    p_organization_id uuid, p_resource_id uuid, p_from timestamptz, p_to timestamptz, p_taken jsonb, p_of text
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH step AS (
            SELECT l.at, l.capacity, l.taken, l.closed FROM timeline l
             WHERE l.organization_id = p_organization_id AND l.resource_id = p_resource_id AND l.at < p_to
               AND l.at >= (
                   SELECT max(f.at) FROM timeline f
                    WHERE f.organization_id = p_organization_id AND f.resource_id = p_resource_id AND f.at <= p_from
               )
        ), more AS (
            SELECT m.starts_at, m.ends_at, m.quantity
              FROM jsonb_to_recordset(p_taken) AS m (starts_at timestamptz, ends_at timestamptz, quantity bigint)
             WHERE m.starts_at < p_to AND m.ends_at > p_from
        ), point AS (
            SELECT greatest(at, p_from) AS at FROM step
            UNION
            SELECT greatest(starts_at, p_from) FROM more
        )
        SELECT min(CASE WHEN p_of = 'CAPACITY' THEN s.capacity WHEN s.closed THEN 0
                        ELSE s.capacity - s.taken
                             - coalesce((SELECT sum(m.quantity) FROM more m WHERE m.starts_at <= p.at AND m.ends_at > p.at), 0)
                   END)
          FROM point p
         CROSS JOIN LATERAL (SELECT * FROM step WHERE step.at <= p.at ORDER BY step.at DESC LIMIT 1) s
    );
END $$;

-- Whether the request takes the last of the night at its edge, and leaves a run of free nights beside it that ends at a
-- night that is full or closed. As many nights are given as must be left; where the venue's past begins, or a night can
-- not be looked at, they end, and that is no bound.
CREATE OR REPLACE FUNCTION ledger_leaves_orphans(
    p_organization_id uuid, p_resource_id uuid, p_taken jsonb, p_side jsonb
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_night jsonb;
    v_free integer := 0;
BEGIN
    IF ledger_free_of_night(p_organization_id, p_resource_id, p_taken, p_side->'edge') > 0 THEN
        RETURN false;
    END IF;
    FOR v_night IN SELECT * FROM jsonb_array_elements(p_side->'nights') LOOP
        IF ledger_free_of_night(p_organization_id, p_resource_id, p_taken, v_night) <= 0 THEN
            RETURN v_free > 0;
        END IF;
        v_free := v_free + 1;
    END LOOP;
    RETURN false;
END $$;

CREATE OR REPLACE FUNCTION ledger_free_of_night(
    p_organization_id uuid, p_resource_id uuid, p_taken jsonb, p_night jsonb
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ledger_least(
        p_organization_id, p_resource_id, (p_night->>0)::timestamptz, (p_night->>1)::timestamptz, p_taken, 'FREE');
END $$;

-- The conditions of a request that are not met, in its order, each with its number; NULL if all are.
CREATE OR REPLACE FUNCTION ledger_unmet(p_organization_id uuid, p_request jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT jsonb_agg(jsonb_build_object('item', c->'item', 'index', c->'index', 'measure', measure) ORDER BY position)
          FROM jsonb_array_elements(p_request->'conditions') WITH ORDINALITY AS c (c, position)
         CROSS JOIN LATERAL ledger_measure(p_organization_id, c) AS measure
         WHERE measure > (c->>'max')::bigint
    );
END $$;

-- The customers whose bookings the conditions of these requests count; NULL: of none.
CREATE OR REPLACE FUNCTION ledger_counted_customers(p_requests jsonb)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF NOT jsonb_path_exists(p_requests, '$[*].conditions[*].customer_id') THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT array_agg(DISTINCT c->>'customer_id')
          FROM jsonb_path_query(p_requests, '$[*].conditions[*]') AS c
         WHERE c ? 'customer_id'
    );
END $$;

-- Who only looks: what starts at a resource in a window, the n-th of each list making one question. It tells numbers of
-- any organization, so it runs with the owner's rights, and lets out no row. Holds that are over count as gone.
CREATE OR REPLACE FUNCTION ledger_arrivals(
    p_organization_ids uuid[], p_resource_ids uuid[], p_from timestamptz[], p_to timestamptz[]
) RETURNS TABLE ("position" integer, starts_at timestamptz, quantity bigint, guests bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    SELECT a.position::integer, i.starts_at, sum(i.quantity)::bigint, sum(ledger_guests(i.guests, i.quantity))::bigint
      FROM unnest(p_organization_ids, p_resource_ids, p_from, p_to)
          WITH ORDINALITY AS a (organization_id, resource_id, starts_at, ends_at, position)
      JOIN booking_item i ON i.organization_id = a.organization_id AND i.resource_id = a.resource_id
                         AND i.starts_at >= a.starts_at AND i.starts_at < a.ends_at
      JOIN booking b ON b.organization_id = i.organization_id AND b.id = i.booking_id
     WHERE b.status IN ('CONFIRMED', 'REDEEMED')
        OR (b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at > v_now)
     GROUP BY a.position, i.starts_at;
END $$;

-- The live items of one customer that end after an instant, those that end first and at most `p_limit`, for that
-- customer. Holds that are over count as gone.
CREATE OR REPLACE FUNCTION ledger_items_of_customer(
    p_organization_id uuid, p_customer_id text, p_after timestamptz, p_limit integer
) RETURNS TABLE (resource_id uuid, venue_id uuid, starts_at timestamptz, ends_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    SELECT i.resource_id, r.venue_id, i.starts_at, i.ends_at
      FROM booking b
      JOIN booking_item i ON i.organization_id = b.organization_id AND i.booking_id = b.id
      JOIN resource r ON r.organization_id = i.organization_id AND r.id = i.resource_id
     WHERE b.organization_id = p_organization_id AND b.customer_id = p_customer_id AND i.ends_at > p_after
       AND (b.status IN ('CONFIRMED', 'REDEEMED')
            OR (b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at > v_now))
     ORDER BY i.ends_at
     LIMIT p_limit;
END $$;
