-- What a hold costs: the quote that it was made by, or one that is kept with it; and how often a promo code is used.
-- A request may have: quote_id, with the new `quote` itself or without, when it was made before; and promo_code_id.

-- Why these requests do not get their prices, or NULL. Asked under all locks, those of the promo codes included, so that
-- what is counted here stays so until the commit: bookings that use a code only come under its lock, and go at any time.
CREATE OR REPLACE FUNCTION ledger_price_refusal(p_organization_id uuid, p_requests jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (
        SELECT FROM jsonb_to_recordset(p_requests) AS q (quote_id uuid, quote jsonb)
          JOIN quote k ON k.organization_id = p_organization_id AND k.id = q.quote_id
         WHERE q.quote IS NULL AND k.expires_at <= clock_timestamp()
    ) THEN
        RETURN jsonb_build_object('code', 'PRICE_CHANGED');
    END IF;
    IF EXISTS (
        SELECT FROM (
            SELECT q.promo_code_id AS id, count(*) AS wanted
              FROM jsonb_to_recordset(p_requests) AS q (promo_code_id uuid)
             WHERE q.promo_code_id IS NOT NULL
             GROUP BY q.promo_code_id
        ) asked
          JOIN promo_code c ON c.organization_id = p_organization_id AND c.id = asked.id
         WHERE asked.wanted + (
             SELECT count(*) FROM booking b
              WHERE b.organization_id = p_organization_id AND b.promo_code_id = asked.id
                AND b.status NOT IN ('EXPIRED', 'CANCELLED', 'REJECTED')
         ) > c.uses_max
    ) THEN
        RETURN jsonb_build_object('code', 'PROMO_CODE_INVALID');
    END IF;
    RETURN NULL;
END $$;

-- Keeps the quotes that these requests bring along: before the bookings, which lead to them.
CREATE OR REPLACE FUNCTION ledger_keep_quotes(p_organization_id uuid, p_requests jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quote (
        organization_id, id, currency, inputs, inputs_hash, lines, taxes, terms, due_later, subtotal, tax, total, due_now,
        due_at_venue, promo_code_id, actor, expires_at, kept_before, owed_least, replaces_id
    )
    SELECT p_organization_id, q.quote_id, k.currency, k.inputs, decode(k.inputs_hash, 'hex'), k.lines, k.taxes,
           k.terms, k.due_later, k.subtotal, k.tax, k.total, k.due_now, k.due_at_venue, q.promo_code_id, q.actor, k.expires_at,
           coalesce(k.kept_before, 0), coalesce(k.owed_least, 0), k.replaces_id
      FROM jsonb_to_recordset(p_requests) AS q (quote_id uuid, promo_code_id uuid, actor text, quote jsonb)
      CROSS JOIN LATERAL jsonb_to_record(q.quote) AS k (
          currency text, inputs jsonb, inputs_hash text, lines jsonb, taxes jsonb, terms jsonb,
          due_later jsonb, subtotal bigint, tax bigint,
          total bigint, due_now bigint, due_at_venue bigint, expires_at timestamptz,
          kept_before bigint, owed_least bigint, replaces_id uuid
      )
     WHERE q.quote IS NOT NULL;
END $$;
