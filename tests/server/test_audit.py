"""The audit finds nothing in a busy database, and finds each kind of violation that is planted in it."""

import asyncio
import io
import re
from dataclasses import dataclass

import asyncpg
import pytest

from engine.availability import Wish
from engine.holds import ItemRequest
from engine.offers import offer_free
from engine.quoting import QuoteRequest, create
from engine.rule_changes import key_of_rule
from engine.viewer import GUEST
from models.audit import EXAMPLES_MAX
from models.database import Database
from models.errors import SoldOut
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.price import CancellationPolicy, RatePlan, TaxRule
from models.resource import Resource, Sharing
from server.audit import ALL, audit
from tests.support import settings
from tests.support.audits import assert_audit_clean
from tests.support.factories import (
    JOINED_AT,
    adjust_of,
    at,
    between,
    change_of,
    hold_of,
    item_of,
    key_of,
    let_run_out,
    make_booking,
    make_entry,
    make_hold,
    make_requirement,
    make_resource,
)
from tests.support.paid import paid_for
from tests.support.rules import put
from tests.support.staff import fresh_key

PROMISES = [invariant.promise for invariant in ALL]


@dataclass(frozen=True)
class Planted:
    """What somebody with the owner's rights does to the database, and the promise that this breaks."""

    promise: str
    statement: str


