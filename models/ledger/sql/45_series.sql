-- Series: one admission after the other, in one transaction, under one lock and one idempotency key.

-- Holds a series: each request is a booking of its own, admitted as `ledger_hold` would, all under the locks that are
-- taken once. With all_or_none nothing stays unless every date of the series is booked; otherwise what can be booked is.
-- Outcomes: DONE and REPLAYED with the result, IDEMPOTENCY_CONFLICT, STALE, RELOCK, and REFUSED if nothing was booked.
-- DONE and REFUSED have `answers`, one per request, as of `ledger_hold`; of REFUSED those that are null or DONE could
-- have been booked. What is undone leaves no trace; the holds that were over, without which it was decided, have ended.
--
-- The series: actor, key, request_hash, series_id, all_or_none, refused (how many dates rules have refused: they have no
-- request), dates (remembered as they are). The requests: as of `ledger_hold`, of one series_id; each has a key of its
-- own that holds a line break, which no client's key can.
CREATE OR REPLACE FUNCTION ledger_hold_series(p_organization_id uuid, p_series jsonb, p_requests jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
    v_all_or_none boolean := (p_series->>'all_or_none')::boolean;
    v_answers jsonb[];
    v_open jsonb;
    v_locked uuid[];
    v_answer jsonb;
    v_outcome text;
BEGIN
    v_answer := ledger_replay(p_organization_id, p_series);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    v_answers := ledger_series_at_sight(p_organization_id, p_requests);
    IF EXISTS (SELECT FROM unnest(v_answers) a WHERE a->>'outcome' = 'STALE') THEN
        RETURN jsonb_build_object('outcome', 'STALE');
    END IF;
    SELECT jsonb_agg(p_requests->(n - 1) ORDER BY n) INTO v_open
      FROM generate_subscripts(v_answers, 1) n
     WHERE v_answers[n] IS NULL;
    IF v_open IS NULL OR v_all_or_none AND (
        (p_series->>'refused')::integer > 0 OR jsonb_array_length(v_open) < cardinality(v_answers)
    ) THEN
        RETURN jsonb_build_object('outcome', 'REFUSED', 'answers', to_jsonb(v_answers));
    END IF;

    v_locked := ledger_lock_for(p_organization_id, v_open);
    v_answer := ledger_replay(p_organization_id, p_series);
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    -- Before anything that may be undone: who is refused is told what is left without them.
    IF NOT ledger_expire_for_series(p_organization_id, v_open, v_locked) THEN
        RETURN jsonb_build_object('outcome', 'RELOCK');
    END IF;
    BEGIN
        v_answers := ledger_admit_series(p_organization_id, p_requests, v_answers, v_open, v_locked);
        v_outcome := ledger_series_outcome(v_answers, v_all_or_none);
        IF v_outcome <> 'DONE' THEN
            RAISE EXCEPTION USING ERRCODE = 'VS001', MESSAGE = 'the series is not booked';
        END IF;
        PERFORM ledger_remember(p_organization_id, p_series, jsonb_build_object(
            'series_id', p_series->'series_id', 'dates', p_series->'dates', 'answers', (
                SELECT jsonb_agg(
                    CASE v_answers[n]->>'outcome' WHEN 'DONE'
                        THEN jsonb_build_object('outcome', 'DONE', 'booking_id', p_requests->(n - 1)->'booking_id')
                        ELSE v_answers[n] END
                    ORDER BY n
                )
                  FROM generate_subscripts(v_answers, 1) n
            )
        ));
    EXCEPTION WHEN SQLSTATE 'VS001' THEN
        NULL;  -- what the block has written is undone; the variables keep what they say
    END;
    RETURN jsonb_build_object('outcome', v_outcome, 'answers', to_jsonb(v_answers));
END $$;

-- Ends the holds that are over and in the way of these requests, as `ledger_admit` does for each. Returns false if that
-- needs more locks than can be had without waiting.
CREATE OR REPLACE FUNCTION ledger_expire_for_series(p_organization_id uuid, p_requests jsonb, p_locked_ids uuid[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_over uuid[];
    v_customers text[] := ledger_counted_customers(p_requests);
BEGIN
    SELECT ledger_over_holds(
               p_organization_id,
               array_agg(DISTINCT t.resource_id) || ledger_members(p_organization_id, ledger_booked(p_requests)),
               min(t.starts_at), max(t.ends_at))
      INTO v_over
      FROM unnest(ledger_takes(p_organization_id, p_requests)) t;
    IF v_customers IS NOT NULL THEN
        v_over := ARRAY(
            SELECT unnest(v_over) UNION SELECT unnest(ledger_over_holds_of_customers(p_organization_id, v_customers)));
    END IF;
    RETURN ledger_expire(p_organization_id, v_over, p_locked_ids);
END $$;

-- What can be said of each request without a lock, as `ledger_hold` says it: NULL where nothing can.
CREATE OR REPLACE FUNCTION ledger_series_at_sight(p_organization_id uuid, p_requests jsonb)
RETURNS jsonb[] LANGUAGE plpgsql AS $$
DECLARE
    v_answers jsonb[] := array_fill(NULL::jsonb, ARRAY[jsonb_array_length(p_requests)]);
    v_takes ledger_take[] := ledger_takes(p_organization_id, p_requests);
BEGIN
    IF v_answers = '{}' OR ledger_all_fit_at_sight(p_organization_id, p_requests, v_takes) THEN
        RETURN v_answers;
    END IF;
    FOR n IN 1 .. cardinality(v_answers) LOOP
        v_answers[n] := ledger_refused_at_sight(
            p_organization_id, jsonb_build_array(p_requests->(n - 1)), ledger_takes_of(v_takes, p_requests->(n - 1)));
    END LOOP;
    RETURN v_answers;
END $$;

-- Admits the requests that have no answer yet (`p_open`, in their order): together if they plainly fit, otherwise one
-- after the other. Returns the answers of all.
CREATE OR REPLACE FUNCTION ledger_admit_series(
    p_organization_id uuid, p_requests jsonb, p_answers jsonb[], p_open jsonb, p_locked_ids uuid[]
) RETURNS jsonb[] LANGUAGE plpgsql AS $$
DECLARE
    v_answers jsonb[] := p_answers;
    v_together jsonb;
    v_next integer := 0;
BEGIN
    IF jsonb_array_length(p_open) > 1 THEN
        v_together := ledger_admit(p_organization_id, p_open, p_locked_ids);
    END IF;
    FOR n IN 1 .. cardinality(v_answers) LOOP
        CONTINUE WHEN v_answers[n] IS NOT NULL;
        v_answers[n] := coalesce(
            v_together->v_next,
            ledger_admit(p_organization_id, jsonb_build_array(p_requests->(n - 1)), p_locked_ids)->0
        );
        v_next := v_next + 1;
    END LOOP;
    RETURN v_answers;
END $$;

-- What became of a series with these answers; all but DONE is to be undone.
CREATE OR REPLACE FUNCTION ledger_series_outcome(p_answers jsonb[], p_all_or_none boolean)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_outcomes text[] := ARRAY(SELECT a->>'outcome' FROM unnest(p_answers) a);
BEGIN
    RETURN CASE
        WHEN 'RELOCK' = ANY (v_outcomes) THEN 'RELOCK'
        WHEN 'STALE' = ANY (v_outcomes) THEN 'STALE'
        WHEN p_all_or_none AND NOT 'DONE' = ALL (v_outcomes) THEN 'REFUSED'
        WHEN 'DONE' = ANY (v_outcomes) THEN 'DONE'
        ELSE 'REFUSED'
    END;
END $$;
