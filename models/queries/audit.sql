-- What is true of every database, whatever has happened to it, as statements that find what breaks it.
--
-- A heading `-- N. promise` begins a statement; those with the same N are sides of one invariant: 1 capacity, 2 bookings
-- and their claims, 3 idempotency, 4 versions and history, 5 the shape of capacity, 6 organizations, 7 prices, 8 money.
-- Each tells its violations as text, by ids and instants alone, never by anything about a person. All run in one snapshot.
-- What is said of a timeline is said of it from where it was folded to; before, it is closed and nothing is known.

-- 1. what is claimed never exceeds the capacity
WITH live AS (
    SELECT c.organization_id, c.resource_id, greatest(c.starts_at, r.folded_until) AS starts_at, c.ends_at, c.quantity
      FROM claim c
      JOIN resource r ON r.organization_id = c.organization_id AND r.id = c.resource_id
     WHERE c.ends_at > coalesce(r.folded_until, '-infinity')
), change AS (
    SELECT organization_id, resource_id, starts_at AS at, quantity AS added FROM live
    UNION ALL
    SELECT organization_id, resource_id, ends_at, -quantity FROM live
    UNION ALL
    SELECT t.organization_id, t.resource_id, t.at, 0
      FROM timeline t
      JOIN resource r ON r.organization_id = t.organization_id AND r.id = t.resource_id
     WHERE t.at >= coalesce(r.folded_until, '-infinity')
), swept AS (
    SELECT organization_id, resource_id, at,
           sum(sum(added)) OVER (PARTITION BY organization_id, resource_id ORDER BY at) AS claimed
      FROM change
     GROUP BY organization_id, resource_id, at
)
SELECT format('resource %s at %s', s.resource_id, s.at) AS violation
  FROM swept s
  LEFT JOIN LATERAL (
      SELECT t.capacity FROM timeline t
       WHERE t.organization_id = s.organization_id AND t.resource_id = s.resource_id AND t.at <= s.at
       ORDER BY t.at DESC
       LIMIT 1
  ) step ON true
 WHERE s.claimed > coalesce(step.capacity, 0)

-- 1. the timeline is the sweep of the claims
WITH live AS (
    SELECT c.organization_id, c.resource_id, greatest(c.starts_at, r.folded_until) AS starts_at, c.ends_at, c.quantity
      FROM claim c
      JOIN resource r ON r.organization_id = c.organization_id AND r.id = c.resource_id
     WHERE c.ends_at > coalesce(r.folded_until, '-infinity')
), change AS (
    SELECT organization_id, resource_id, starts_at AS at, quantity AS added FROM live
    UNION ALL
    SELECT organization_id, resource_id, ends_at, -quantity FROM live
    UNION ALL
    SELECT t.organization_id, t.resource_id, t.at, 0
      FROM timeline t
      JOIN resource r ON r.organization_id = t.organization_id AND r.id = t.resource_id
     WHERE t.at >= coalesce(r.folded_until, '-infinity')
), swept AS (
    SELECT organization_id, resource_id, at,
           sum(sum(added)) OVER (PARTITION BY organization_id, resource_id ORDER BY at) AS claimed
      FROM change
     GROUP BY organization_id, resource_id, at
)
SELECT format('resource %s at %s', s.resource_id, s.at) AS violation
  FROM swept s
  LEFT JOIN LATERAL (
      SELECT t.taken FROM timeline t
       WHERE t.organization_id = s.organization_id AND t.resource_id = s.resource_id AND t.at <= s.at
       ORDER BY t.at DESC
       LIMIT 1
  ) step ON true
 WHERE s.claimed IS DISTINCT FROM step.taken

