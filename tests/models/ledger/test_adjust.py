"""Capacity over time, closing and opening: what is booked stays, and is never undercut."""

import asyncpg
import pytest

from models.database import Database
from models.errors import CapacityInUse, Closed, NotFound, SoldOut, VersionConflict
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.resource import Resource
from tests.support.factories import adjust_of, change_of, let_run_out, make_booking, make_hold, make_resource
from tests.support.ledger import count_of, status_of, timeline_of, version_of

NOON = [("dawn", 1, False), ("12:00", 5, False), ("13:00", 1, False)]


async def _shape(owner: asyncpg.Connection, resource: Resource) -> list[tuple[str, int, bool]]:
    return [(step.at, step.capacity, step.closed) for step in await timeline_of(owner, resource)]


async def test_a_window_has_another_capacity(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)

    version = await calls.adjust(database, adjust_of(resource, "12:00", "13:00", capacity=5))

    assert version == await version_of(owner, resource) == 1
    assert await _shape(owner, resource) == NOON
    assert await owner.fetchval("SELECT capacity FROM resource") == 1
    await make_hold(database, resource, "12:00", "13:00", quantity=5)
    with pytest.raises(SoldOut):
        await make_hold(database, resource, "11:00", "12:00", quantity=2)


async def test_from_then_on_it_is_the_new_base(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    await calls.adjust(database, adjust_of(resource, "12:00", "13:00", capacity=5))

    await calls.adjust(database, adjust_of(resource, "10:00", capacity=3))

    assert await _shape(owner, resource) == [("dawn", 1, False), ("10:00", 3, False)]
    assert await owner.fetchval("SELECT capacity FROM resource") == 3


async def test_without_a_start_it_is_from_now(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    await calls.adjust(database, adjust_of(resource, capacity=3))

    row = await owner.fetchrow(
        "SELECT at <= clock_timestamp() AND at > clock_timestamp() - interval '1 min' AS recent, capacity"
        " FROM timeline WHERE at > '-infinity'"
    )
    assert tuple(row) == (True, 3)


async def test_the_last_word_counts_where_windows_overlap(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)

    await calls.adjust(database, adjust_of(resource, "10:00", "14:00", capacity=4))
    await calls.adjust(database, adjust_of(resource, "12:00", "16:00", capacity=2))
    await calls.adjust(database, adjust_of(resource, "11:00", "13:00", closed=True))
    await calls.adjust(database, adjust_of(resource, "12:30", "12:45", closed=False))

    assert await _shape(owner, resource) == [
        ("dawn", 1, False),
        ("10:00", 4, False),
        ("11:00", 4, True),
        ("12:00", 2, True),
        ("12:30", 2, False),
        ("12:45", 2, True),
        ("13:00", 2, False),
        ("16:00", 1, False),
    ]


async def test_needless_change_points_go(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    await calls.adjust(database, adjust_of(resource, "12:00", "13:00", capacity=5))
    await calls.adjust(database, adjust_of(resource, "14:00", "15:00", closed=True))

    await calls.adjust(database, adjust_of(resource, "12:00", "13:00", capacity=1))
    await calls.adjust(database, adjust_of(resource, "10:00", "20:00", closed=False))

    assert await _shape(owner, resource) == [("dawn", 1, False)]
    assert await count_of(owner, "adjustment") == 4


async def test_capacity_is_not_lowered_below_what_is_taken(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=5)
    first = await make_booking(database, resource, "10:00", "12:00", quantity=2)
    second = await make_hold(database, resource, "11:00", "13:00", quantity=2)
    await make_hold(database, resource, "18:00", "19:00", quantity=1)

    with pytest.raises(CapacityInUse) as refusal:
        await calls.adjust(database, adjust_of(resource, "09:00", capacity=3))
    await calls.adjust(database, adjust_of(resource, "09:00", "11:00", capacity=2))
    await calls.adjust(database, adjust_of(resource, "13:00", capacity=1))

    assert set(refusal.value.references) == {first.booking.reference, second.booking.reference}


async def test_at_most_twenty_bookings_are_named(database: Database) -> None:
    resource = await make_resource(database, capacity=25)
    for _ in range(22):
        await make_hold(database, resource)

    with pytest.raises(CapacityInUse) as refusal:
        await calls.adjust(database, adjust_of(resource, capacity=0))

    assert len(refusal.value.references) == 20


async def test_a_hold_that_is_over_is_not_in_the_way(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    over = await make_hold(database, resource)
    await let_run_out(owner, over)

    await calls.adjust(database, adjust_of(resource, capacity=0))

    assert await status_of(owner, over.booking.id) == "EXPIRED"


async def test_closing_keeps_what_is_booked(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=3)
    booked = await make_booking(database, resource)

    await calls.adjust(database, adjust_of(resource, "09:00", "18:00", closed=True, reason="Pipes burst"))

    with pytest.raises(Closed):
        await make_hold(database, resource, "11:00", "12:00")
    with pytest.raises(Closed):
        await make_hold(database, resource, "17:59", "19:00")
    await make_hold(database, resource, "18:00", "19:00")
    assert await status_of(owner, booked.booking.id) == "CONFIRMED"
    assert await owner.fetchval("SELECT reason FROM adjustment") == "Pipes burst"


async def test_a_hold_may_still_be_confirmed_where_it_was_closed_since(database: Database) -> None:
    resource = await make_resource(database, capacity=3)
    held = await make_hold(database, resource)
    await calls.adjust(database, adjust_of(resource, closed=True))

    assert (await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))).booking.status == "CONFIRMED"


async def test_the_version_that_the_caller_saw(database: Database) -> None:
    resource = await make_resource(database, capacity=3)
    await make_hold(database, resource)

    with pytest.raises(VersionConflict) as refusal:
        await calls.adjust(database, adjust_of(resource, capacity=9, expected_version=0))
    assert await calls.adjust(database, adjust_of(resource, capacity=9, expected_version=1)) == 2

    assert refusal.value.current == 1


async def test_another_organizations_resource_is_not_found(database: Database, owner: asyncpg.Connection) -> None:
    own, foreign = await make_resource(database), await make_resource(database)
    own.id = foreign.id

    with pytest.raises(NotFound):
        await calls.adjust(database, adjust_of(own, capacity=9))

    assert await count_of(owner, "adjustment") == 0


async def test_whom_capacity_is_in_use_by_where_one_follows_another(
    database: Database, owner: asyncpg.Connection
) -> None:
    """Nothing changes when one leaves as another comes: the timeline may have no change point there."""
    resource = await make_resource(database, capacity=1)
    await make_booking(database, resource, "15:00", "16:00")
    later = await make_booking(database, resource, "16:00", "17:00")
    await calls.adjust(database, adjust_of(resource, "12:00", "18:00", closed=False))
    assert [step.at for step in await timeline_of(owner, resource)] == ["dawn", "15:00", "17:00"]

    with pytest.raises(CapacityInUse) as refusal:
        await calls.adjust(database, adjust_of(resource, "16:00", "17:00", capacity=0))

    assert refusal.value.references == (later.booking.reference,)
