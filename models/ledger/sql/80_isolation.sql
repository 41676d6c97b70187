-- Row-level security: which rows the application's role sees and writes, whatever its statements say or forget.
--
-- Two settings of the transaction tell what a unit of work is for; they end with it, and unset is nothing:
--   vacancy.organization_id   the one organization whose rows it may see and write;
--   vacancy.catalogs          the organizations whose unpublished catalog it may read: ids, or '*' for all.
-- What venues have published is read by anybody. The functions of the ledger set the first from their parameter;
-- sessions are given both by `models.database`. Owner's functions are exempt: they are few, and say why.

CREATE OR REPLACE FUNCTION vacancy_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('vacancy.organization_id', true), '')::uuid
$$;

CREATE OR REPLACE FUNCTION vacancy_reads_catalog(p_organization_id uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT current_setting('vacancy.catalogs', true) = '*'
        OR strpos(current_setting('vacancy.catalogs', true), p_organization_id::text) > 0
$$;

-- What of the catalog is shown to others. Each is asked last, and only of rows that are not the organization's own. They
-- are functions and not subqueries in the policies, because whatever stands in a policy is made ready at each execution of
-- each statement, needed or not: with subqueries a hold took a tenth more.
CREATE OR REPLACE FUNCTION vacancy_shows_organization(p_organization_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN vacancy_reads_catalog(p_organization_id) OR EXISTS (
        SELECT FROM venue v WHERE v.organization_id = p_organization_id AND v.is_published
    );
END $$;

CREATE OR REPLACE FUNCTION vacancy_shows_venue(p_organization_id uuid, p_venue_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN vacancy_reads_catalog(p_organization_id) OR EXISTS (
        SELECT FROM venue v WHERE v.organization_id = p_organization_id AND v.id = p_venue_id AND v.is_published
    );
END $$;

CREATE OR REPLACE FUNCTION vacancy_shows_resource(p_organization_id uuid, p_resource_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN vacancy_reads_catalog(p_organization_id) OR EXISTS (
        SELECT FROM resource r
          JOIN venue v ON v.organization_id = r.organization_id AND v.id = r.venue_id
         WHERE r.organization_id = p_organization_id AND r.id = p_resource_id AND v.is_published
    );
END $$;

-- Private rows: of the one organization. The comparison is by itself, without an OR, so that beside the statement's own
-- it costs one look at the setting per execution, and none per row.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'adjustment', 'booking', 'booking_event', 'booking_item', 'booking_rule_change', 'claim', 'idempotency',
        'outbox', 'payment', 'payment_dispute', 'payment_event', 'payment_refund', 'price_change', 'promo_code', 'quote',
        'tax_entry', 'timeline', 'waitlist', 'waitlist_entry', 'waitlist_event', 'webhook_event'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('DROP POLICY IF EXISTS own ON %I', v_table);
        EXECUTE format('CREATE POLICY own ON %I TO vacancy_app USING (organization_id = vacancy_organization())', v_table);
    END LOOP;
END $$;

-- The catalog: written by the one organization, ...
DO $$
DECLARE
    v_table text;
    v_own text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'booking_rule', 'cancellation_policy', 'directory', 'organization', 'price_rule', 'rate_plan', 'resource',
        'resource_choice', 'resource_requirement', 'tax_rule', 'venue'
    ] LOOP
        v_own := CASE v_table WHEN 'organization' THEN 'id' ELSE 'organization_id' END || ' = vacancy_organization()';
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('DROP POLICY IF EXISTS own_inserted ON %I', v_table);
        EXECUTE format('DROP POLICY IF EXISTS own_updated ON %I', v_table);
        EXECUTE format('DROP POLICY IF EXISTS own_deleted ON %I', v_table);
        EXECUTE format('DROP POLICY IF EXISTS seen ON %I', v_table);
        EXECUTE format('CREATE POLICY own_inserted ON %I FOR INSERT TO vacancy_app WITH CHECK (%s)', v_table, v_own);
        EXECUTE format('CREATE POLICY own_updated ON %I FOR UPDATE TO vacancy_app USING (%s)', v_table, v_own);
        EXECUTE format('CREATE POLICY own_deleted ON %I FOR DELETE TO vacancy_app USING (%s)', v_table, v_own);
    END LOOP;
END $$;

-- ... and read by it, and by others as far as it is published. Rules, requirements and choices are seen with what they are of.
CREATE POLICY seen ON directory FOR SELECT TO vacancy_app USING (
    organization_id = vacancy_organization() OR is_published OR vacancy_reads_catalog(organization_id)
);
CREATE POLICY seen ON venue FOR SELECT TO vacancy_app USING (
    organization_id = vacancy_organization() OR is_published OR vacancy_reads_catalog(organization_id)
);
CREATE POLICY seen ON organization FOR SELECT TO vacancy_app USING (
    id = vacancy_organization() OR vacancy_shows_organization(id)
);
CREATE POLICY seen ON resource FOR SELECT TO vacancy_app USING (
    organization_id = vacancy_organization() OR vacancy_shows_venue(organization_id, venue_id)
);
CREATE POLICY seen ON booking_rule FOR SELECT TO vacancy_app USING (
    organization_id = vacancy_organization() OR NOT is_removed AND CASE
        WHEN resource_id IS NULL THEN vacancy_shows_venue(organization_id, venue_id)
        ELSE vacancy_shows_resource(organization_id, resource_id)
    END
);
DO $$
DECLARE
    v_table text;
BEGIN
    -- Whoever may book has to be able to ask what it costs, and what comes back.
    FOREACH v_table IN ARRAY ARRAY['cancellation_policy', 'price_rule', 'rate_plan', 'tax_rule'] LOOP
        EXECUTE format('CREATE POLICY seen ON %I FOR SELECT TO vacancy_app USING (
            organization_id = vacancy_organization() OR NOT is_removed AND CASE
                WHEN resource_id IS NULL THEN vacancy_shows_venue(organization_id, venue_id)
                ELSE vacancy_shows_resource(organization_id, resource_id)
            END
        )', v_table);
    END LOOP;
END $$;
CREATE POLICY seen ON resource_requirement FOR SELECT TO vacancy_app USING (
    organization_id = vacancy_organization() OR vacancy_shows_resource(organization_id, resource_id)
);
CREATE POLICY seen ON resource_choice FOR SELECT TO vacancy_app USING (
    organization_id = vacancy_organization() OR vacancy_shows_resource(organization_id, resource_id)
);
