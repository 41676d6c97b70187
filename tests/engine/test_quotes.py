"""Quotes as rows: never altered, forgotten when nothing came of them, and by how many statements they are asked for."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from engine.availability import Wish
from engine.facts import load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.quote_rows import lines_of
from engine.quoting import QuoteRequest, create, look
from engine.rebooking import Opened, RebookRequest, rebook
from engine.viewer import GUEST
from models.database import Database
from models.keys import BookingKey
from models.ledger.requests import NO_CONTACT
from models.price import PriceRule, Quote, RatePlan
from models.resource import Resource
from tests.support.factories import at, key_of
from tests.support.prices import FRIDAY, make_guesthouse, make_room
from tests.support.settings import key_of_setting, put, take_away
from tests.support.staff import fresh_key
from tests.support.statements import recorded_statements

NOW = at("2030-05-31 12:00")
STAY = Wish(stay=(FRIDAY, FRIDAY + timedelta(days=14)))


@pytest.fixture
async def room(database: Database) -> Resource:
    return await make_room(database, await make_guesthouse(database), capacity=50)


async def _create(database: Database, room: Resource) -> Quote:
    request = QuoteRequest((ItemRequest(key_of(room), STAY),))
    row = await create(database, GUEST, request, key=fresh_key(), request_hash=b"", now=NOW)
    assert row is not None
    return row


async def _hold(database: Database, room: Resource) -> Quote:
    key = fresh_key()
    request = HoldRequest(key, key.encode(), (ItemRequest(key_of(room), STAY),), NO_CONTACT, {})
    record = await hold(database, GUEST, request, now=NOW)
    async with database.reading(room.organization_id) as session:
        row = await session.get(Quote, (room.organization_id, record.booking.quote_id))
    assert row is not None
    return row


async def test_a_quote_is_never_altered(database: Database, owner: asyncpg.Connection, room: Resource) -> None:
    row = await _create(database, room)
    for column in ("total", "expires_at", "lines", "promo_code_id"):
        with pytest.raises(asyncpg.PostgresError):
            await owner.execute(f"UPDATE quote SET {column} = {column} WHERE id = $1", row.id)


async def test_quotes_that_nobody_booked_by_are_forgotten(
    database: Database, owner: asyncpg.Connection, room: Resource
) -> None:
    kept = await _hold(database, room)
    idle = await _create(database, room)
    await owner.execute("ALTER TABLE quote DISABLE TRIGGER quote_stays_as_it_is")
    await owner.execute("UPDATE quote SET expires_at = clock_timestamp() - interval '8 days'")

    await owner.execute("SELECT worker_forget(interval '7 days', 100)")

    left = {row["id"] for row in await owner.fetch("SELECT id FROM quote")}
    assert kept.id in left
    assert idle.id not in left


async def test_what_a_booking_cost_before_it_was_changed_is_not_forgotten(
    database: Database, owner: asyncpg.Connection, room: Resource
) -> None:
    first = await _hold(database, room)
    booking_id = await owner.fetchval("SELECT id FROM booking WHERE quote_id = $1", first.id)
    key = BookingKey(room.organization_id, booking_id)
    items = (ItemRequest(key_of(room), replace(STAY, quantity=2)),)
    request = RebookRequest(fresh_key(), b"", Opened(key, key), items)
    changed = await rebook(database, GUEST, request, now=NOW)
    await owner.execute("ALTER TABLE quote DISABLE TRIGGER quote_stays_as_it_is")
    await owner.execute("UPDATE quote SET expires_at = clock_timestamp() - interval '8 days'")

    await owner.execute("SELECT worker_forget(interval '7 days', 100)")

    rows = await owner.fetch("SELECT id, replaces_id, total FROM quote ORDER BY total")
    assert [(row["id"], row["replaces_id"], row["total"]) for row in rows] == [
        (first.id, None, 14 * 100_00),
        (changed.booking.quote_id, first.id, 2 * 14 * 100_00),
    ]


async def test_a_hold_without_a_quote_keeps_what_it_was_priced_at(database: Database, room: Resource) -> None:
    rule = await put(
        database, PriceRule, key_of(room), identity="WEEKDAY", parameters={"weekdays": [5], "percent": "10"}
    )
    dear = await _hold(database, room)
    await take_away(database, PriceRule, key_of_setting(rule))
    plain = await _hold(database, room)

    assert (dear.total, plain.total) == (14 * 100_00 + 2 * 10_00, 14 * 100_00)
    assert sum(line.amount for line in lines_of(dear)) == dear.total
    assert len(lines_of(dear)) == 16


async def test_asking_takes_no_statement_more_for_a_longer_stay_or_more_rules(
    database: Database, room: Resource
) -> None:
    async def statements(occupancy: bool) -> int:
        if occupancy:
            parameters = {"minPercent": 50, "percent": "10"}
            await put(database, PriceRule, key_of(room), identity="OCCUPANCY", parameters=parameters)
        await load_facts(database, [key_of(room)])
        with recorded_statements(database) as found:
            request = QuoteRequest(tuple(ItemRequest(key_of(room), STAY) for _ in range(5)))
            assert await look(database, GUEST, request, now=NOW) is not None
        return len(found)

    # The versions of what is kept; and where a price depends on how much is taken, all timelines in one.
    assert [await statements(False), await statements(True)] == [1, 2]


async def test_a_plan_of_the_venue_is_of_all_its_resources(database: Database, room: Resource) -> None:
    derived = {"derivedFrom": "STANDARD", "percent": "-10"}
    await put(database, RatePlan, key_of(room), identity="NONREF", name="Non-refundable", parameters=derived)
    request = QuoteRequest((ItemRequest(key_of(room), STAY, "NONREF"),))
    row = await look(database, GUEST, request, now=NOW)

    assert row is not None
    assert row.total == 14 * 90_00
