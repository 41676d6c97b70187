-- What is counted of all organizations while they work: each count ends at 10,000, since it is asked most when there is much.

-- How far behind the worker is, and who waits for a lock just now: what is looked at to see whether it keeps up.
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

-- Of how many payments only people can see to what is next, by what that is: a refund that has failed three times, a card
-- that was declined four times for what fell due, a dispute that is open.
CREATE OR REPLACE FUNCTION worker_payments_for_staff()
RETURNS TABLE (refunds bigint, balances bigint, disputes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM (
                SELECT FROM payment_refund r
                 WHERE r.state = 'FAILED'
                 GROUP BY r.organization_id, r.booking_id, r.payment_number
                HAVING count(*) > 2
                 LIMIT 10000) failed),
           (SELECT count(*) FROM (
                SELECT FROM payment p
                  JOIN booking b ON b.organization_id = p.organization_id AND b.id = p.booking_id
                 WHERE p.purpose = 'BALANCE' AND p.state = 'VOID' AND p.failures > 3
                   AND b.status IN ('CONFIRMED', 'REDEEMED', 'COMPLETED')
                   AND ledger_outstanding(p.organization_id, b) > 0
                 LIMIT 10000) declined),
           (SELECT count(*) FROM (SELECT FROM payment_dispute d WHERE d.state = 'OPEN' LIMIT 10000) disputed);
$$;