-- 1. every timeline begins at the dawn of time, and where it was folded goes on from there
SELECT format('resource %s', r.id) AS violation
  FROM resource r
  LEFT JOIN timeline dawn ON dawn.organization_id = r.organization_id AND dawn.resource_id = r.id
                         AND dawn.at = '-infinity'
  LEFT JOIN LATERAL (
      SELECT min(t.at) AS at FROM timeline t
       WHERE t.organization_id = r.organization_id AND t.resource_id = r.id AND t.at > '-infinity'
  ) first ON true
  LEFT JOIN LATERAL (
      SELECT min(t.at) AS at FROM timeline t
       WHERE t.organization_id = r.organization_id AND t.resource_id = r.id
         AND t.at > coalesce(r.folded_until, '-infinity')
  ) next ON true
 WHERE dawn.at IS NULL
    OR (r.folded_until IS NOT NULL AND (first.at, dawn.taken, dawn.closed) IS DISTINCT FROM (r.folded_until, 0, true))
    OR coalesce(r.foldable_from, 'infinity') > coalesce(next.at, 'infinity')

-- 1. nobody shares with a party that may not be joined
SELECT format('booking %s on resource %s at %s', c.booking_id, c.resource_id, greatest(t.at, c.starts_at)) AS violation
  FROM claim c
  JOIN resource r ON r.organization_id = c.organization_id AND r.id = c.resource_id
                 AND c.ends_at > coalesce(r.folded_until, '-infinity')
  JOIN timeline t ON t.organization_id = c.organization_id AND t.resource_id = c.resource_id AND t.at < c.ends_at
                 AND t.at >= (
                     SELECT max(f.at) FROM timeline f
                      WHERE f.organization_id = c.organization_id AND f.resource_id = c.resource_id
                        AND f.at <= greatest(c.starts_at, r.folded_until)
                 )
 WHERE c.sharing_key IS DISTINCT FROM t.sharing_key

-- 1. the guards are on, and the application's role can not get around them
SELECT format('trigger %s of %s is off', guard.name, guard.relation) AS violation
  FROM (VALUES
      ('resource', 'resource_made'), ('claim', 'claim_changed'), ('claim', 'claim_not_updated'),
      ('claim', 'claim_of_whole_booking'), ('adjustment', 'adjustment_made'),
      ('adjustment', 'adjustment_append_only'), ('booking', 'booking_before_change'),
      ('booking', 'booking_after_change'), ('booking', 'booking_is_whole'),
      ('booking_event', 'booking_event_append_only'), ('booking', 'waitlist_offer_settled'),
      ('booking', 'waitlist_offer_paid_late'),
      ('waitlist_entry', 'waitlist_entry_before_change'), ('waitlist_entry', 'waitlist_entry_after_change'),
      ('waitlist_event', 'waitlist_event_append_only'), ('quote', 'quote_stays_as_it_is'),
      ('payment', 'payment_before_change'), ('payment', 'payment_made'), ('payment', 'payment_changed'),
      ('payment_refund', 'payment_refund_made'), ('payment_refund', 'payment_refund_changed'),
      ('payment_dispute', 'payment_dispute_made'), ('payment_dispute', 'payment_dispute_changed'),
      ('payment_event', 'payment_event_append_only'), ('booking', 'payment_booking_moved')
  ) guard (relation, name)
 WHERE NOT EXISTS (
     SELECT FROM pg_trigger t
      WHERE t.tgrelid = to_regclass(guard.relation) AND t.tgname = guard.name AND t.tgenabled IN ('O', 'A')
 )
UNION ALL
SELECT format('check %s of %s is off', guard.name, guard.relation)
  FROM (VALUES
      ('timeline', 'timeline_taken_check'), ('timeline', 'timeline_sharing_key_check'), ('claim', 'claim_quantity_check'),
      ('claim', 'claim_interval_check'), ('booking', 'booking_status_check')
  ) guard (relation, name)
 WHERE NOT EXISTS (
     SELECT FROM pg_constraint c
      WHERE c.conrelid = to_regclass(guard.relation) AND c.conname = guard.name AND c.convalidated
 )
