-- Any k of these: a resource with members (resource_choice) is booked, and the admission chooses k of them, each another
-- one, of which it takes a unit. It chooses under the locks of all members, so that nobody fights over one while another
-- is free.

-- By what parties share who are there for this activity (models/ledger/tables.py). Plain SQL, which is put in place.
CREATE OR REPLACE FUNCTION ledger_sharing_key(p_sharing text, p_activity text, p_booking_id uuid)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_sharing WHEN 'SHARED' THEN NULL
                          WHEN 'SAME_ACTIVITY' THEN coalesce(p_activity, '#' || p_booking_id::text)
                          ELSE '#' || p_booking_id::text END
$$;

-- The members of these resources; NULL: none of them has any.
CREATE OR REPLACE FUNCTION ledger_members(p_organization_id uuid, p_resource_ids uuid[])
RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT array_agg(DISTINCT c.member_id) FROM resource_choice c
         WHERE c.organization_id = p_organization_id AND c.resource_id = ANY (p_resource_ids)
    );
END $$;

-- What would be taken of each member of a resource of which a unit is free over the whole of an item (a take with the
-- activity as its sharing key), after what `p_takes` takes; the best fit first.
--
-- Best fit is the one that is left with the least idle time around: the time since somebody was last there, and the time
-- until somebody is there next, each counted up to 30 days; what is closed counts as somebody. So short gaps are filled, and
-- long free stretches stay for who needs them. It is the rule of that name for bin packing (Johnson, Demers, Ullman, Garey,
-- Graham: Worst-case performance bounds for simple one-dimensional packing algorithms, SIAM J. Comput. 3, 1974), with the
-- free stretch as the bin. What fits equally well goes by id, so that the choice is the same for the same state.
--
-- All members are looked at by one statement, each where it can change and by nothing but index searches: a call of
-- `ledger_refusal`, which knows how to add up any list of takes, for each of fifty took several times as long. A timeline
-- has no two equal neighbours, so the nearest time at which somebody is there is a few change points away.
CREATE OR REPLACE FUNCTION ledger_free_members(
    p_organization_id uuid, p_resource_id uuid, p_item ledger_take, p_takes ledger_take[]
) RETURNS ledger_take[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_look CONSTANT interval := '30 days';
    v_from CONSTANT timestamptz := p_item.starts_at;
    v_to CONSTANT timestamptz := p_item.ends_at;
BEGIN
    RETURN (
        SELECT array_agg(
                   member.take
                   ORDER BY v_from - least(v_from, greatest(before.since, v_from - v_look))
                            + (greatest(v_to, least(after.until, v_to + v_look)) - v_to), member.id
               )
          FROM (
            SELECT r.id, (
                       p_item.booking_id, r.id, v_from, v_to, 1,
                       ledger_sharing_key(r.sharing, p_item.sharing_key, p_item.booking_id),
                       p_item.open_from, p_item.open_to
                   )::ledger_take AS take,
                   ARRAY(SELECT t FROM unnest(p_takes) t WHERE t.resource_id = r.id) AS along
              FROM resource_choice c
              JOIN resource r ON r.organization_id = c.organization_id AND r.id = c.member_id
             WHERE c.organization_id = p_organization_id AND c.resource_id = p_resource_id
            OFFSET 0  -- keeps the planner from asking the next of every resource of the organization
        ) member
        CROSS JOIN LATERAL (
            SELECT max(l.at) AS at FROM timeline l
             WHERE l.organization_id = p_organization_id AND l.resource_id = member.id AND l.at <= v_from
        ) first
        CROSS JOIN LATERAL (
            SELECT bool_and(
                       step.taken < step.capacity
                       AND (step.taken = 0 OR step.sharing_key IS NOT DISTINCT FROM (member.take).sharing_key)
                       AND NOT (step.closed AND step.at < p_item.open_to AND step.until > p_item.open_from)
                   ) AS is_free
              FROM (
                SELECT l.*, coalesce(lead(l.at) OVER (ORDER BY l.at), v_to) AS until FROM timeline l
                 WHERE l.organization_id = p_organization_id AND l.resource_id = member.id
                   AND l.at >= first.at AND l.at < v_to
            ) step
        ) room
        CROSS JOIN LATERAL (
            -- Since when nobody is there: the end of the last step with somebody. NULL: nobody ever was.
            SELECT CASE WHEN last.at IS NOT NULL THEN coalesce((
                       SELECT min(l.at) FROM timeline l
                        WHERE l.organization_id = p_organization_id AND l.resource_id = member.id AND l.at > last.at
                   ), 'infinity') END AS since
              FROM (
                SELECT (
                    SELECT l.at FROM timeline l
                     WHERE l.organization_id = p_organization_id AND l.resource_id = member.id AND l.at < v_from
                       AND (l.taken > 0 OR l.closed OR l.capacity = 0)
                     ORDER BY l.at DESC
                     LIMIT 1
                ) AS at
            ) last
        ) before
        CROSS JOIN LATERAL (
            -- Until when nobody is there. NULL: nobody ever will.
            SELECT (
                SELECT l.at FROM timeline l
                 WHERE l.organization_id = p_organization_id AND l.resource_id = member.id
                   AND (l.taken > 0 OR l.closed OR l.capacity = 0)
                   AND l.at >= (
                       SELECT max(f.at) FROM timeline f
                        WHERE f.organization_id = p_organization_id AND f.resource_id = member.id AND f.at <= v_to
                   )
                 ORDER BY l.at
                 LIMIT 1
            ) AS until
        ) after
         WHERE room.is_free
           AND (member.along = '{}' OR ledger_refusal(p_organization_id, member.along || member.take) IS NULL)
    );
END $$;

-- Chooses for each item of a request (a list of one) whose resource has members, one item after the other. `p_takes` is
-- what the request takes, and comes back with what was chosen; `o_chosen` are the members by the position of their item.
-- With fewer free than wanted `o_refusal` is SOLD_OUT, with how many are free.
CREATE OR REPLACE FUNCTION ledger_choose(
    p_organization_id uuid, p_request jsonb, INOUT p_takes ledger_take[], OUT o_chosen jsonb, OUT o_refusal jsonb
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_item record;
    v_free ledger_take[];
BEGIN
    o_chosen := '{}';
    FOR v_item IN
        SELECT i.position, i.resource_id, i.quantity,
               (
                   (p_request->0->>'booking_id')::uuid, i.resource_id, coalesce(i.claim_from, i.starts_at),
                   coalesce(i.claim_to, i.ends_at), 1, coalesce(i.shared_as, i.activity), i.starts_at, i.ends_at
               )::ledger_take AS take
          FROM jsonb_to_recordset(p_request->0->'items') AS i (
              position smallint, resource_id uuid, starts_at timestamptz, ends_at timestamptz, quantity bigint,
              activity text, claim_from timestamptz, claim_to timestamptz, shared_as text
          )
         WHERE EXISTS (
             SELECT FROM resource_choice c
              WHERE c.organization_id = p_organization_id AND c.resource_id = i.resource_id
         )
         ORDER BY i.position
    LOOP
        v_free := coalesce(ledger_free_members(p_organization_id, v_item.resource_id, v_item.take, p_takes), '{}');
        IF cardinality(v_free) < v_item.quantity THEN
            o_refusal := jsonb_build_object(
                'code', 'SOLD_OUT', 'resource_id', v_item.resource_id, 'vacancies', cardinality(v_free));
            RETURN;
        END IF;
        v_free := v_free[1:v_item.quantity];
        p_takes := p_takes || v_free;
        o_chosen := o_chosen || jsonb_build_object(
            v_item.position, (SELECT jsonb_agg(t.resource_id) FROM unnest(v_free) t));
    END LOOP;
    -- What is chosen may also be booked by name, be required, or be chosen for another item: one claim of each.
    SELECT array_agg((
               t.booking_id, t.resource_id, t.starts_at, t.ends_at, t.quantity, t.sharing_key, t.open_from, t.open_to
           )::ledger_take)
      INTO p_takes
      FROM (
          SELECT booking_id, resource_id, starts_at, ends_at, sharing_key, sum(quantity)::bigint AS quantity,
                 min(open_from) AS open_from, max(open_to) AS open_to
            FROM unnest(p_takes)
           GROUP BY booking_id, resource_id, starts_at, ends_at, sharing_key
      ) t;
END $$;
