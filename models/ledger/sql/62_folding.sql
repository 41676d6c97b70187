-- Folding: of what is long past, a timeline keeps no change points (docs/adr/0011).

-- Folds a timeline up to the last of its change points that is not after `p_until`, at most `p_points` of them at once.
-- The step that begins there stays, and so does all after it; what was before goes, but for the row at the dawn of time:
-- that one is closed from then on, so that nothing can be admitted there. Its capacity stays what the resource was made
-- with. Nothing that can still be booked changes, so there is no new version. The caller has locked the resource.
CREATE OR REPLACE FUNCTION ledger_fold(
    p_organization_id uuid, p_resource_id uuid, p_until timestamptz, p_points integer
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_before timestamptz;
    v_folded timestamptz;
    v_next timestamptz;
BEGIN
    SELECT coalesce(r.folded_until, '-infinity') INTO v_before FROM resource r
     WHERE r.organization_id = p_organization_id AND r.id = p_resource_id;
    SELECT coalesce(max(past.at), v_before) INTO v_folded FROM (
        SELECT t.at FROM timeline t
         WHERE t.organization_id = p_organization_id AND t.resource_id = p_resource_id
           AND t.at > v_before AND t.at <= p_until
         ORDER BY t.at
         LIMIT p_points
    ) past;
    IF v_folded > v_before THEN
        DELETE FROM timeline t
         WHERE t.organization_id = p_organization_id AND t.resource_id = p_resource_id
           AND t.at > '-infinity' AND t.at < v_folded;
        UPDATE timeline t SET taken = 0, sharing_key = NULL, closed = true
         WHERE t.organization_id = p_organization_id AND t.resource_id = p_resource_id AND t.at = '-infinity'
           AND NOT (t.taken = 0 AND t.closed);
    END IF;
    SELECT min(t.at) INTO v_next FROM timeline t
     WHERE t.organization_id = p_organization_id AND t.resource_id = p_resource_id AND t.at > v_folded;
    UPDATE resource r SET folded_until = nullif(v_folded, '-infinity'), foldable_from = v_next
     WHERE r.organization_id = p_organization_id AND r.id = p_resource_id;
END $$;

-- Folds up to `p_limit` timelines of any organization to what is older than `p_keep`, those that wait longest first;
-- returns how many. What is being admitted to just now is left for later. One call holds its locks until it commits.
CREATE OR REPLACE FUNCTION worker_fold(p_keep interval, p_limit integer, p_points integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_until timestamptz := clock_timestamp() - p_keep;
    v_resource record;
    v_folded integer := 0;
BEGIN
    FOR v_resource IN SELECT * FROM ledger_try_lock_foldable(v_until, p_limit) LOOP
        PERFORM ledger_fold(v_resource.organization_id, v_resource.resource_id, v_until, p_points);
        v_folded := v_folded + 1;
    END LOOP;
    RETURN v_folded;
END $$;
