"""What `availability` calls bookable at a version, `hold` accepts at that version; and nothing else."""

import random
from datetime import timedelta
from functools import partial

import pytest

from engine.availability import Wish, availability
from engine.facts import load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.database import Database
from models.errors import BookingError, SoldOut
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction
from models.queries.timelines import read_timelines
from models.resource import Resource, Sharing
from tests.support.factories import (
    adjust_of,
    at,
    change_of,
    key_of,
    make_requirement,
    make_resource,
    make_venue,
)

NOW = at("2030-05-31 12:00")
DAY = at("00:00")
ROUNDS = 150
CODES = {"SOLD_OUT", "CLOSED", "ACTIVITY_CONFLICT"}


@pytest.mark.parametrize("seed", range(4))
async def test_reading_and_booking_agree(database: Database, seed: int) -> None:
    """Random wishes over shared, exclusive, same-activity and requiring resources, some closed, some holds ended."""
    chance = random.Random(seed)
    resources = await _resources(database)
    load = partial(read_timelines, database)
    live: list[BookingRecord] = []
    seen = {True: 0, False: 0}
    for n in range(ROUNDS):
        if live and chance.random() < 0.25:
            await calls.change_booking(
                database, change_of(live.pop(chance.randrange(len(live))), BookingAction.RELEASE)
            )
        if chance.random() < 0.05:
            await _close_or_open(database, chance.choice(resources), chance)
        resource, wish = chance.choice(resources), _wish(chance)
        facts = (await load_facts(database, [key_of(resource)]))[key_of(resource)]
        answer = await availability(facts, wish, load=load, now=NOW)
        request = HoldRequest(
            key=f"agreement-{seed}-{n:06}",
            request_hash=b"hash",
            items=(ItemRequest(key_of(resource), wish),),
            contact=NO_CONTACT,
            expected={key_of(resource): answer.version},
        )
        told = [(refusal.code, refusal.resource) for refusal in answer.refusals]
        # The ledger names what is sold out; what is closed or in use it does not tell.
        expected = [(code, binds if code == "SOLD_OUT" else None) for code, binds in told]
        assert await _held(database, request, live) == expected, f"round {n}: {wish} of {resource.slug}"
        assert {code for code, _ in told} <= CODES
        seen[answer.bookable] += 1
    assert min(seen.values()) > ROUNDS // 10


async def _held(
    database: Database, request: HoldRequest, live: list[BookingRecord]
) -> list[tuple[str, ResourceKey | None]]:
    """The code with which the ledger refuses, and what is sold out; none if it admits."""
    try:
        live.append(await hold(database, GUEST, request, now=NOW))
    except SoldOut as error:
        return [(error.code, ResourceKey(request.items[0].resource.organization_id, error.resource_id))]
    except BookingError as error:
        return [(error.code, None)]
    return []


async def _resources(database: Database) -> list[Resource]:
    venue = await make_venue(database, time_zone="UTC")
    hall = await make_resource(database, venue=venue, capacity=5)
    room = await make_resource(database, venue=venue, capacity=3, sharing=Sharing.EXCLUSIVE)
    lanes = await make_resource(database, venue=venue, capacity=4, sharing=Sharing.SAME_ACTIVITY)
    floor = await make_resource(database, venue=venue, capacity=2)
    await make_requirement(database, floor, hall, per_unit=2, per_booking=1)
    await make_requirement(database, floor, room, per_booking=1)
    await make_requirement(database, floor, lanes, per_unit=1)
    return [hall, room, lanes, floor]


def _wish(chance: random.Random) -> Wish:
    start = DAY + timedelta(hours=chance.randrange(24))
    return Wish(
        window=Interval(start, start + timedelta(hours=chance.randrange(1, 6))),
        quantity=chance.randrange(1, 4),
        activity=chance.choice([None, "laps", "gym"]),
    )


async def _close_or_open(database: Database, resource: Resource, chance: random.Random) -> None:
    start = chance.randrange(20)
    await calls.adjust(
        database,
        adjust_of(resource, f"{start:02}:00", f"{start + 3:02}:00", closed=chance.random() < 0.5),
    )