PLANTED = [
    Planted("what is claimed never exceeds the capacity", "UPDATE claim SET quantity = 99"),
    Planted("the timeline is the sweep of the claims", "UPDATE timeline SET taken = taken - 1 WHERE taken > 1"),
    Planted("the timeline is the sweep of the claims", "DELETE FROM timeline WHERE taken > 1"),
    Planted("every timeline begins at the dawn of time", "DELETE FROM timeline WHERE at = '-infinity'"),
    Planted("nobody shares with a party that may not be joined", "UPDATE claim SET sharing_key = 'polo'"),
    Planted("the guards are on", "ALTER TABLE claim DISABLE TRIGGER claim_changed"),
    Planted("the guards are on", "DROP TRIGGER booking_before_change ON booking"),
    Planted("the guards are on", "ALTER TABLE timeline DROP CONSTRAINT timeline_taken_check"),
    Planted("the guards are on", "GRANT UPDATE ON timeline TO vacancy_app"),
    Planted("the guards are on", "GRANT UPDATE (version) ON resource TO vacancy_app"),
    Planted("a booking is live with all its claims", "DELETE FROM claim"),
    Planted("a booking is live with all its claims", "UPDATE booking SET status = 'EXPIRED', hold_expires_at = NULL"),
    Planted("every item of a live booking is claimed", "UPDATE booking_item SET quantity = 99"),
    Planted("every item of a live booking is claimed", "DELETE FROM booking_item"),
    Planted("of what an item was to choose from", "UPDATE booking_item SET chosen = '{}'"),
    Planted(
        "what is chosen from is chosen from once",
        "INSERT INTO resource_choice SELECT q.organization_id, q.required_id, r.id FROM resource_requirement q"
        " JOIN resource r ON r.organization_id = q.organization_id AND r.id <> q.required_id",
    ),
    Planted("no hold outlasts its ceiling", "UPDATE booking SET hold_ceiling_at = created_at"),
    Planted(
        "an entry of a waitlist is OFFERED exactly while",
        "UPDATE waitlist_entry SET status = 'ACCEPTED' WHERE status = 'OFFERED'",
    ),
    Planted(
        "an entry of a waitlist is OFFERED exactly while",
        "UPDATE waitlist_entry SET status = 'EXPIRED', booking_id = NULL",
    ),
    Planted("an offer is one booking of all", "UPDATE waitlist_entry SET quantity = quantity + 1"),
    Planted(
        "what is required requires nothing itself",
        "INSERT INTO resource_requirement SELECT organization_id, required_id, resource_id, 1, 0"
        " FROM resource_requirement",
    ),
    Planted(
        "an idempotency key leads to what was done under it",
        "UPDATE idempotency SET result = jsonb_build_object('booking_id', gen_random_uuid())",
    ),
    Planted(
        "an idempotency key leads to what was done under it",
        "UPDATE idempotency SET result = result || '{\"version\": 99}' WHERE result ? 'version'",
    ),
    Planted("an idempotency key leads to what was done under it", "UPDATE idempotency SET result = '{}'"),
    Planted(
        "an idempotency key leads to what was done under it",
        "UPDATE idempotency SET result = result || '{\"rule_version\": 99}' WHERE result ? 'rule_id'",
    ),
    Planted("the history of a rule has every version", "DELETE FROM booking_rule_change WHERE version = 1"),
    Planted("the history of a rule has every version", "UPDATE booking_rule SET priority = 7"),
    Planted("the history of what prices, taxes and policies", "DELETE FROM price_change WHERE version = 1"),
    Planted("the history of what prices, taxes and policies", "UPDATE tax_rule SET priority = 7"),
    Planted("the history of what prices, taxes and policies", "UPDATE cancellation_policy SET parameters = '[]'"),
    Planted("the guards are on", "GRANT INSERT ON price_change TO vacancy_app"),
    Planted(
        "an idempotency key leads to what was done under it",
        "UPDATE idempotency SET result = result || '{\"version\": 99}' WHERE result ? 'setting_id'",
    ),
    Planted("an idempotency key leads to what was done under it", "DELETE FROM quote"),
    Planted("the guards are on", "ALTER TABLE quote DISABLE TRIGGER quote_stays_as_it_is"),
    Planted("the lines of a quote are its subtotal", "UPDATE quote SET subtotal = subtotal + 1, total = total + 1"),
    Planted("the lines of a quote are its subtotal", "UPDATE quote SET due_now = due_now - 1"),
    Planted("the lines of a quote are its subtotal", "UPDATE quote SET lines = '[]'"),
    Planted("a booking uses the promo code of its quote", "UPDATE booking SET promo_code_id = id"),
    Planted("each version of a resource, a booking or a waitlist's", "DELETE FROM outbox WHERE version = 2"),
    Planted("each version of a resource, a booking or a waitlist's", "DELETE FROM outbox WHERE version = 1"),
    Planted("each version of a resource, a booking or a waitlist's", "UPDATE resource SET version = version + 1"),
    Planted("each version of a resource, a booking or a waitlist's", "DELETE FROM outbox WHERE kind = 'BOOKING'"),
    Planted("the history of a booking has every version", "DELETE FROM booking_event WHERE version = 1"),
    Planted("the history of a booking has every version", "UPDATE booking_event SET kind = 'EXTENDED'"),
    Planted("each version of a resource, a booking or a waitlist's", "DELETE FROM outbox WHERE kind = 'WAITLIST'"),
    Planted("the history of a waitlist's entry", "DELETE FROM waitlist_event WHERE version = 1"),
    Planted("the history of a waitlist's entry", "UPDATE waitlist_event SET status = 'LEFT'"),
    Planted("the guards are on", "GRANT UPDATE ON waitlist_event TO vacancy_app"),
    Planted("the guards are on", "ALTER TABLE booking DISABLE TRIGGER waitlist_offer_settled"),
    Planted("no booking has gone from a status", "UPDATE booking_event SET status = 'NO_SHOW' WHERE version = 1"),
    Planted("capacity and closings are what was asked for", "UPDATE timeline SET closed = NOT closed"),
    Planted("capacity and closings are what was asked for", "UPDATE timeline SET capacity = capacity + 1"),
    Planted("the capacity of a resource is the last", "UPDATE resource SET capacity = 77"),
    Planted("every row belongs to an organization that exists", "DELETE FROM organization"),
    Planted("rows are guarded by their organization", "ALTER TABLE booking DISABLE ROW LEVEL SECURITY"),
    Planted("rows are guarded by their organization", "DROP POLICY own ON timeline"),
    Planted("what has happened to a payment", "UPDATE payment SET captured = captured + 1"),
    Planted("what has happened to a payment", "DELETE FROM payment_event WHERE kind = 'REFUND'"),
    Planted("what has happened to a payment", "UPDATE payment SET charged_back = 1"),
    Planted("what was taken has bought a booking", "UPDATE payment SET decision = 'VOID'"),
    Planted("what was taken has bought a booking", "UPDATE booking SET confirmed_at = NULL"),
    Planted(
        "no money is held for longer",
        "UPDATE payment SET state = 'HELD', updated_at = updated_at - interval '1 hour';"
        "UPDATE booking SET status = 'EXPIRED', hold_expires_at = NULL, updated_at = updated_at - interval '1 hour'",
    ),
    Planted("what was confirmed because it was paid", "UPDATE payment SET amount = amount - 1"),
    Planted("what was confirmed because it was paid", "UPDATE payment SET state = 'VOID'"),
    Planted("no more is kept of what was paid", "UPDATE payment SET refunded = 0; DELETE FROM payment_refund"),
    Planted(
        "no more is kept of what was paid",
        "UPDATE payment_refund r SET amount = 1, booking_id = b.id, booking_version = b.version FROM payment p"
        " JOIN booking b ON b.id = p.booking_id WHERE b.status = 'CONFIRMED'",
    ),
    Planted("the guards are on", "ALTER TABLE payment_dispute DISABLE TRIGGER payment_dispute_changed"),
    Planted("the directory names each", "UPDATE directory SET slug = slug || '-gone'"),
    Planted("the directory names each", "DELETE FROM directory WHERE kind = 'VENUE'"),
    Planted("the directory names each", "UPDATE venue SET is_published = NOT is_published"),
]


