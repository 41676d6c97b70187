"""Forty clients who want any two of five rooms, beside others who want one of them by name.

Parties that fit are all served, and when somebody has been refused too few are left: as if they had come one after the
other. The control chooses before the call, as a client would who looks first: then parties fight over one room while
others are free.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest

from models.database import Database
from models.errors import BookingError, Busy, SoldOut
from models.interval import Interval
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, HoldItem
from models.queries.timelines import read_timelines
from models.resource import Resource
from tests.races.support import (
    OVERSOLD,
    Ask,
    Deadlocks,
    Outcome,
    hour,
    processes,
    race,
    rounds_until,
    sides_of,
    switch_order_off,
)
from tests.support.factories import (
    change_of,
    hold_of,
    key_of,
    let_run_out,
    make_choices,
    make_requirement,
    make_resource,
    make_venue,
)

pytestmark = pytest.mark.timeout(300)

ROOMS = 5
WANTED = 2
PARTIES = 40
BY_NAME = 10
ROUNDS = 20

DEADLOCK_ROUNDS_MAX = 50


@pytest.mark.parametrize("by_name", [0, BY_NAME], ids=["alone", "beside others"])
async def test_nobody_is_refused_while_there_are_enough(
    database: Database, owner: asyncpg.Connection, database_url: str, by_name: int
) -> None:
    pool, rooms, _ = await _house(database)
    sides = {"any", "named"} if by_name else {"any"}
    deadlocks = Deadlocks()
    async with processes(database_url, deadlocks) as databases:

        async def play(number: int) -> Outcome:
            when = hour(number)
            parties = [("any", _hold(HoldItem(pool.id, when, WANTED), near=pool)) for _ in range(PARTIES)]
            others = [("named", _hold(HoldItem(random.choice(rooms).id, when, 1), near=pool)) for _ in range(by_name)]
            outcome = await race(databases, parties + others)
            await _assert_served(database, rooms, when, outcome)
            return outcome

        outcomes = await rounds_until(lambda outcomes: sides_of(outcomes) == sides, play, at_least=ROUNDS)
    assert sides_of(outcomes) == sides, "a duel that always ends alike is none"
    assert await owner.fetchval(OVERSOLD) == 0
    assert deadlocks.count == 0


async def test_parties_that_fit_are_all_served(database: Database, database_url: str) -> None:
    """At the same moment, with as many rooms as they want in all: none of them is told that there are none."""
    pool, rooms, _ = await _house(database)
    async with processes(database_url) as databases:
        for number in range(ROUNDS):
            when, sizes = hour(number), random.choice([(2, 2, 1), (1, 1, 1, 1, 1), (3, 1, 1), (4, 1)])
            outcome = await race(
                databases, [(str(size), _hold(HoldItem(pool.id, when, size), near=pool)) for size in sizes]
            )
            assert (outcome.refused, outcome.defects) == ((), ())
            assert await _free(database, rooms, when) == []


async def test_control_who_chooses_before_the_call_fights_while_rooms_are_free(
    database: Database, database_url: str
) -> None:
    """All have looked before the first of them asks: no luck is needed for them to choose alike."""
    _, rooms, _ = await _house(database)
    async with processes(database_url) as databases:
        looked = [await _choose(database, rooms, hour(0)) for _ in range(PARTIES)]
        outcome = await race(databases, [("any", _hold(*items, near=rooms[0])) for items in looked])
        with pytest.raises(AssertionError, match="refused while"):
            await _assert_served(database, rooms, hour(0), outcome)


async def test_pools_rooms_and_the_whole_house_never_wait_in_a_circle(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """Requests of several of them in any order, some left again, some over: no deadlock is ever found."""
    pool, rooms, whole = await _house(database)
    deadlocks = Deadlocks()
    async with processes(database_url, deadlocks) as databases:
        made = await _mixed(databases, owner, pool, [pool, *rooms, whole], calls_each=4)
    assert len(made) > PARTIES
    assert await owner.fetchval(OVERSOLD) == 0
    assert deadlocks.count == 0


async def test_control_with_locks_in_any_order_they_wait_in_a_circle(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """The database breaks it, and the calls come again: nothing is oversold, but somebody had to wait for that."""
    pool, rooms, whole = await _house(database)
    await switch_order_off(owner)
    deadlocks = Deadlocks()
    async with processes(database_url, deadlocks) as databases:
        for _ in range(DEADLOCK_ROUNDS_MAX):
            await _mixed(databases, owner, pool, [pool, *rooms, whole], calls_each=1)
            if deadlocks.count:
                break
    assert deadlocks.count > 0
    assert await owner.fetchval(OVERSOLD) == 0


async def _mixed(
    databases: Sequence[Database],
    owner: asyncpg.Connection,
    pool: Resource,
    everything: Sequence[Resource],
    *,
    calls_each: int,
) -> list[BookingRecord]:
    """Forty clients hold one to three of these in random order, and leave half of it, or let it run out."""
    made: list[BookingRecord] = []
    turn = asyncio.Lock()

    async def one() -> None:
        for _ in range(calls_each):
            items = [
                HoldItem(resource.id, hour(random.randrange(12)), 1)
                for resource in random.sample(everything, random.randrange(1, 4))
            ]
            chosen = random.choice(databases)
            try:
                record = await _hold(*items, near=pool)(chosen)
            except BookingError:
                continue
            assert isinstance(record, BookingRecord)
            made.append(record)
            if random.random() < 0.5:
                async with turn:  # the owner's one connection does one thing at a time
                    await let_run_out(owner, record)
            else:
                with suppress(Busy):
                    await calls.change_booking(chosen, change_of(record, BookingAction.RELEASE))

    await asyncio.gather(*(one() for _ in range(PARTIES)))
    return made


async def _assert_served(database: Database, rooms: Sequence[Resource], when: Interval, outcome: Outcome) -> None:
    """Of parties more than fit, so many were served that no other fits."""
    assert outcome.defects == (), "who is refused is told in the words of the business"
    assert all(isinstance(error, SoldOut) for error in outcome.refused)
    free = len(await _free(database, rooms, when))
    assert free < WANTED, f"refused while {free} are free"
    named = outcome.won.count("named")
    assert WANTED * outcome.won.count("any") + named + free == len(rooms)


async def _house(database: Database) -> tuple[Resource, list[Resource], Resource]:
    """Any room, the rooms, and all of them at once."""
    venue = await make_venue(database, time_zone="UTC")
    pool = await make_resource(database, venue=venue, capacity=ROOMS)
    rooms = [await make_resource(database, venue=venue, capacity=1) for _ in range(ROOMS)]
    await make_choices(database, pool, *rooms)
    whole = await make_resource(database, venue=venue, capacity=1)
    for room in rooms:
        await make_requirement(database, whole, room, per_booking=1)
    return pool, rooms, whole


def _hold(*items: HoldItem, near: Resource) -> Ask:
    request = replace(hold_of(near), items=items)
    return lambda database: calls.hold(database, request)


async def _free(database: Database, rooms: Sequence[Resource], when: Interval) -> list[Resource]:
    views = await read_timelines(database, [(key_of(room), when) for room in rooms])
    return [
        room for room, view in zip(rooms, views, strict=True) if all(step.capacity > step.taken for step in view.steps)
    ]


async def _choose(database: Database, rooms: Sequence[Resource], when: Interval) -> list[HoldItem]:
    """What somebody would do who looks first, and then asks for what was free."""
    free = await _free(database, rooms, when)
    return [HoldItem(room.id, when, 1) for room in free[:WANTED]]
