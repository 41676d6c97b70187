"""Changing what a booking is of, and cancelling parts of it: what the ledger does, and what it leaves as it was."""

import asyncpg
import pytest

from models.database import Database
from models.errors import Closed, HoldExpired, IdempotencyConflict, InvalidState, SoldOut, VersionConflict
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.resource import Sharing
from tests.support.factories import (
    adjust_of,
    change_of,
    item_of,
    let_run_out,
    make_booking,
    make_choices,
    make_hold,
    make_pending,
    make_requirement,
    make_resource,
    part_of,
    rebook_of,
)
from tests.support.ledger import count_of, taken_of, version_of


async def test_what_a_booking_has_counts_as_free_for_its_change(database: Database, owner: asyncpg.Connection) -> None:
    hall = await make_resource(database, capacity=4)
    booked = await make_booking(database, hall, "10:00", "12:00", quantity=3)
    changed = await calls.rebook(database, rebook_of(booked, item_of(hall, "11:00", "13:00", quantity=4)))

    assert await taken_of(owner, hall) == [("dawn", 0), ("11:00", 4), ("13:00", 0)]
    assert (changed.booking.status, changed.booking.version) == ("CONFIRMED", booked.booking.version + 1)
    assert [(item.position, item.quantity) for item in changed.items] == [(0, 4)]
    assert changed.booking.reference == booked.booking.reference


async def test_what_does_not_fit_leaves_everything_as_it_was(database: Database, owner: asyncpg.Connection) -> None:
    hall = await make_resource(database, capacity=4)
    other = await make_resource(database, beside=hall, capacity=1)
    booked = await make_booking(database, hall, quantity=2)
    await make_booking(database, other)
    tables = ("booking_event", "outbox", "idempotency", "claim", "booking_item")
    before = [await count_of(owner, table) for table in tables], await version_of(owner, hall)

    with pytest.raises(SoldOut) as refused:
        await calls.rebook(database, rebook_of(booked, item_of(hall, quantity=1), item_of(other)))
    await calls.adjust(database, adjust_of(other, "18:00", "20:00", closed=True))
    with pytest.raises(Closed):
        await calls.rebook(database, rebook_of(booked, item_of(other, "19:00", "20:00")))

    assert refused.value.resource_id == other.id
    now = await calls.read_booking(database, hall.organization_id, booked.booking.id)
    assert now is not None
    assert (now.booking, now.items) == (booked.booking, booked.items)
    assert await version_of(owner, hall) == before[1]
    assert [await count_of(owner, table) for table in tables[3:]] == before[0][3:]
    assert await count_of(owner, "booking_event") == before[0][0]


async def test_the_history_tells_what_it_was_and_what_it_is(database: Database, owner: asyncpg.Connection) -> None:
    hall = await make_resource(database, capacity=4)
    booked = await make_booking(database, hall, quantity=2)
    await calls.rebook(database, rebook_of(booked, item_of(hall, "15:00", "16:00", quantity=3)))
    await calls.change_booking(database, change_of(booked, BookingAction.CANCEL))
    events = await owner.fetch("SELECT kind, details::text FROM booking_event ORDER BY version")

    assert [row["kind"] for row in events] == ["HELD", "CONFIRMED", "CHANGED", "CANCELLED"]
    assert [row["details"] is None for row in events] == [True, True, False, True]
    sides = await owner.fetchrow(
        "SELECT details #>> '{items,before,0,quantity}', details #>> '{items,after,0,quantity}' FROM booking_event"
        " WHERE kind = 'CHANGED'"
    )
    assert tuple(sides) == ("2", "3")


async def test_one_effect_for_one_key(database: Database, owner: asyncpg.Connection) -> None:
    hall = await make_resource(database, capacity=4)
    booked = await make_booking(database, hall)
    request = rebook_of(booked, item_of(hall, "15:00", "16:00"), key="change-0123456789")
    first = await calls.rebook(database, request)
    again = await calls.rebook(database, request)
    assert (again.booking, again.items) == (first.booking, first.items)
    with pytest.raises(IdempotencyConflict):
        await calls.rebook(database, rebook_of(booked, item_of(hall, "16:00", "17:00"), key="change-0123456789"))
    part = part_of(
        await calls.rebook(database, rebook_of(booked, item_of(hall, quantity=4))), 1, key="part-0123456789abc"
    )
    assert [(await calls.cancel_item(database, part)).items[0].quantity for _ in range(2)] == [3, 3]
    assert await taken_of(owner, hall) == [("dawn", 0), ("10:00", 3), ("12:00", 0)]


async def test_which_bookings_stay_as_they_are(database: Database, owner: asyncpg.Connection) -> None:
    hall = await make_resource(database, capacity=9)
    there = item_of(hall, "15:00", "16:00")
    held = await make_hold(database, hall)
    with pytest.raises(VersionConflict) as conflict:
        await calls.rebook(database, rebook_of(held, there, expected_version=7))
    assert conflict.value.current == 1
    with pytest.raises(calls.Stale):
        await calls.rebook(database, rebook_of(held, there, read_version=7))
    pending = await make_pending(database, hall)
    with pytest.raises(InvalidState):
        await calls.rebook(database, rebook_of(pending, there))
    with pytest.raises(InvalidState):
        await calls.cancel_item(database, part_of(pending, 1))
    await let_run_out(owner, held)
    with pytest.raises(HoldExpired):
        await calls.rebook(database, rebook_of(held, there))
    assert (await calls.change_booking(database, change_of(held, BookingAction.EXTEND))).booking.status == "ON_HOLD"
    moved = await calls.rebook(database, rebook_of(held, there))
    assert moved.booking.status == "ON_HOLD"
    await calls.change_booking(database, change_of(held, BookingAction.RELEASE))
    with pytest.raises(InvalidState):
        await calls.rebook(database, rebook_of(held, there))