async def _busy(database: Database, owner: asyncpg.Connection) -> Resource:
    """Some of everything: shared and not, required, adjusted, held, over, confirmed, cancelled, refused."""
    hall = await make_resource(database, capacity=10)
    pool = await make_resource(database, beside=hall, capacity=10, sharing=Sharing.SAME_ACTIVITY)
    tour = await make_resource(database, beside=hall, capacity=10)
    await make_requirement(database, tour, hall, per_unit=1, per_booking=1)
    rule = await put(database, key_of(hall), type="START_GRID", parameters={"minutes": 60})
    await put(database, key_of_rule(rule.rule), parameters={"minutes": 30})
    tax = await settings.put(database, TaxRule, key_of(hall), identity="PERCENT", parameters=settings.VAT)
    await settings.put(database, TaxRule, settings.key_of_setting(tax), name="Other")
    await settings.put(database, CancellationPolicy, key_of(hall), identity="NONE", parameters={})
    hour = {"amount": 8_00, "every": "MINUTES"}
    await settings.put(database, RatePlan, key_of(hall), identity="STANDARD", parameters=hour)
    await _quote(database, hall)
    await paid_for(database, hall)
    await calls.adjust(database, adjust_of(hall, "08:00", capacity=12))
    await calls.adjust(database, adjust_of(hall, "11:00", "15:00", capacity=14))
    await calls.adjust(database, adjust_of(pool, "16:00", "17:00", closed=True))
    await make_hold(database, pool, quantity=3, activity="swimming")
    await make_booking(database, tour, quantity=4, also=(item_of(hall, "11:00", "13:00", quantity=2),))
    ended = await make_booking(database, hall, quantity=2)
    await calls.change_booking(database, change_of(ended, BookingAction.CANCEL))
    await let_run_out(owner, await make_hold(database, hall, "18:00", "19:00", quantity=12))
    await make_hold(database, hall, "18:00", "19:00", quantity=2)
    with pytest.raises(SoldOut):
        await make_hold(database, hall, "18:00", "19:00", quantity=12)
    for quantity in (3, 11):
        await make_entry(database, hall, "18:00", "19:00", quantity=quantity)
    assert await offer_free(database, key_of(hall), now=lambda: JOINED_AT) == 1
    return hall


async def _quote(database: Database, hall: Resource) -> None:
    request = QuoteRequest((ItemRequest(key_of(hall), Wish(window=between("2030-06-01 14:00", "2030-06-01 15:00"))),))
    now = at("2030-05-31 12:00")
    assert await create(database, GUEST, request, key=fresh_key(), request_hash=b"", now=now) is not None


