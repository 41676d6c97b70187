-- The waitlist: who waits, what is offered to them, and how the worker finds lists that are worth looking through.
--
-- An offer is a booking ON_HOLD. It is made by the admission itself (`waitlist_offered`, called by `ledger_admit`) and
-- settled by a trigger of the booking: entry and booking change in one transaction, so that at every instant an entry is
-- OFFERED exactly while its booking is ON_HOLD. Locks: resources by id, bookings, then the entry; an entry is of one
-- resource, and who changes it by its booking has locked that.

CREATE OR REPLACE FUNCTION waitlist_entry_before_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.version := 1;
    ELSE
        IF NEW.status <> OLD.status AND NOT (OLD.status || ' ' || NEW.status) = ANY (ARRAY[
            'WAITING OFFERED', 'WAITING LEFT', 'WAITING LAPSED', 'WAITING ACCEPTED',
            'OFFERED ACCEPTED', 'OFFERED WAITING', 'OFFERED EXPIRED', 'OFFERED LEFT'
        ]) THEN
            RAISE EXCEPTION 'an entry does not go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'waitlist_entry_transition_check',
                      TABLE = 'waitlist_entry';
        END IF;
        NEW.version := OLD.version + 1;
    END IF;
    IF NEW.status NOT IN ('WAITING', 'OFFERED') THEN
        -- It has ended, and nobody is told anything about it any more; a booking that it led to has its own.
        NEW.contact_name := NULL;
        NEW.contact_email := NULL;
        NEW.contact_phone := NULL;
    END IF;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION waitlist_entry_after_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO waitlist_event (organization_id, entry_id, version, status, booking_id, actor, created_at)
    VALUES (NEW.organization_id, NEW.id, NEW.version, NEW.status, NEW.booking_id, NEW.last_actor, NEW.updated_at);
    INSERT INTO outbox (organization_id, kind, entity_id, version, created_at)
    VALUES (NEW.organization_id, 'WAITLIST', NEW.id, NEW.version, NEW.updated_at);
    RETURN NULL;
END $$;

-- What becomes of an entry when the booking of its offer is ON_HOLD no more. Who let it run out waits again, behind those
-- that have had fewer offers, until `offers` has reached its bound; who gave it up has left.
CREATE OR REPLACE FUNCTION waitlist_offer_settled() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE waitlist_entry e
       SET status = CASE WHEN NEW.status IN ('CONFIRMED', 'PENDING') THEN 'ACCEPTED'
                         WHEN NEW.status <> 'EXPIRED' THEN 'LEFT'
                         WHEN e.offers < 2 THEN 'WAITING'
                         ELSE 'EXPIRED' END,
           booking_id = CASE WHEN NEW.status IN ('CONFIRMED', 'PENDING') THEN e.booking_id END,
           last_actor = NEW.last_actor
     WHERE e.organization_id = NEW.organization_id AND e.booking_id = NEW.id AND e.status = 'OFFERED';
    RETURN NULL;
END $$;

-- What becomes of an entry that waits again when the offer that it let run out was paid late, and is booked after all: it
-- has what it waits for. Only its history tells which offer that was. Who has another offer by now keeps it: what is held for
-- somebody is theirs until its time is over, and nothing is offered after it, since `offers` has reached its bound. An
-- entry that has ended stays as it is.
CREATE OR REPLACE FUNCTION waitlist_offer_paid_late() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE waitlist_entry e
       SET status = 'ACCEPTED', booking_id = NEW.id, last_actor = NEW.last_actor
     WHERE e.organization_id = NEW.organization_id AND e.status = 'WAITING'
       AND e.resource_id IN (
           SELECT i.resource_id FROM booking_item i
            WHERE i.organization_id = NEW.organization_id AND i.booking_id = NEW.id
       )
       AND EXISTS (
           SELECT FROM waitlist_event v
            WHERE v.organization_id = e.organization_id AND v.entry_id = e.id AND v.booking_id = NEW.id
       );
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER waitlist_entry_before_change BEFORE INSERT OR UPDATE ON waitlist_entry
    FOR EACH ROW EXECUTE FUNCTION waitlist_entry_before_change();
CREATE OR REPLACE TRIGGER waitlist_entry_after_change AFTER INSERT OR UPDATE ON waitlist_entry
    FOR EACH ROW EXECUTE FUNCTION waitlist_entry_after_change();
CREATE OR REPLACE TRIGGER waitlist_event_append_only BEFORE UPDATE OR DELETE ON waitlist_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER waitlist_offer_settled AFTER UPDATE ON booking
    FOR EACH ROW WHEN (OLD.status = 'ON_HOLD' AND NEW.status <> 'ON_HOLD') EXECUTE FUNCTION waitlist_offer_settled();
CREATE OR REPLACE TRIGGER waitlist_offer_paid_late AFTER UPDATE ON booking
    FOR EACH ROW WHEN (OLD.status = 'EXPIRED' AND NEW.status <> 'EXPIRED') EXECUTE FUNCTION waitlist_offer_paid_late();