UNION ALL
SELECT format('the application may write %s', written.relation)
  FROM (VALUES ('timeline'), ('outbox'), ('booking_event'), ('booking_rule_change'),
              ('price_change'), ('waitlist_event'), ('payment_event')) written (relation)
 WHERE has_table_privilege('vacancy_app', written.relation, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT format('the application may write %s of resource', written.attribute)
  FROM (VALUES ('version'), ('catalog_version'), ('capacity'), ('folded_until'), ('foldable_from')) written (attribute)
 WHERE has_column_privilege('vacancy_app', 'resource', written.attribute, 'UPDATE')

-- 2. a booking is live with all its claims, or has ended with none
SELECT format('booking %s, %s', b.id, b.status) AS violation
  FROM booking b
  LEFT JOIN (
      SELECT organization_id, booking_id, count(*) AS claims FROM claim GROUP BY organization_id, booking_id
  ) c ON c.organization_id = b.organization_id AND c.booking_id = b.id
 WHERE coalesce(c.claims, 0) <> CASE WHEN b.status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'REDEEMED')
                                     THEN b.claim_count ELSE 0 END
    OR b.claim_count < 1

-- 2. every item of a live booking is claimed, for its whole time or longer
SELECT format('booking %s', b.id) AS violation
  FROM booking b
  LEFT JOIN (
      SELECT organization_id, booking_id, resource_id, starts_at, ends_at, sum(quantity) AS quantity
        FROM booking_item
       GROUP BY organization_id, booking_id, resource_id, starts_at, ends_at
  ) i ON i.organization_id = b.organization_id AND i.booking_id = b.id
 WHERE b.status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'REDEEMED')
   AND NOT EXISTS (
       SELECT FROM claim c
        WHERE c.organization_id = i.organization_id AND c.booking_id = i.booking_id AND c.resource_id = i.resource_id
          AND c.starts_at <= i.starts_at AND c.ends_at >= i.ends_at AND c.quantity >= i.quantity
   )

-- 2. of what an item was to choose from, a live booking has claimed as many different ones as it wanted
SELECT format('booking %s, item %s', b.id, i.position) AS violation
  FROM booking b
  JOIN booking_item i ON i.organization_id = b.organization_id AND i.booking_id = b.id
 WHERE b.status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'REDEEMED') AND i.chosen IS NOT NULL
   AND i.quantity <> (
       SELECT count(DISTINCT m.id) FROM unnest(i.chosen) m (id)
         JOIN claim c ON c.organization_id = b.organization_id AND c.booking_id = b.id AND c.resource_id = m.id
                     AND c.starts_at <= i.starts_at AND c.ends_at >= i.ends_at
   )

-- 2. what is chosen from is chosen from once: it has neither requirements nor members, and who chooses is not required
SELECT format('resource %s by %s', c.member_id, c.resource_id) AS violation
  FROM resource_choice c
 WHERE EXISTS (
           SELECT FROM resource_choice deeper
            WHERE deeper.organization_id = c.organization_id AND deeper.resource_id = c.member_id)
    OR EXISTS (
           SELECT FROM resource_requirement q
            WHERE q.organization_id = c.organization_id AND (q.resource_id = c.member_id OR q.required_id = c.resource_id))

-- 2. no hold outlasts its ceiling
SELECT format('booking %s', id) AS violation FROM booking WHERE status = 'ON_HOLD' AND hold_expires_at > hold_ceiling_at

-- 2. an entry of a waitlist is OFFERED exactly while the booking of its offer is ON_HOLD
SELECT format('entry %s, %s', e.id, e.status) AS violation
  FROM waitlist_entry e
  JOIN booking b ON b.organization_id = e.organization_id AND b.id = e.booking_id
 WHERE (e.status = 'OFFERED') <> (b.status = 'ON_HOLD')
UNION ALL
SELECT format('booking %s', b.id)
  FROM booking b
  JOIN booking_event v ON v.organization_id = b.organization_id AND v.booking_id = b.id AND v.version = 1
 WHERE b.status = 'ON_HOLD' AND v.actor = 'waitlist' AND NOT EXISTS (
     SELECT FROM waitlist_entry e
      WHERE e.organization_id = b.organization_id AND e.booking_id = b.id AND e.status = 'OFFERED'
 )