async def _counts(database_url: str) -> tuple[int, dict[str, int], str]:
    """The total, the count of each promise, and the text of an audit."""
    out = io.StringIO()
    total = await audit(database_url, out)
    lines = [re.fullmatch(r"\d  (.+?)  +(\d+)(: .+)?", line) for line in out.getvalue().splitlines()[1:-1]]
    return total, {line[1]: int(line[2]) for line in lines if line}, out.getvalue()


async def test_a_busy_database_keeps_every_promise(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    await _busy(database, owner)

    total, counts, text = await _counts(database_url)

    assert total == 0
    assert counts == dict.fromkeys(PROMISES, 0)
    assert text.startswith("Examining 1 organizations, 4 resources, 8 bookings, 7 claims\n")
    assert text.endswith(f"0 violations of {len(PROMISES)} invariants\n")


async def test_an_empty_database_keeps_every_promise(database_url: str) -> None:
    await assert_audit_clean(database_url)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.statement[:50])
async def test_a_planted_violation_is_found(
    database: Database, owner: asyncpg.Connection, database_url: str, planted: Planted
) -> None:
    await _busy(database, owner)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute(planted.statement)

    total, counts, text = await _counts(database_url)

    found = {promise: count for promise, count in counts.items() if promise.startswith(planted.promise)}
    assert len(found) == 1, "the promise has another name now"
    assert all(found.values())
    assert total >= sum(found.values())
    assert "guest" not in text.lower(), "an audit tells ids, never people"


def test_every_promise_has_a_violation_planted() -> None:
    for promise in PROMISES:
        assert any(promise.startswith(planted.promise) for planted in PLANTED), promise


async def test_examples_are_few(database: Database, owner: asyncpg.Connection, database_url: str) -> None:
    resource = await make_resource(database, capacity=10)
    for _ in range(EXAMPLES_MAX + 2):
        await make_hold(database, resource)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM booking_event")

    _, counts, text = await _counts(database_url)

    assert counts["the history of a booking has every version, and ends as the booking is"] == EXAMPLES_MAX + 2
    assert text.count("booking ") - text.count("a booking ") >= EXAMPLES_MAX
    assert "; and 2 more" in text


async def test_it_looks_at_one_moment_beside_live_traffic(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    resource = await make_resource(database, capacity=3)
    stopped = asyncio.Event()

    async def book() -> int:
        booked = 0
        while not stopped.is_set():
            held = await calls.hold(database, hold_of(resource))
            await calls.change_booking(database, change_of(held, BookingAction.RELEASE))
            booked += 1
        return booked

    traffic = [asyncio.create_task(book()) for _ in range(3)]
    try:
        for _ in range(5):
            await assert_audit_clean(database_url)
    finally:
        stopped.set()
    assert sum(await asyncio.gather(*traffic)) > 5


async def test_it_changes_nothing_and_locks_nothing(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    await _busy(database, owner)
    tables = "booking, claim, timeline, resource, outbox, idempotency"

    async with owner.transaction():
        # Every row is locked as a writer would; the audit does not wait for it.
        for table in tables.split(", "):
            await owner.execute(f"SELECT FROM {table} FOR UPDATE")
        await asyncio.wait_for(assert_audit_clean(database_url), 10)


async def test_old_outbox_rows_may_be_forgotten_and_young_ones_not(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    resource = await make_resource(database, capacity=9)
    for _ in range(4):
        await make_hold(database, resource)
    await owner.execute("DELETE FROM outbox WHERE kind = 'RESOURCE' AND version = 2")

    gap_among_young, _, _ = await _counts(database_url)
    await owner.execute("UPDATE resource SET created_at = created_at - interval '8 days'")
    gap_in_an_old_resource, _, _ = await _counts(database_url)
    await owner.execute(
        "UPDATE outbox SET created_at = created_at - interval '8 days' WHERE kind = 'RESOURCE' AND version < 3"
    )
    gap_among_old, _, _ = await _counts(database_url)

    assert (gap_among_young, gap_in_an_old_resource) == (1, 1)
    assert gap_among_old == 0
