"""What a booking of one resource takes of others."""

import asyncio

import asyncpg
import pytest

from models.database import Database
from models.errors import Closed, SoldOut
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.resource import Resource
from tests.support.by_hand import claim_by_hand
from tests.support.factories import (
    adjust_of,
    change_of,
    item_of,
    let_run_out,
    make_hold,
    make_requirement,
    make_resource,
)
from tests.support.ledger import status_of, taken_of
from tests.support.waiting import waits_for_a_lock


async def _house(database: Database, rooms: int = 3) -> tuple[Resource, list[Resource]]:
    house = await make_resource(database, name="Whole house", capacity=1)
    parts = [await make_resource(database, beside=house, name=f"Room {n}", capacity=1) for n in range(rooms)]
    for room in parts:
        await make_requirement(database, house, room, per_booking=1)
    return house, parts


async def test_the_whole_house_takes_every_room(database: Database, owner: asyncpg.Connection) -> None:
    house, rooms = await _house(database)

    held = await make_hold(database, house)

    for room in rooms:
        assert await taken_of(owner, room) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]
        with pytest.raises(SoldOut) as refusal:
            await make_hold(database, room, "11:00", "13:00")
        assert refusal.value.resource_id == room.id
    await calls.change_booking(database, change_of(held, BookingAction.RELEASE))
    for room in rooms:
        assert await taken_of(owner, room) == [("dawn", 0)]


async def test_one_room_keeps_the_whole_house_from_being_held(database: Database, owner: asyncpg.Connection) -> None:
    house, rooms = await _house(database)
    await make_hold(database, rooms[1])

    with pytest.raises(SoldOut) as refusal:
        await make_hold(database, house, "11:00", "13:00")
    await make_hold(database, house, "12:00", "13:00")

    assert refusal.value.resource_id == rooms[1].id


async def test_a_room_that_is_closed_closes_the_house(database: Database) -> None:
    house, rooms = await _house(database)
    await calls.adjust(database, adjust_of(rooms[0], "11:00", "11:30", closed=True))

    with pytest.raises(Closed):
        await make_hold(database, house)


async def test_a_tour_takes_a_guide_and_a_kayak_for_each(database: Database, owner: asyncpg.Connection) -> None:
    tour = await make_resource(database, capacity=20)
    guides = await make_resource(database, beside=tour, capacity=2)
    kayaks = await make_resource(database, beside=tour, capacity=10)
    await make_requirement(database, tour, guides, per_booking=1)
    await make_requirement(database, tour, kayaks, per_unit=1, per_booking=1)

    await make_hold(database, tour, quantity=4)
    with pytest.raises(SoldOut) as refusal:
        await make_hold(database, tour, quantity=5)

    assert await taken_of(owner, tour) == [("dawn", 0), ("10:00", 4), ("12:00", 0)]
    assert await taken_of(owner, guides) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]
    assert await taken_of(owner, kayaks) == [("dawn", 0), ("10:00", 5), ("12:00", 0)]
    assert (refusal.value.resource_id, refusal.value.vacancies) == (kayaks.id, 5)


async def test_items_of_one_resource_and_interval_are_one_booking_of_it(
    database: Database, owner: asyncpg.Connection
) -> None:
    tour = await make_resource(database, capacity=20)
    guides = await make_resource(database, beside=tour, capacity=9)
    await make_requirement(database, tour, guides, per_booking=1)

    await make_hold(
        database, tour, quantity=2, also=(item_of(tour, quantity=3), item_of(tour, "12:00", "13:00", quantity=1))
    )

    assert await taken_of(owner, tour) == [("dawn", 0), ("10:00", 5), ("12:00", 1), ("13:00", 0)]
    assert await taken_of(owner, guides) == [("dawn", 0), ("10:00", 1), ("12:00", 1), ("13:00", 0)]


async def test_what_is_asked_for_and_what_is_required_are_summed(database: Database, owner: asyncpg.Connection) -> None:
    tour = await make_resource(database, capacity=20)
    kayaks = await make_resource(database, beside=tour, capacity=3)
    await make_requirement(database, tour, kayaks, per_unit=1)

    with pytest.raises(SoldOut):
        await make_hold(database, tour, quantity=2, also=(item_of(kayaks, quantity=2),))
    await make_hold(database, tour, quantity=2, also=(item_of(kayaks, quantity=1),))

    assert await taken_of(owner, kayaks) == [("dawn", 0), ("10:00", 3), ("12:00", 0)]


async def test_a_house_that_is_over_makes_room_in_a_room(database: Database, owner: asyncpg.Connection) -> None:
    house, rooms = await _house(database)
    over = await make_hold(database, house)
    await let_run_out(owner, over)

    await make_hold(database, rooms[2])

    assert await status_of(owner, over.booking.id) == "EXPIRED"
    for resource in (house, *rooms[:2]):
        assert await taken_of(owner, resource) == [("dawn", 0)]


async def test_what_is_taken_stays_when_the_requirement_changes(database: Database, owner: asyncpg.Connection) -> None:
    house, rooms = await _house(database)
    held = await make_hold(database, house)
    await owner.execute("DELETE FROM resource_requirement WHERE required_id = $1", rooms[0].id)

    assert await taken_of(owner, rooms[0]) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]
    await calls.change_booking(database, change_of(held, BookingAction.CANCEL))
    assert await taken_of(owner, rooms[0]) == [("dawn", 0)]


async def test_a_requirement_that_is_made_meanwhile_is_locked_too(
    database: Database, owner: asyncpg.Connection, owner_url: str
) -> None:
    """The request waits for the tour while a guide becomes required; then it waits its turn for the guide as well."""
    tour = await make_resource(database)
    guide = await make_resource(database, beside=tour)
    somebody = await asyncpg.connect(owner_url)
    try:
        taking = somebody.transaction()
        await taking.start()
        await claim_by_hand(somebody, guide)
        async with owner.transaction():
            await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", tour.id)
            holding = asyncio.create_task(make_hold(database, tour))
            await waits_for_a_lock(owner)
            await owner.execute(
                "INSERT INTO resource_requirement (organization_id, resource_id, required_id, per_unit, per_booking)"
                " VALUES ($1, $2, $3, 0, 1)",
                tour.organization_id,
                tour.id,
                guide.id,
            )
        await waits_for_a_lock(owner)
        await taking.commit()
    finally:
        await somebody.close()

    with pytest.raises(SoldOut) as refusal:
        await holding
    assert refusal.value.resource_id == guide.id