async def test_a_change_makes_room_of_holds_that_are_over(database: Database, owner: asyncpg.Connection) -> None:
    hall = await make_resource(database, capacity=1)
    booked = await make_booking(database, hall, "10:00", "11:00")
    await let_run_out(owner, await make_hold(database, hall, "15:00", "16:00"))
    await calls.rebook(database, rebook_of(booked, item_of(hall, "15:00", "16:00")))
    assert await taken_of(owner, hall) == [("dawn", 0), ("15:00", 1), ("16:00", 0)]


async def test_a_party_by_itself_may_move_within_its_own_time(database: Database, owner: asyncpg.Connection) -> None:
    pool = await make_resource(database, capacity=6, sharing=Sharing.EXCLUSIVE)
    booked = await make_booking(database, pool, "10:00", "12:00", quantity=2)
    await calls.rebook(database, rebook_of(booked, item_of(pool, "11:00", "13:00", quantity=5)))
    assert await taken_of(owner, pool) == [("dawn", 0), ("11:00", 5), ("13:00", 0)]


async def test_what_is_required_and_chosen_moves_along(database: Database, owner: asyncpg.Connection) -> None:
    tour = await make_resource(database, capacity=8)
    kayaks, guide = [await make_resource(database, beside=tour, capacity=4) for _ in range(2)]
    await make_requirement(database, tour, kayaks, per_unit=1)
    await make_requirement(database, tour, guide, per_booking=1)
    booked = await make_booking(database, tour, quantity=4)
    await calls.rebook(database, rebook_of(booked, item_of(tour, "11:00", "13:00", quantity=3)))
    assert await taken_of(owner, kayaks) == [("dawn", 0), ("11:00", 3), ("13:00", 0)]
    assert await taken_of(owner, guide) == [("dawn", 0), ("11:00", 1), ("13:00", 0)]

    pool = await make_resource(database, beside=tour, capacity=2)
    members = [await make_resource(database, beside=tour, capacity=1) for _ in range(2)]
    await make_choices(database, pool, *members)
    both = await make_booking(database, pool, quantity=2)
    moved = await calls.rebook(database, rebook_of(both, item_of(pool, "11:00", "13:00", quantity=2)))
    assert set(moved.items[0].chosen or ()) == {member.id for member in members}


async def test_a_part_gives_back_what_it_takes(database: Database, owner: asyncpg.Connection) -> None:
    tour = await make_resource(database, capacity=8)
    kayaks, guide = [await make_resource(database, beside=tour, capacity=9) for _ in range(2)]
    await make_requirement(database, tour, kayaks, per_unit=2)
    await make_requirement(database, tour, guide, per_booking=1)
    booked = await make_booking(database, tour, quantity=4, also=(item_of(tour, "15:00", "16:00"),))
    left = await calls.cancel_item(database, part_of(booked, 3))
    assert [(item.position, item.quantity) for item in left.items] == [(0, 1), (1, 1)]
    late = [("15:00", 1), ("16:00", 0)]
    assert await taken_of(owner, tour) == [("dawn", 0), ("10:00", 1), ("12:00", 0), *late]
    assert (await taken_of(owner, kayaks))[1] == ("10:00", 2)
    assert (await taken_of(owner, guide))[1] == ("10:00", 1)

    left = await calls.cancel_item(database, part_of(booked, 1))
    assert [(item.position, item.quantity) for item in left.items] == [(1, 1)], "items keep their positions"
    assert [await taken_of(owner, each) for each in (tour, guide)] == [[("dawn", 0), *late]] * 2


async def test_of_what_was_chosen_the_rest_stays(database: Database, owner: asyncpg.Connection) -> None:
    pool = await make_resource(database, capacity=3)
    members = [await make_resource(database, beside=pool, capacity=1) for _ in range(3)]
    await make_choices(database, pool, *members)
    booked = await make_booking(database, pool, quantity=3)
    chosen = booked.items[0].chosen or ()
    left = await calls.cancel_item(database, part_of(booked, 1))
    assert list(left.items[0].chosen or ()) == list(chosen[:2])
    by_id = {member.id: member for member in members}
    assert [(await taken_of(owner, by_id[id_]))[-1][1] for id_ in chosen] == [0, 0, 0]
    assert [len(await taken_of(owner, by_id[id_])) for id_ in chosen] == [3, 3, 1]


@pytest.mark.parametrize("per_unit", [1, 3])
async def test_what_is_required_otherwise_by_now_harms_nobody(
    database: Database, owner: asyncpg.Connection, per_unit: int
) -> None:
    """Two of each were required when it was booked: of twelve, so many are given back as would be taken now."""
    tour = await make_resource(database, capacity=8)
    kayaks = await make_resource(database, beside=tour, capacity=24)
    requirement = await make_requirement(database, tour, kayaks, per_unit=2)
    booked = await make_booking(database, tour, quantity=6)
    await owner.execute(
        "UPDATE resource_requirement SET per_unit = $1 WHERE required_id = $2", per_unit, requirement.required_id
    )
    await calls.cancel_item(database, part_of(booked, 2))
    assert (await taken_of(owner, kayaks))[1] == ("10:00", {1: 10, 3: 12}[per_unit])