-- Notes the offers among requests that have just been admitted: compare-and-set on the status and on the number of offers
-- before. An entry that waits no more, or that another worker has made this offer to, gets none: its hold ends again.
CREATE OR REPLACE FUNCTION waitlist_offered(p_organization_id uuid, p_requests jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_offer record;
BEGIN
    FOR v_offer IN
        SELECT q.booking_id, q.offer_to, q.offer FROM jsonb_to_recordset(p_requests) AS q (
            booking_id uuid, offer_to uuid, offer integer
        ) WHERE q.offer_to IS NOT NULL
    LOOP
        UPDATE waitlist_entry
           SET status = 'OFFERED', booking_id = v_offer.booking_id, offers = v_offer.offer, last_actor = 'waitlist'
         WHERE organization_id = p_organization_id AND id = v_offer.offer_to
           AND status = 'WAITING' AND offers = v_offer.offer - 1;
        IF NOT FOUND THEN
            PERFORM ledger_end_booking(
                p_organization_id, v_offer.booking_id, 'CANCELLED', 'RELEASED', 'waitlist', NULL);
        END IF;
    END LOOP;
END $$;

-- Puts an entry at the end of its resource's list. p_request: id, resource_id, starts_at, ends_at, arrival, departure,
-- earliest_at, latest_at, lapses_at, quantity, activity, guests, customer_id, contact_name, contact_email, contact_phone, actor;
-- waiting_max and party_max bound how many wait there, in all and of one customer or address. Returns DONE, or which
-- bound is reached: FULL, PARTY. The lock makes the bounds exact, and the order in which entries were made as well.
CREATE OR REPLACE FUNCTION waitlist_join(p_organization_id uuid, p_request jsonb)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_entry waitlist_entry := jsonb_populate_record(NULL::waitlist_entry, p_request);
    v_waiting bigint;
    v_of_party bigint;
BEGIN
    PERFORM ledger_lock_resources(p_organization_id, ARRAY[v_entry.resource_id]);
    SELECT count(*),
           count(*) FILTER (WHERE CASE WHEN v_entry.customer_id IS NULL
                                       THEN e.customer_id IS NULL AND lower(e.contact_email) = lower(v_entry.contact_email)
                                       ELSE e.customer_id = v_entry.customer_id END)
      INTO v_waiting, v_of_party
      FROM waitlist_entry e
     WHERE e.organization_id = p_organization_id AND e.resource_id = v_entry.resource_id
       AND e.status IN ('WAITING', 'OFFERED');
    IF v_waiting >= (p_request->>'waiting_max')::bigint THEN
        RETURN 'FULL';
    ELSIF v_of_party >= (p_request->>'party_max')::bigint THEN
        RETURN 'PARTY';
    END IF;
    INSERT INTO waitlist (organization_id, resource_id, joins) VALUES (p_organization_id, v_entry.resource_id, 1)
    ON CONFLICT (organization_id, resource_id) DO UPDATE SET joins = waitlist.joins + 1;
    v_entry.organization_id := p_organization_id;
    v_entry.status := 'WAITING';
    v_entry.offers := 0;
    v_entry.last_actor := p_request->>'actor';
    v_entry.created_at := clock_timestamp();
    INSERT INTO waitlist_entry SELECT v_entry.*;
    RETURN 'DONE';
END $$;

-- Takes an entry off its list; a hold that is offered to it ends. Returns DONE (also if it had left before), RELOCK (what
-- has to be locked was not what had been read), or the status in which it can not leave.
CREATE OR REPLACE FUNCTION waitlist_leave(p_organization_id uuid, p_entry_id uuid, p_actor text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_locked uuid[];
    v_entry waitlist_entry;
BEGIN
    SELECT array_agg(DISTINCT c.resource_id) INTO v_locked
      FROM waitlist_entry e
      JOIN claim c ON c.organization_id = e.organization_id AND c.booking_id = e.booking_id
     WHERE e.organization_id = p_organization_id AND e.id = p_entry_id AND e.status = 'OFFERED';
    PERFORM ledger_lock_resources(p_organization_id, v_locked);
    SELECT * INTO v_entry FROM waitlist_entry e WHERE e.organization_id = p_organization_id AND e.id = p_entry_id;
    IF v_entry.status = 'OFFERED' THEN
        IF EXISTS (
            SELECT FROM claim c
             WHERE c.organization_id = p_organization_id AND c.booking_id = v_entry.booking_id
               AND c.resource_id <> ALL (coalesce(v_locked, '{}'))
        ) THEN
            RETURN 'RELOCK';
        END IF;
        PERFORM ledger_end_booking(p_organization_id, v_entry.booking_id, 'CANCELLED', 'RELEASED', p_actor, NULL);
        RETURN 'DONE';
    END IF;
    UPDATE waitlist_entry SET status = 'LEFT', last_actor = p_actor
     WHERE organization_id = p_organization_id AND id = p_entry_id AND status = 'WAITING'
     RETURNING * INTO v_entry;
    IF NOT FOUND THEN
        SELECT * INTO v_entry FROM waitlist_entry e WHERE e.organization_id = p_organization_id AND e.id = p_entry_id;
        RETURN CASE WHEN v_entry.status = 'LEFT' THEN 'DONE'
                    WHEN v_entry.status IN ('WAITING', 'OFFERED') THEN 'RELOCK'
                    ELSE v_entry.status END;
    END IF;
    RETURN 'DONE';
END $$;

-- Entries by their ids.
CREATE OR REPLACE FUNCTION waitlist_read(p_organization_id uuid, p_entry_ids uuid[])
RETURNS SETOF waitlist_entry LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
BEGIN
    RETURN QUERY SELECT * FROM waitlist_entry e WHERE e.organization_id = p_organization_id AND e.id = ANY (p_entry_ids);
END $$;

-- Who waits for a resource, in the order in which they are offered what has become free.
CREATE OR REPLACE FUNCTION waitlist_waiting(p_organization_id uuid, p_resource_id uuid, p_limit integer)
RETURNS SETOF waitlist_entry LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope CONSTANT text := set_config('vacancy.organization_id', p_organization_id::text, true);  -- 80_isolation.sql
BEGIN
    RETURN QUERY
    SELECT * FROM waitlist_entry e
     WHERE e.organization_id = p_organization_id AND e.resource_id = p_resource_id AND e.status = 'WAITING'
     ORDER BY e.offers, e.created_at, e.id
     LIMIT p_limit;
END $$;

-- The version of each entry now; none for one that does not exist.
CREATE OR REPLACE FUNCTION ledger_entry_versions(p_organization_ids uuid[], p_entry_ids uuid[])
RETURNS TABLE ("position" integer, version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.position::integer, e.version
      FROM unnest(p_organization_ids, p_entry_ids) WITH ORDINALITY AS a (organization_id, entry_id, position)
      JOIN waitlist_entry e ON e.organization_id = a.organization_id AND e.id = a.entry_id;
END $$;

-- What decides whether anybody on a list can be offered something: who has joined, and the versions of the resource and
-- of what it requires. While it is the same, looking again finds nothing.
CREATE OR REPLACE FUNCTION waitlist_sight(p_list waitlist) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN ARRAY[p_list.joins] || ARRAY(
        SELECT r.version FROM resource r
         WHERE r.organization_id = p_list.organization_id AND r.id = p_list.resource_id
    ) || ARRAY(
        SELECT r.version
          FROM resource_requirement q
          JOIN resource r ON r.organization_id = q.organization_id AND r.id = q.required_id
         WHERE q.organization_id = p_list.organization_id AND q.resource_id = p_list.resource_id
         ORDER BY r.id
    );
END $$;

-- Lists on which something may be offered now, at most `p_limit`, those first that nobody has looked through for longest;
-- each is the caller's for `p_lease_seconds`. Whatever moved is looked at; and every list once in `p_again_seconds`, for
-- what no version tells: that time has gone by, or what a customer has booked elsewhere.
CREATE OR REPLACE FUNCTION worker_take_waitlists(p_limit integer, p_lease_seconds integer, p_again_seconds integer)
RETURNS TABLE (organization_id uuid, resource_id uuid, seen bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT w.organization_id, w.resource_id, waitlist_sight(w) AS sight
          FROM waitlist w
         WHERE w.leased_until <= v_now
           AND EXISTS (
               SELECT FROM waitlist_entry e
                WHERE e.organization_id = w.organization_id AND e.resource_id = w.resource_id AND e.status = 'WAITING'
           )
           AND (w.looked_at <= v_now - make_interval(secs => p_again_seconds)
                OR w.seen IS DISTINCT FROM waitlist_sight(w))
         ORDER BY w.looked_at
         LIMIT p_limit
           FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE waitlist w SET leased_until = v_now + make_interval(secs => p_lease_seconds)
      FROM due
     WHERE w.organization_id = due.organization_id AND w.resource_id = due.resource_id
     RETURNING w.organization_id, w.resource_id, due.sight;
END $$;

-- Gives a list back: it was looked through as of `p_seen`; NULL: not to its end.
CREATE OR REPLACE FUNCTION worker_return_waitlist(p_organization_id uuid, p_resource_id uuid, p_seen bigint[])
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE waitlist SET seen = p_seen, looked_at = clock_timestamp(), leased_until = '-infinity'
     WHERE organization_id = p_organization_id AND resource_id = p_resource_id;
$$;

-- Ends up to `p_limit` entries whose time has come without an offer; returns how many. Locked ones are left for the next
-- round: they are just being offered something, or leave.
CREATE OR REPLACE FUNCTION worker_lapse_waiting(p_limit integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_lapsed integer;
BEGIN
    UPDATE waitlist_entry e SET status = 'LAPSED', last_actor = 'system'
      FROM (
          SELECT w.organization_id, w.id FROM waitlist_entry w
           WHERE w.status = 'WAITING' AND w.lapses_at <= (SELECT clock_timestamp())
           LIMIT p_limit
             FOR NO KEY UPDATE SKIP LOCKED
      ) late
     WHERE e.organization_id = late.organization_id AND e.id = late.id AND e.status = 'WAITING';
    GET DIAGNOSTICS v_lapsed = ROW_COUNT;
    RETURN v_lapsed;
END $$;
