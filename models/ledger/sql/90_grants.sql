-- What the application's role may do. It writes no timeline, no version, no history and no outbox: triggers do, with
-- the owner's rights. It owns nothing, so it can neither alter a table nor switch a trigger off.

GRANT USAGE ON SCHEMA public TO vacancy_app;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM vacancy_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO vacancy_app;

GRANT INSERT, UPDATE ON organization, venue, directory TO vacancy_app;
GRANT INSERT ON resource TO vacancy_app;
GRANT UPDATE (slug, name, description, sharing, hold_seconds, hold_ceiling_seconds) ON resource TO vacancy_app;
GRANT INSERT, UPDATE, DELETE ON resource_requirement, resource_choice TO vacancy_app;
GRANT INSERT, UPDATE ON booking_rule, rate_plan, price_rule, tax_rule, cancellation_policy, promo_code TO vacancy_app;
GRANT INSERT ON quote TO vacancy_app;
GRANT UPDATE (recorded, reversed, fault, attempts, next_at) ON tax_entry TO vacancy_app;
GRANT INSERT, UPDATE ON booking TO vacancy_app;
GRANT INSERT ON booking_item, adjustment, idempotency TO vacancy_app;
GRANT UPDATE (result) ON idempotency TO vacancy_app;  -- engine/idempotency.py: the key first, what came of it after
GRANT INSERT, DELETE ON claim TO vacancy_app;
GRANT UPDATE (quantity, guests, chosen), DELETE ON booking_item TO vacancy_app;  -- 52_rebooking.sql: a booking is changed
GRANT INSERT, UPDATE ON waitlist, waitlist_entry TO vacancy_app;
GRANT INSERT, UPDATE ON payment, payment_dispute, payment_refund TO vacancy_app;
GRANT INSERT ON webhook_event TO vacancy_app;

-- The functions that write what the role may not are not its to call; triggers call them as their owner. The doors and
-- those of the worker look into all organizations, so they are for this role and for nobody else who may log in.
REVOKE ALL ON FUNCTION ledger_next_version, ledger_split, ledger_compact, ledger_fold, catalog_changed FROM PUBLIC;
REVOKE ALL ON FUNCTION
    worker_organizations_with_over_holds, worker_unpublished, worker_mark_published, worker_forget,
    worker_backlog, worker_analyze, worker_fold, ledger_steps, ledger_moved, ledger_versions, ledger_booking_versions,
    audit_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    worker_organizations_with_over_holds, worker_unpublished, worker_mark_published, worker_forget,
    worker_backlog, worker_analyze, worker_fold, ledger_steps, ledger_moved, ledger_versions, ledger_booking_versions,
    audit_rows TO vacancy_app;
REVOKE ALL ON FUNCTION
    worker_take_waitlists, worker_return_waitlist, worker_lapse_waiting, waitlist_sight, ledger_entry_versions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    worker_take_waitlists, worker_return_waitlist, worker_lapse_waiting, ledger_entry_versions TO vacancy_app;
REVOKE ALL ON FUNCTION
    worker_take_tax_entries, payment_note, worker_take_payments, worker_booking_of_payment, worker_payments_for_staff,
    audit_money FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    worker_take_tax_entries, worker_take_payments, worker_booking_of_payment, worker_payments_for_staff,
    audit_money TO vacancy_app;
