-- How far behind the worker is, and who waits for a lock just now: what is looked at to see whether it keeps up.
-- Counts end at 10,000, since it is asked most when there is much.

CREATE OR REPLACE FUNCTION worker_backlog()
RETURNS TABLE (
    holds_over bigint, oldest_over_seconds double precision,
    unpublished bigint, oldest_unpublished_seconds double precision,
    waiting bigint, longest_wait_seconds double precision
) LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH over AS (
        SELECT b.hold_expires_at AS at FROM booking b
         WHERE b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at <= (SELECT clock_timestamp())
         ORDER BY b.hold_expires_at
         LIMIT 10000
    ), behind AS (
        SELECT o.created_at AS at FROM outbox o
         WHERE o.published_at IS NULL
         ORDER BY o.created_at
         LIMIT 10000
    ), waiter AS (
        SELECT l.waitstart AS at FROM pg_locks l
         WHERE NOT l.granted
         LIMIT 10000
    )
    SELECT (SELECT count(*) FROM over), coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(at) FROM over)), 0),
           (SELECT count(*) FROM behind),
           coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(at) FROM behind)), 0),
           (SELECT count(*) FROM waiter),
           coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(at) FROM waiter)), 0);
$$;
