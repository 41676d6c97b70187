-- Steps of many timelines over one window each, with the version of each resource, in one statement and so in one
-- snapshot. The n-th of each list makes one question. A second kind of row (over = true) tells what holds that are over
-- still take there: the next admission would expire them, so nobody is shown that as taken. In the folded past nothing is.
WITH asked AS (
    SELECT a.* FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
        WITH ORDINALITY AS a (organization_id, resource_id, starts_at, ends_at, position)
)
SELECT a.position::int, r.version, false AS over, greatest(s.at, a.starts_at) AS starts_at, NULL::timestamptz AS ends_at,
       s.capacity, s.taken, s.sharing_key, s.closed
  FROM asked a
  JOIN resource r ON r.organization_id = a.organization_id AND r.id = a.resource_id
 CROSS JOIN LATERAL (
    (SELECT t.at, t.capacity, t.taken, t.sharing_key, t.closed FROM timeline t
      WHERE t.organization_id = a.organization_id AND t.resource_id = a.resource_id AND t.at <= a.starts_at
      ORDER BY t.at DESC LIMIT 1)
    UNION ALL
    (SELECT t.at, t.capacity, t.taken, t.sharing_key, t.closed FROM timeline t
      WHERE t.organization_id = a.organization_id AND t.resource_id = a.resource_id
        AND t.at > a.starts_at AND t.at < a.ends_at)
 ) s
UNION ALL
SELECT a.position::int, 0, true, greatest(c.starts_at, a.starts_at, r.folded_until), least(c.ends_at, a.ends_at), 0, c.quantity, NULL, false
  FROM asked a
  JOIN resource r ON r.organization_id = a.organization_id AND r.id = a.resource_id
  JOIN booking b ON b.organization_id = a.organization_id AND b.status IN ('ON_HOLD', 'PENDING') AND b.hold_expires_at <= (SELECT clock_timestamp())
  JOIN claim c ON c.organization_id = b.organization_id AND c.booking_id = b.id AND c.resource_id = a.resource_id
              AND c.starts_at < a.ends_at AND c.ends_at > greatest(a.starts_at, r.folded_until)
 ORDER BY 1, 3, 4
