"""Fifty parties that swap into each other's places: never oversold, and each has all of the new or all of the old."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import asyncpg
import pytest

from models.base import new_id
from models.database import Database
from models.errors import SoldOut
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, Hold, HoldItem
from models.resource import Resource
from tests.races.support import (
    OVERSOLD,
    Ask,
    Deadlocks,
    Outcome,
    hour,
    patiently,
    processes,
    race,
    rounds_until,
    sides_of,
    switch_order_off,
)
from tests.support.clock import edit_function
from tests.support.factories import change_of, hold_of, make_resource, part_of, rebook_of

pytestmark = pytest.mark.timeout(300)

PARTIES = 50
ROUNDS = 12
HALLS = 3
HOURS = 2
CAPACITY = 18
"""Of each hall: each party takes a place in two of three halls, so about one place in fourteen is free."""

GIVES_BACK = "DELETE FROM claim WHERE organization_id = p_organization_id AND booking_id = p_booking.id;"


@dataclass
class Party:
    """Who has a booking, and where its places are."""

    record: BookingRecord
    items: tuple[HoldItem, ...]


def _somewhere(halls: Sequence[Resource]) -> tuple[HoldItem, ...]:
    when = hour(random.randrange(HOURS))
    return tuple(HoldItem(hall.id, when, 1) for hall in random.sample(halls, 2))


def _change(party: Party, items: tuple[HoldItem, ...]) -> Ask:
    request = rebook_of(party.record, *items)
    return patiently(lambda database: calls.rebook(database, request))


async def _parties(database: Database) -> tuple[list[Resource], list[Party]]:
    """Everybody confirmed somewhere, spread evenly: by chance some could find no two places at the same hour."""
    first = await make_resource(database, capacity=CAPACITY)
    halls = [first, *[await make_resource(database, beside=first, capacity=CAPACITY) for _ in range(HALLS - 1)]]
    pairs = list(combinations(halls, 2))
    parties: list[Party] = []
    for n in range(PARTIES):
        items = tuple(HoldItem(hall.id, hour(n % HOURS), 1) for hall in pairs[n // HOURS % len(pairs)])
        request = hold_of(first)
        held = await calls.hold(database, Hold(request.command, new_id(), request.reference, items))
        parties.append(Party(await calls.change_booking(database, change_of(held, BookingAction.CONFIRM)), items))
    return halls, parties


async def _swap(databases: Sequence[Database], halls: Sequence[Resource], parties: Sequence[Party]) -> Outcome:
    """Everybody moves at once; afterwards everybody is looked at."""
    wanted = [_somewhere(halls) for _ in parties]
    clients = [(str(n), _change(party, items)) for n, (party, items) in enumerate(zip(parties, wanted, strict=True))]
    outcome = await race(databases, clients)
    for n, party in enumerate(parties):
        booking = party.record.booking
        now = await calls.read_booking(databases[0], booking.organization_id, booking.id)
        assert now is not None
        if str(n) in outcome.won:
            party.record, party.items = now, wanted[n]
        assert (now.booking.version, now.booking.status) == (party.record.booking.version, "CONFIRMED")
        there = [(item.resource_id, item.starts_at, item.quantity) for item in now.items]
        assert there == [(item.resource_id, item.interval.starts_at, item.quantity) for item in party.items]
    return outcome


async def test_each_keeps_the_old_or_gets_the_new(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    halls, parties = await _parties(database)
    deadlocks = Deadlocks()
    async with processes(database_url, deadlocks) as databases:
        outcomes = await rounds_until(
            lambda played: bool(sides_of(played)) and any(one.refused for one in played),
            lambda _: _swap(databases, halls, parties),
            at_least=ROUNDS,
        )
    for outcome in outcomes:
        assert outcome.defects == ()
        assert all(isinstance(error, SoldOut) for error in outcome.refused)
    assert sides_of(outcomes), "somebody moved"
    assert any(outcome.refused for outcome in outcomes), "somebody found no room"
    assert deadlocks.count == 0
    assert await owner.fetchval(OVERSOLD) == 0
    taken = await owner.fetchval("SELECT sum(quantity) FROM claim")
    assert taken == 2 * PARTIES, "nobody has more than they had, or less"


async def test_control_with_locks_in_any_order_they_wait_in_a_circle(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """The database breaks it, and the calls come again: somebody had to wait for that, and nothing is lost."""
    halls, parties = await _parties(database)
    await switch_order_off(owner)
    deadlocks = Deadlocks()
    async with processes(database_url, deadlocks) as databases:
        await rounds_until(lambda _: deadlocks.count > 0, lambda _: _swap(databases, halls, parties))
    assert deadlocks.count > 0
    assert await owner.fetchval(OVERSOLD) == 0


async def test_control_whose_own_places_are_not_free_can_not_move_in_them(
    database: Database, owner: asyncpg.Connection
) -> None:
    hall = await make_resource(database, capacity=2)
    request = hold_of(hall, quantity=2)
    party = Party(await calls.hold(database, request), request.items)
    more = (HoldItem(hall.id, hour(0), 2), HoldItem(hall.id, request.items[0].interval, 1))
    assert await _change(party, more)(database)
    assert await _change(party, request.items)(database)
    await edit_function(owner, "ledger_swap", GIVES_BACK, "")
    await edit_function(owner, "ledger_swap", "PERFORM ledger_put_items", f"{GIVES_BACK} PERFORM ledger_put_items")
    with pytest.raises(SoldOut):
        await _change(party, more)(database)


async def test_changes_of_one_booking_come_one_after_the_other(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """Some make it bigger, some cancel a part, and one cancels it: whatever comes after finds that it is over."""
    hall = await make_resource(database, capacity=400)
    request = hold_of(hall, quantity=200)
    held = await calls.hold(database, request)
    party = Party(await calls.change_booking(database, change_of(held, BookingAction.CONFIRM)), request.items)
    organization_id, booking_id = hall.organization_id, held.booking.id

    def part() -> Ask:
        asked = part_of(held, 1)
        return patiently(lambda each: calls.cancel_item(each, asked))

    def moved(n: int) -> Ask:
        return _change(party, (HoldItem(hall.id, hour(n % 5), 100 + n),))

    cancel = change_of(held, BookingAction.CANCEL)
    async with processes(database_url) as databases:
        outcome = await race(
            databases,
            [
                *((f"part {n}", part()) for n in range(20)),
                *((f"change {n}", moved(n)) for n in range(20)),
                ("cancel", patiently(lambda each: calls.change_booking(each, cancel))),
            ],
        )
    assert outcome.defects == ()
    now = await calls.read_booking(database, organization_id, booking_id)
    assert now is not None
    assert (now.booking.status, now.booking.version) == ("CANCELLED", 2 + len(outcome.won))
    assert {error.code for error in outcome.refused} <= {"INVALID_STATE"}
    assert await owner.fetchval("SELECT count(*) FROM claim") == 0