-- 2. an offer is one booking of all that is waited for
SELECT format('entry %s', e.id) AS violation
  FROM waitlist_entry e
 WHERE e.booking_id IS NOT NULL
   AND NOT EXISTS (  -- which the guest may change once it is theirs
       SELECT FROM booking_event v
        WHERE v.organization_id = e.organization_id AND v.booking_id = e.booking_id
          AND v.kind IN ('CHANGED', 'ITEM_CANCELLED')
   )
   AND ARRAY[(e.resource_id, e.quantity)] <> ARRAY(
     SELECT (i.resource_id, i.quantity) FROM booking_item i
      WHERE i.organization_id = e.organization_id AND i.booking_id = e.booking_id
 )

-- 2. what is required requires nothing itself
SELECT format('resource %s by %s', q.required_id, q.resource_id) AS violation
  FROM resource_requirement q
 WHERE EXISTS (
     SELECT FROM resource_requirement deeper
      WHERE deeper.organization_id = q.organization_id AND deeper.resource_id = q.required_id
 )

-- 3. an idempotency key leads to what was done under it
WITH done AS (
    SELECT organization_id, created_at, result,
           CASE WHEN result->>'booking_id' ~ '^[0-9a-f-]{36}$' THEN (result->>'booking_id')::uuid END AS booking_id,
           CASE WHEN result->>'resource_id' ~ '^[0-9a-f-]{36}$' THEN (result->>'resource_id')::uuid END AS resource_id,
           CASE WHEN result->>'venue_id' ~ '^[0-9a-f-]{36}$' THEN (result->>'venue_id')::uuid END AS venue_id,
           CASE WHEN result->>'rule_id' ~ '^[0-9a-f-]{36}$' THEN (result->>'rule_id')::uuid END AS rule_id,
           CASE WHEN result->>'setting_id' ~ '^[0-9a-f-]{36}$' THEN (result->>'setting_id')::uuid END AS setting_id,
           CASE WHEN result->>'quote_id' ~ '^[0-9a-f-]{36}$' THEN (result->>'quote_id')::uuid END AS quote_id,
           CASE jsonb_typeof(result->'rule_version')
               WHEN 'number' THEN (result->>'rule_version')::bigint END AS rule_version,
           CASE jsonb_typeof(result->'version') WHEN 'number' THEN (result->>'version')::bigint END AS version
      FROM idempotency
)
SELECT format('key of %s, written at %s',
              coalesce(d.booking_id, d.resource_id, d.venue_id, d.rule_id, d.setting_id, d.quote_id), d.created_at) AS violation
  FROM done d
 WHERE d.result = '{}'
    OR (d.result ? 'booking_id' AND NOT EXISTS (
           SELECT FROM booking b WHERE b.organization_id = d.organization_id AND b.id = d.booking_id))
    OR (d.result ? 'resource_id' AND NOT EXISTS (
           SELECT FROM resource r WHERE r.organization_id = d.organization_id AND r.id = d.resource_id))
    OR (d.result ? 'venue_id' AND NOT EXISTS (
           SELECT FROM venue v WHERE v.organization_id = d.organization_id AND v.id = d.venue_id))
    OR (d.result ? 'rule_id' AND NOT EXISTS (
           SELECT FROM booking_rule_change c
            WHERE c.organization_id = d.organization_id AND c.rule_id = d.rule_id AND c.version = d.rule_version))
    OR (d.result ? 'setting_id' AND NOT EXISTS (
           SELECT FROM price_change c
            WHERE c.organization_id = d.organization_id AND c.setting_id = d.setting_id AND c.version = d.version))
    OR (d.quote_id IS NOT NULL AND NOT EXISTS (  -- one that nobody has booked by is forgotten, but later than its key
           SELECT FROM quote q WHERE q.organization_id = d.organization_id AND q.id = d.quote_id))
    OR (d.result ? 'version' AND NOT d.result ? 'setting_id' AND NOT EXISTS (
           SELECT FROM adjustment a
            WHERE a.organization_id = d.organization_id AND a.resource_id = d.resource_id AND a.version = d.version))

