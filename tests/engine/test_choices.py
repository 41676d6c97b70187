"""Any k of these: which members the ledger chooses, and that whoever only looks is told the same."""

import random
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import asyncpg
import pytest

from engine.availability import Wish, availability, timeline
from engine.facts import load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.database import Database
from models.errors import BookingError, SoldOut
from models.interval import Interval
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction, HoldItem
from models.queries.timelines import read_timelines
from models.resource import Resource, Sharing
from tests.support.audits import assert_audit_clean
from tests.support.factories import (
    adjust_of,
    at,
    between,
    change_of,
    hold_of,
    item_of,
    key_of,
    let_run_out,
    make_choices,
    make_hold,
    make_requirement,
    make_resource,
    make_venue,
)
from tests.support.ledger import taken_of

NOW = at("2030-05-31 12:00")
ROUNDS = 120


async def a_pool(database: Database, size: int = 5, *, sharing: Sharing = Sharing.SHARED) -> list[Resource]:
    """Any of some rooms of one place each; then the rooms, by id."""
    venue = await make_venue(database, time_zone="UTC")
    pool = await make_resource(database, venue=venue, capacity=size)
    rooms = [await make_resource(database, venue=venue, capacity=1, sharing=sharing) for _ in range(size)]
    await make_choices(database, pool, *rooms)
    return [pool, *sorted(rooms, key=lambda room: room.id)]


def chosen(record: BookingRecord, rooms: Sequence[Resource], item: int = 0) -> list[int]:
    """Which of the rooms, by their place in the list."""
    ids = [room.id for room in rooms]
    return [ids.index(id_) for id_ in record.items[item].chosen or ()]


async def vacancies(database: Database, pool: Resource, start: str, end: str) -> int:
    facts = (await load_facts(database, [key_of(pool)]))[key_of(pool)]
    wish = Wish(window=between(start, end))
    return (await availability(facts, wish, load=partial(read_timelines, database), now=NOW)).vacancies


async def test_what_is_chosen_may_be_booked_by_name_as_well(database: Database, owner: asyncpg.Connection) -> None:
    """By one booking, over the same time; and chosen for another item: there is one claim of all of it."""
    pool, hall, _ = await _hall_or_room(database)
    by_name = await make_hold(database, pool, quantity=2, also=(item_of(hall, "10:00", "12:00", quantity=2),))
    assert await taken_of(owner, hall) == [("dawn", 0), ("10:00", 3), ("12:00", 0)]
    await calls.change_booking(database, change_of(by_name, BookingAction.RELEASE))
    other = await make_resource(database, beside=pool, capacity=9)
    await make_choices(database, other, hall)
    await make_hold(database, pool, quantity=2, also=(item_of(other, "10:00", "12:00", quantity=1),))
    assert await taken_of(owner, hall) == [("dawn", 0), ("10:00", 2), ("12:00", 0)]
    with pytest.raises(SoldOut):
        await make_hold(database, hall, quantity=3)


async def _hall_or_room(database: Database) -> list[Resource]:
    """Any of a hall of four places and a room of one."""
    venue = await make_venue(database, time_zone="UTC")
    pool, hall, room = [await make_resource(database, venue=venue, capacity=capacity) for capacity in (9, 4, 1)]
    await make_choices(database, pool, hall, room)
    return [pool, hall, room]


async def test_as_many_different_members_as_units(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    pool, *rooms = await a_pool(database)

    first = await make_hold(database, pool, quantity=2)
    second = await make_hold(database, pool, quantity=3)

    assert chosen(first, rooms) == [0, 1]
    assert chosen(second, rooms) == [2, 3, 4]
    for room in rooms:
        assert await taken_of(owner, room) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]
    assert await taken_of(owner, pool) == [("dawn", 0), ("10:00", 5), ("12:00", 0)]
    with pytest.raises(SoldOut):
        await make_hold(database, pool)
    await assert_audit_clean(database_url)


async def test_what_was_chosen_is_free_again_when_the_booking_ends_and_stays_written_down(
    database: Database, owner: asyncpg.Connection
) -> None:
    pool, *rooms = await a_pool(database, 2)
    held = await make_hold(database, pool)
    released = await calls.change_booking(database, change_of(held, BookingAction.RELEASE))
    assert chosen(released, rooms) == chosen(held, rooms) == [0]
    assert await taken_of(owner, rooms[0]) == [("dawn", 0)]


async def test_a_member_that_is_booked_by_itself_or_closed_for_some_of_the_time_is_passed_over(
    database: Database,
) -> None:
    pool, *rooms = await a_pool(database)
    await make_hold(database, rooms[0], "11:00", "12:00")
    await calls.adjust(database, adjust_of(rooms[1], "09:00", "10:30", closed=True))

    assert await vacancies(database, pool, "10:00", "12:00") == 3
    with pytest.raises(SoldOut) as refusal:
        await make_hold(database, pool, quantity=4)
    assert (refusal.value.resource_id, refusal.value.vacancies) == (pool.id, 3)
    assert chosen(await make_hold(database, pool, quantity=3), rooms) == [2, 3, 4]
    assert await vacancies(database, pool, "10:00", "12:00") == 0


async def test_the_best_fit_fills_the_gap(database: Database) -> None:
    """A party comes from 10 to 12, and two rooms are free then:

              08  09  10  11  12  13  14
        room 0    ·   ·   [   ]   ·   ·     free all day
        room 1   ███████  [   ]  ███████    free from 10 to 12, and taken before and after
        room 2   ███████  [   ]   ·   ·     free from 10 on

    Room 1 it is; then room 2, which is left with an afternoon as before. Room 0 stays whole, for who comes all day.
    """
    pool, *rooms = await a_pool(database, 3)
    for room, start, end in ((1, "08:00", "10:00"), (1, "12:00", "14:00"), (2, "08:00", "10:00")):
        await make_hold(database, rooms[room], start, end)

    assert chosen(await make_hold(database, pool), rooms) == [1]
    assert chosen(await make_hold(database, pool), rooms) == [2]
    assert chosen(await make_hold(database, pool, "08:00", "14:00"), rooms) == [0]


