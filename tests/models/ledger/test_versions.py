"""Every change has a version, an outbox row and, of a booking, an event; the timeline keeps no needless row."""

import asyncpg

from models.database import Database
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.resource import Resource
from tests.support.factories import (
    adjust_of,
    at,
    change_of,
    item_of,
    let_run_out,
    make_booking,
    make_hold,
    make_requirement,
    make_resource,
)
from tests.support.ledger import timeline_of, version_of


async def _outbox(owner: asyncpg.Connection, entity: Resource) -> list[tuple[object, ...]]:
    rows = await owner.fetch(
        "SELECT version, starts_at, ends_at FROM outbox WHERE kind = 'RESOURCE' AND entity_id = $1 ORDER BY version",
        entity.id,
    )
    return [tuple(row) for row in rows]


async def test_each_change_of_a_timeline_is_one_version_and_says_where(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, capacity=5)
    assert await version_of(owner, resource) == 0

    held = await make_hold(database, resource)
    await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))
    await calls.adjust(database, adjust_of(resource, "12:00", capacity=9))
    await calls.adjust(database, adjust_of(resource, "15:00", "16:00", closed=True))
    await calls.change_booking(database, change_of(held, BookingAction.CANCEL))

    ten, noon = at("10:00"), at("12:00")
    assert await _outbox(owner, resource) == [
        (1, ten, noon),
        (2, noon, None),
        (3, at("15:00"), at("16:00")),
        (4, ten, noon),
    ]
    assert await version_of(owner, resource) == 4


async def test_what_is_required_gets_its_versions_too(database: Database, owner: asyncpg.Connection) -> None:
    house = await make_resource(database)
    room = await make_resource(database, beside=house)
    await make_requirement(database, house, room, per_booking=1)

    await make_hold(database, house, also=(item_of(house, "13:00", "14:00"),))

    assert await version_of(owner, room) == 2
    assert await version_of(owner, house) == 3  # the requirement is a version of what it decides over


async def test_the_history_of_a_booking(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    kept = await make_hold(database, resource, actor="guest:1")
    for action, actor in ((BookingAction.EXTEND, "guest:1"), (BookingAction.CONFIRM, "guest:1")):
        await calls.change_booking(database, change_of(kept, action, actor=actor))
    await calls.change_booking(database, change_of(kept, BookingAction.CANCEL, actor="staff:2", reason="Flood"))
    lost = await make_hold(database, resource)
    await let_run_out(owner, lost)
    await make_booking(database, resource)

    history = "SELECT version, kind, status, actor, reason FROM booking_event WHERE booking_id = $1 ORDER BY version"
    assert [tuple(row) for row in await owner.fetch(history, kept.booking.id)] == [
        (1, "HELD", "ON_HOLD", "guest:1", None),
        (2, "EXTENDED", "ON_HOLD", "guest:1", None),
        (3, "CONFIRMED", "CONFIRMED", "guest:1", None),
        (4, "CANCELLED", "CANCELLED", "staff:2", "Flood"),
    ]
    assert [tuple(row)[1:4] for row in await owner.fetch(history, lost.booking.id)] == [
        ("HELD", "ON_HOLD", "guest:1"),
        ("EXPIRED", "EXPIRED", "system"),
    ]


async def test_when_all_is_given_back_nothing_is_left_of_it(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=60)
    await calls.adjust(database, adjust_of(resource, "11:00", "15:00", capacity=70))
    before = await timeline_of(owner, resource)
    spans = [("10:00", "12:00"), ("12:00", "14:00"), ("11:00", "13:00"), ("10:30", "15:00"), ("09:00", "16:00")]

    records = [await make_hold(database, resource, *span, quantity=n + 1) for n, span in enumerate(spans * 2)]
    for record in (*records[1::2], *records[0::2]):
        await calls.change_booking(database, change_of(record, BookingAction.RELEASE))

    assert await timeline_of(owner, resource) == before


async def test_old_outbox_rows_and_keys_are_forgotten_and_the_newest_stay(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, capacity=5)
    for _ in range(3):
        await make_hold(database, resource)
    await owner.execute("UPDATE resource SET created_at = clock_timestamp() - interval '9 days'")
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute("UPDATE booking SET created_at = clock_timestamp() - interval '9 days'")
    for table in ("outbox", "idempotency"):
        await owner.execute(f"UPDATE {table} SET created_at = clock_timestamp() - interval '8 days'")
    await owner.execute("UPDATE outbox SET published_at = created_at WHERE version < 3")

    forgotten = [await database.ledger.fetchval("SELECT worker_forget('7 days', 4)") for _ in range(3)]

    # Three keys, two versions of the resource; the bookings' only versions are looked at, and stay.
    assert sum(forgotten) == 3 + 2 + 3
    assert [row[0] for row in await _outbox(owner, resource)] == [3]


async def test_a_row_that_nobody_has_published_is_not_forgotten(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=5)
    for _ in range(2):
        await make_hold(database, resource)
    await owner.execute("UPDATE resource SET created_at = clock_timestamp() - interval '9 days'")
    await owner.execute("UPDATE outbox SET created_at = clock_timestamp() - interval '8 days'")

    await database.ledger.fetchval("SELECT worker_forget('7 days', 100)")

    assert [row[0] for row in await _outbox(owner, resource)] == [1, 2]