-- 4. each version of a resource, a booking or a waitlist's entry is in the outbox, without gaps
-- Rows are forgotten after seven days, in no strict order: only those younger have to be there, and the newest of all.
WITH entity AS (
    SELECT organization_id, 'RESOURCE' AS kind, id, version, created_at FROM resource
    UNION ALL
    SELECT organization_id, 'BOOKING', id, version, created_at FROM booking
    UNION ALL
    SELECT organization_id, 'WAITLIST', id, version, created_at FROM waitlist_entry
), kept AS (
    SELECT organization_id, kind, entity_id, max(version) AS newest,
           min(version) FILTER (WHERE created_at > statement_timestamp() - interval '7 days') AS oldest,
           count(*) FILTER (WHERE created_at > statement_timestamp() - interval '7 days') AS rows
      FROM outbox
     GROUP BY organization_id, kind, entity_id
)
SELECT format('%s %s', lower(coalesce(e.kind, k.kind)), coalesce(e.id, k.entity_id)) AS violation
  FROM entity e
  FULL JOIN kept k ON k.organization_id = e.organization_id AND k.kind = e.kind AND k.entity_id = e.id
 WHERE coalesce(k.newest, 0) IS DISTINCT FROM e.version
    OR k.rows <> k.newest - k.oldest + 1
    OR (coalesce(k.oldest, k.newest) > 1 AND e.created_at > statement_timestamp() - interval '7 days')

-- 4. the history of a booking has every version, and ends as the booking is
SELECT format('booking %s', b.id) AS violation
  FROM booking b
  LEFT JOIN (
      SELECT organization_id, booking_id, min(version) AS oldest, max(version) AS newest, count(*) AS events
        FROM booking_event
       GROUP BY organization_id, booking_id
  ) h ON h.organization_id = b.organization_id AND h.booking_id = b.id
  LEFT JOIN booking_event e ON e.organization_id = b.organization_id AND e.booking_id = b.id AND e.version = b.version
 WHERE (h.oldest, h.newest, h.events) IS DISTINCT FROM (1, b.version, b.version)
    OR (e.kind, e.status) IS DISTINCT FROM (b.last_event, b.status)

-- 4. the history of a rule has every version, and ends as the rule is
SELECT format('rule %s', r.id) AS violation
  FROM booking_rule r
  LEFT JOIN (
      SELECT organization_id, rule_id, min(version) AS oldest, max(version) AS newest, count(*) AS changes
        FROM booking_rule_change
       GROUP BY organization_id, rule_id
  ) h ON h.organization_id = r.organization_id AND h.rule_id = r.id
  LEFT JOIN booking_rule_change c ON c.organization_id = r.organization_id AND c.rule_id = r.id AND c.version = r.version
 WHERE (h.oldest, h.newest, h.changes) IS DISTINCT FROM (1, r.version, r.version)
    OR (c.venue_id, c.resource_id, c.type, c.parameters, c.priority, c.valid_from, c.valid_until, c.is_removed, c.actor)
       IS DISTINCT FROM
       (r.venue_id, r.resource_id, r.type, r.parameters, r.priority, r.valid_from, r.valid_until, r.is_removed,
        r.last_actor)

-- 4. the history of what prices, taxes and policies are made of has every version, and ends as each is
WITH setting AS (
    SELECT organization_id, id, version, 'RATE_PLAN' AS kind, to_jsonb(s) AS content FROM rate_plan s
    UNION ALL
    SELECT organization_id, id, version, 'PRICE_RULE', to_jsonb(s) FROM price_rule s
    UNION ALL
    SELECT organization_id, id, version, 'TAX_RULE', to_jsonb(s) FROM tax_rule s
    UNION ALL
    SELECT organization_id, id, version, 'CANCELLATION_POLICY', to_jsonb(s) FROM cancellation_policy s
    UNION ALL
    SELECT organization_id, id, version, 'PROMO_CODE', to_jsonb(s) FROM promo_code s
)
SELECT format('%s %s', lower(replace(s.kind, '_', ' ')), s.id) AS violation
  FROM setting s
  LEFT JOIN (
      SELECT organization_id, setting_id, min(version) AS oldest, max(version) AS newest, count(*) AS changes
        FROM price_change
       GROUP BY organization_id, setting_id
  ) h ON h.organization_id = s.organization_id AND h.setting_id = s.id
  LEFT JOIN price_change c ON c.organization_id = s.organization_id AND c.setting_id = s.id AND c.version = s.version
 WHERE (h.oldest, h.newest, h.changes) IS DISTINCT FROM (1, s.version, s.version)
    OR (c.kind, c.content - 'created_at' - 'updated_at')
       IS DISTINCT FROM (s.kind, s.content - 'created_at' - 'updated_at')

