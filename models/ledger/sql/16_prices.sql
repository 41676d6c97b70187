-- What things cost: the versions and the history of what was set, and quotes, which are never altered. A price decides
-- nothing about whether something can be booked, so only `catalog_version` grows with it: who holds by prices that have
-- changed since is told so (ledger_is_stale), and who watches capacity is not woken.

CREATE OR REPLACE FUNCTION price_setting_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_content jsonb := to_jsonb(NEW);
BEGIN
    INSERT INTO price_change (organization_id, setting_id, version, kind, content, is_removed, actor, created_at)
    VALUES (NEW.organization_id, NEW.id, NEW.version, TG_ARGV[0], v_content, NEW.is_removed, NEW.last_actor, NEW.updated_at);
    IF TG_ARGV[0] <> 'PROMO_CODE' THEN  -- codes are looked up when they are entered, and kept by nobody
        PERFORM catalog_changed(NEW.organization_id, ARRAY(
            SELECT r.id FROM resource r
             WHERE r.organization_id = NEW.organization_id
               AND (r.id = (v_content->>'resource_id')::uuid OR r.venue_id = (v_content->>'venue_id')::uuid)
        ), false);
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['rate_plan', 'price_rule', 'tax_rule', 'cancellation_policy', 'promo_code'] LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER price_setting_changes BEFORE INSERT OR UPDATE ON %I '
            'FOR EACH ROW EXECUTE FUNCTION catalog_rule_changes()', v_table);
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER price_setting_changed AFTER INSERT OR UPDATE ON %I '
            'FOR EACH ROW EXECUTE FUNCTION price_setting_changed(%L)', v_table, upper(v_table));
    END LOOP;
END $$;
CREATE OR REPLACE TRIGGER price_change_append_only BEFORE UPDATE OR DELETE ON price_change
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
-- Quotes that nobody has booked by are forgotten in time (60_worker.sql); the foreign key keeps the others.
CREATE OR REPLACE TRIGGER quote_stays_as_it_is BEFORE UPDATE ON quote
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
