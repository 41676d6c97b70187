-- What the audit compares with what is owed for each booking whose money was taken, and is not under way just now: with the
-- owner's rights, since it looks at all organizations, and without whom a booking is for. `returned`: what went back
-- because of the version that the booking has.
CREATE OR REPLACE FUNCTION audit_money()
RETURNS TABLE (booking jsonb, quote jsonb, paid bigint, returned bigint, charged_back bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT to_jsonb(b) || '{"contact_name": null, "contact_email": null, "contact_phone": null}',
           CASE WHEN q.id IS NOT NULL THEN jsonb_build_object(
               'currency', q.currency, 'due_now', q.due_now, 'due_later', q.due_later, 'terms', q.terms,
               'kept_before', q.kept_before, 'owed_least', q.owed_least) END,
           ledger_paid(b.organization_id, b.id),
           (SELECT coalesce(sum(r.amount), 0)::bigint FROM payment_refund r
             WHERE r.organization_id = b.organization_id AND r.booking_id = b.id AND r.state <> 'FAILED'
               AND r.booking_version = b.version),
           p.charged_back
      FROM (
          SELECT organization_id, booking_id, sum(payment.charged_back)::bigint AS charged_back,
                 bool_or(decision = 'CAPTURE' AND state = 'CAPTURED') AS is_taken,
                 min(coalesce(check_at, 'infinity')) AS check_at
            FROM payment
           GROUP BY organization_id, booking_id
      ) p
      JOIN booking b ON b.organization_id = p.organization_id AND b.id = p.booking_id
      LEFT JOIN quote q ON q.organization_id = b.organization_id AND q.id = b.quote_id
     WHERE p.is_taken AND p.check_at > statement_timestamp() + interval '5 minutes'
$$;