-- 4. the history of a waitlist's entry has every version, and ends as the entry is
SELECT format('entry %s', e.id) AS violation
  FROM waitlist_entry e
  LEFT JOIN (
      SELECT organization_id, entry_id, min(version) AS oldest, max(version) AS newest, count(*) AS events
        FROM waitlist_event
       GROUP BY organization_id, entry_id
  ) h ON h.organization_id = e.organization_id AND h.entry_id = e.id
  LEFT JOIN waitlist_event v ON v.organization_id = e.organization_id AND v.entry_id = e.id AND v.version = e.version
 WHERE (h.oldest, h.newest, h.events) IS DISTINCT FROM (1, e.version, e.version)
    OR (v.status, v.booking_id) IS DISTINCT FROM (e.status, e.booking_id)

-- 4. no booking has gone from a status to one that does not follow it
SELECT format('booking %s, version %s', h.booking_id, h.version) AS violation
  FROM (
      SELECT booking_id, version, status, kind,
             lag(status, 1, 'ON_HOLD') OVER (PARTITION BY organization_id, booking_id ORDER BY version) AS before
        FROM booking_event
  ) h
 WHERE h.status <> h.before AND h.before || ' ' || h.status <> ALL (ARRAY[
     'ON_HOLD CONFIRMED', 'ON_HOLD PENDING', 'ON_HOLD EXPIRED', 'ON_HOLD CANCELLED',
     'PENDING CONFIRMED', 'PENDING REJECTED', 'PENDING EXPIRED', 'PENDING CANCELLED',
     'CONFIRMED REDEEMED', 'CONFIRMED CANCELLED', 'CONFIRMED NO_SHOW', 'REDEEMED COMPLETED'
 ]) AND h.before || ' ' || h.kind || ' ' || h.status <> ALL (ARRAY[
     'EXPIRED CONFIRMED_LATE CONFIRMED', 'EXPIRED SUBMITTED PENDING'
 ])

-- 5. capacity and closings are what was asked for, the last word counting
WITH point AS (
    SELECT organization_id, resource_id, at FROM timeline
    UNION
    SELECT organization_id, resource_id, starts_at FROM adjustment
    UNION
    SELECT organization_id, resource_id, ends_at FROM adjustment WHERE ends_at IS NOT NULL
)
SELECT format('resource %s at %s', p.resource_id, p.at) AS violation
  FROM point p
  JOIN resource r ON r.organization_id = p.organization_id AND r.id = p.resource_id
                 AND p.at >= coalesce(r.folded_until, '-infinity')
  JOIN timeline dawn ON dawn.organization_id = p.organization_id AND dawn.resource_id = p.resource_id
                    AND dawn.at = '-infinity'
 CROSS JOIN LATERAL (
      SELECT t.capacity, t.closed FROM timeline t
       WHERE t.organization_id = p.organization_id AND t.resource_id = p.resource_id AND t.at <= p.at
       ORDER BY t.at DESC
       LIMIT 1
  ) step
  LEFT JOIN LATERAL (
      SELECT a.capacity FROM adjustment a
       WHERE a.organization_id = p.organization_id AND a.resource_id = p.resource_id AND a.capacity IS NOT NULL
         AND a.starts_at <= p.at AND (a.ends_at IS NULL OR a.ends_at > p.at)
       ORDER BY a.version DESC
       LIMIT 1
  ) size ON true
  LEFT JOIN LATERAL (
      SELECT a.closed FROM adjustment a
       WHERE a.organization_id = p.organization_id AND a.resource_id = p.resource_id AND a.closed IS NOT NULL
         AND a.starts_at <= p.at AND (a.ends_at IS NULL OR a.ends_at > p.at)
       ORDER BY a.version DESC
       LIMIT 1
  ) door ON true
 WHERE (step.capacity, step.closed) IS DISTINCT FROM (coalesce(size.capacity, dawn.capacity), coalesce(door.closed, false))