async def test_what_is_free_at_each_time_need_not_be_free_all_the_time(database: Database) -> None:
    """One room is free in the morning, the other in the afternoon: a day can not be spent moving between them."""
    pool, *rooms = await a_pool(database, 2)
    await make_hold(database, rooms[0], "08:00", "12:00")
    await make_hold(database, rooms[1], "12:00", "16:00")

    facts = (await load_facts(database, [key_of(pool)]))[key_of(pool)]
    shown = await timeline(facts, between("08:00", "16:00"), load=partial(read_timelines, database))
    assert [step.vacancies for step in shown.steps] == [1]
    assert await vacancies(database, pool, "08:00", "16:00") == 0
    with pytest.raises(SoldOut):
        await make_hold(database, pool, "08:00", "16:00")
    assert await vacancies(database, pool, "08:00", "12:00") == 1


async def test_a_hold_of_a_member_that_is_over_is_in_nobodys_way(database: Database, owner: asyncpg.Connection) -> None:
    pool, *rooms = await a_pool(database, 1)
    await let_run_out(owner, await make_hold(database, rooms[0]))
    assert await vacancies(database, pool, "10:00", "12:00") == 1
    assert chosen(await make_hold(database, pool), rooms) == [0]


async def test_one_request_never_takes_a_unit_twice(database: Database) -> None:
    """Its items are chosen for in their order, after what it names itself."""
    pool, *rooms = await a_pool(database, 3)
    several = hold_of(pool, also=(item_of(rooms[0]), item_of(pool, "11:00", "13:00")))
    held = await calls.hold(database, several)
    assert (chosen(held, rooms, 0), chosen(held, rooms, 1), chosen(held, rooms, 2)) == ([1], [], [2])


async def test_what_a_booking_takes_longer_than_it_is_there_its_members_are_taken_for(
    database: Database, owner: asyncpg.Connection
) -> None:
    pool, room = await a_pool(database, 1)
    request = hold_of(pool)
    item = HoldItem(pool.id, between("10:00", "12:00"), 1, claim=between("09:30", "12:30"))
    await calls.hold(database, type(request)(request.command, request.booking_id, request.reference, (item,)))
    assert await taken_of(owner, room) == [("dawn", 0), ("09:30", 1), ("12:30", 0)]


@pytest.mark.parametrize("seed", range(3))
async def test_reading_and_booking_agree(database: Database, database_url: str, seed: int) -> None:
    """Random wishes for a pool, its members and a house of them all; some members closed, shared, or left again."""
    chance = random.Random(seed)
    everything = await _everything(database)
    live: list[BookingRecord] = []
    seen = {True: 0, False: 0}
    for n in range(ROUNDS):
        if live and chance.random() < 0.3:
            over = live.pop(chance.randrange(len(live)))
            await calls.change_booking(database, change_of(over, BookingAction.RELEASE))
        if chance.random() < 0.05:
            start = chance.randrange(20)
            request = adjust_of(
                chance.choice(everything), f"{start:02}:00", f"{start + 3:02}:00", closed=chance.random() < 0.4
            )
            await calls.adjust(database, request)
        resource = chance.choice([everything[0], everything[0], *everything])
        bookable = await _agrees(database, resource, _wish(chance), live, f"agree-{seed}-{n:010}")
        seen[bookable] += 1
    assert min(seen.values()) > ROUNDS // 10
    await assert_audit_clean(database_url)


async def _agrees(database: Database, resource: Resource, wish: Wish, live: list[BookingRecord], key: str) -> bool:
    """Ask, then hold at the version that was told: for the same reasons it is refused, or for none admitted."""
    facts = (await load_facts(database, [key_of(resource)]))[key_of(resource)]
    answer = await availability(facts, wish, load=partial(read_timelines, database), now=NOW)
    request = HoldRequest(
        key=key,
        request_hash=b"hash",
        items=(ItemRequest(key_of(resource), wish),),
        contact=NO_CONTACT,
        expected={key_of(resource): answer.version},
    )
    done: list[str] = []
    try:
        live.append(await hold(database, GUEST, request, now=NOW))
    except BookingError as error:
        done.append(error.code)
    assert done == [refusal.code for refusal in answer.refusals], wish
    return answer.bookable


async def _everything(database: Database) -> list[Resource]:
    """Any of four lanes (two of them one party's at a time, one a hall of three), each lane, and all of them."""
    venue = await make_venue(database, time_zone="UTC")
    pool = await make_resource(database, venue=venue, capacity=4)
    lanes = [
        await make_resource(database, venue=venue, capacity=capacity, sharing=sharing)
        for capacity, sharing in (
            (1, Sharing.SHARED),
            (2, Sharing.EXCLUSIVE),
            (2, Sharing.SAME_ACTIVITY),
            (3, Sharing.SHARED),
        )
    ]
    await make_choices(database, pool, *lanes)
    whole = await make_resource(database, venue=venue, capacity=1)
    for lane in lanes:
        await make_requirement(database, whole, lane, per_booking=1)
    return [pool, *lanes, whole]


def _wish(chance: random.Random) -> Wish:
    start = at("00:00") + timedelta(hours=chance.randrange(24))
    window = Interval(start, start + timedelta(hours=chance.randrange(1, 6)))
    return Wish(window=window, quantity=chance.randrange(1, 4), activity=chance.choice([None, "laps", "gym"]))