-- 5. the capacity of a resource is the last that was set without an end
SELECT format('resource %s', r.id) AS violation
  FROM resource r
  JOIN timeline dawn ON dawn.organization_id = r.organization_id AND dawn.resource_id = r.id AND dawn.at = '-infinity'
  LEFT JOIN LATERAL (
      SELECT a.capacity FROM adjustment a
       WHERE a.organization_id = r.organization_id AND a.resource_id = r.id
         AND a.capacity IS NOT NULL AND a.ends_at IS NULL
       ORDER BY a.version DESC
       LIMIT 1
  ) last ON true
 WHERE r.capacity <> coalesce(last.capacity, dawn.capacity)

-- 6. every row belongs to an organization that exists
SELECT format('%s of organization %s', row.name, row.organization_id) AS violation
  FROM (
      SELECT 'booking' AS name, organization_id FROM booking
      UNION SELECT 'claim', organization_id FROM claim
      UNION SELECT 'idempotency', organization_id FROM idempotency
      UNION SELECT 'outbox', organization_id FROM outbox
      UNION SELECT 'resource', organization_id FROM resource
      UNION SELECT 'venue', organization_id FROM venue
  ) row
 WHERE NOT EXISTS (SELECT FROM organization o WHERE o.id = row.organization_id)

-- 6. rows are guarded by their organization, and the application's role is under the guard
SELECT format('table %s has no row security', c.relname) AS violation
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
   AND EXISTS (
       SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attname = CASE c.relname WHEN 'organization' THEN 'id' ELSE 'organization_id' END
   )
   AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
UNION ALL
SELECT format('role %s is above it', r.rolname)
  FROM pg_roles r
 WHERE r.rolname = 'vacancy_app' AND (r.rolsuper OR r.rolbypassrls)
UNION ALL
SELECT format('the application owns %s', c.relname)
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relowner = 'vacancy_app'::regrole

-- 6. the directory names each organization and venue as it names itself
WITH named AS (
    SELECT 'ORGANIZATION' AS kind, id AS organization_id, NULL::uuid AS venue_id, slug, true AS is_published
      FROM organization
    UNION ALL
    SELECT 'VENUE', organization_id, id, slug, is_published FROM venue
)
SELECT format('%s %s', lower(coalesce(n.kind, d.kind)),
              coalesce(n.venue_id, n.organization_id, d.venue_id, d.organization_id)) AS violation
  FROM named n
  FULL JOIN directory d ON d.kind = n.kind AND d.organization_id = n.organization_id
                       AND coalesce(d.venue_id, d.organization_id) = coalesce(n.venue_id, n.organization_id)
 WHERE (n.slug, n.is_published) IS DISTINCT FROM (d.slug, d.is_published)

-- 7. the lines of a quote are its subtotal, and that with the tax its total
SELECT format('quote %s', q.id) AS violation
  FROM quote q
 WHERE q.subtotal <> (SELECT coalesce(sum((line->>'amount')::bigint), 0) FROM jsonb_array_elements(q.lines) line)
    OR q.total <> q.subtotal + q.tax
    OR q.total <> q.due_now + q.due_at_venue
                + (SELECT coalesce(sum((due->>'amount')::bigint), 0) FROM jsonb_array_elements(q.due_later) due)
    OR q.tax <> (SELECT coalesce(sum((owed->>'amount')::bigint), 0) FROM jsonb_array_elements(q.taxes) owed
                  WHERE NOT (owed->>'included')::boolean)

-- 7. a booking uses the promo code of its quote
SELECT format('booking %s', b.id) AS violation
  FROM booking b
  LEFT JOIN quote q ON q.organization_id = b.organization_id AND q.id = b.quote_id
 WHERE b.promo_code_id IS DISTINCT FROM q.promo_code_id

-- 8. what has happened to a payment sums to what was taken of it, what went back, and what was charged back
-- Of payments that nobody is to look at within minutes: what is under way may be written in part.
SELECT format('booking %s, payment %s', p.booking_id, p.number) AS violation
  FROM payment p
  LEFT JOIN (
      SELECT organization_id, booking_id, payment_number AS number,
             sum(amount) FILTER (WHERE kind = 'CAPTURE' AND outcome = 'SUCCEEDED') AS captured,
             sum(CASE outcome WHEN 'REQUESTED' THEN amount WHEN 'FAILED' THEN -amount ELSE 0 END)
                 FILTER (WHERE kind = 'REFUND') AS refunded,
             sum(CASE outcome WHEN 'REQUESTED' THEN amount WHEN 'FAILED' THEN -amount ELSE 0 END)
                 FILTER (WHERE kind = 'DISPUTE') AS charged_back
        FROM payment_event
       GROUP BY organization_id, booking_id, payment_number
  ) e USING (organization_id, booking_id, number)
 WHERE coalesce(p.check_at, 'infinity') > statement_timestamp() + interval '5 minutes'
   AND (p.captured, p.refunded, p.charged_back)
       <> (coalesce(e.captured, 0), coalesce(e.refunded, 0), coalesce(e.charged_back, 0))

-- 8. what was taken has bought a booking, or has gone back
SELECT format('booking %s, payment %s', p.booking_id, p.number) AS violation
  FROM payment p
  JOIN booking b ON b.organization_id = p.organization_id AND b.id = p.booking_id
 WHERE p.state = 'CAPTURED' AND coalesce(p.check_at, 'infinity') > statement_timestamp() + interval '5 minutes'
   AND CASE p.decision
       WHEN 'CAPTURE' THEN b.confirmed_at IS NULL
       WHEN 'VOID' THEN p.captured > p.charged_back + (
           SELECT coalesce(sum(r.amount), 0) FROM payment_refund r
            WHERE r.organization_id = p.organization_id AND r.booking_id = p.booking_id AND r.payment_number = p.number
              AND r.state <> 'FAILED')
       ELSE b.status <> 'PENDING'
       END

-- 8. no money is held for longer than ten minutes for a booking that is none
SELECT format('booking %s, %s, payment %s', b.id, b.status, p.number) AS violation
  FROM payment p
  JOIN booking b ON b.organization_id = p.organization_id AND b.id = p.booking_id
 WHERE p.state = 'HELD' AND b.status NOT IN ('PENDING', 'CONFIRMED', 'REDEEMED', 'COMPLETED', 'NO_SHOW')
   AND greatest(p.updated_at, b.updated_at) < statement_timestamp() - interval '10 minutes'

-- 8. what was confirmed because it was paid is paid, with no less than was due
SELECT format('booking %s', b.id) AS violation
  FROM booking b
  JOIN quote q ON q.organization_id = b.organization_id AND q.id = b.quote_id
 WHERE b.status IN ('CONFIRMED', 'REDEEMED', 'COMPLETED', 'NO_SHOW')
   AND EXISTS (
       SELECT FROM booking_event e
        WHERE e.organization_id = b.organization_id AND e.booking_id = b.id AND e.actor = 'payments'
          AND e.kind IN ('CONFIRMED', 'CONFIRMED_LATE', 'SUBMITTED'))
   AND coalesce((
       SELECT sum(p.amount) FROM payment p
        WHERE p.organization_id = b.organization_id AND p.booking_id = b.id AND p.purpose = 'BOOKING'
          AND p.state IN ('HELD', 'CAPTURED') AND p.decision IS DISTINCT FROM 'VOID'
   ), 0) < CASE WHEN EXISTS (
       SELECT FROM booking_event e
        WHERE e.organization_id = b.organization_id AND e.booking_id = b.id AND e.kind IN ('CHANGED', 'ITEM_CANCELLED')
          AND e.created_at >= b.confirmed_at
   ) THEN 1 ELSE q.due_now END
