"""Fifty clients at the last place, two hundred times: exactly one of them gets it.

Each race has a control that switches the guard off and shows that the race is then seen: without it, a test that
never meets the race would pass as well.
"""

from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import pytest

from models.database import Database
from models.interval import Interval
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, HoldItem
from models.resource import Resource
from tests.races.support import (
    CLIENTS,
    CONTROL_CLIENTS,
    CONTROL_ROUNDS,
    LOWER,
    OVERSOLD,
    ROUNDS,
    Ask,
    Outcome,
    assert_one_winner,
    hour,
    let_holds_lapse,
    processes,
    race,
    switch_checks_off,
    switch_locks_off,
    winners_of,
)
from tests.support.factories import adjust_of, change_of, hold_of, let_run_out, make_requirement, make_resource

pytestmark = pytest.mark.timeout(300)  # ten thousand admissions each, on whatever machine

Round = Callable[[Sequence[Database], int, int], Awaitable[Outcome]]
Prepare = Callable[[Database, asyncpg.Connection], Awaitable[Round]]


def _hold(resource: Resource, when: Interval) -> Ask:
    request = hold_of(resource)
    there = HoldItem(resource.id, when, 1)
    request = type(request)(request.command, request.booking_id, request.reference, (there,))
    return lambda database: calls.hold(database, request)


def _confirm(record: BookingRecord) -> Ask:
    request = change_of(record, BookingAction.CONFIRM)
    return lambda database: calls.change_booking(database, request)


def _lower(resource: Resource, when: Interval) -> Ask:
    request = adjust_of(resource, when.starts_at.isoformat(), when.ends_at.isoformat(), capacity=0)
    return lambda database: calls.adjust(database, request)


async def hold_against_hold(database: Database, owner: asyncpg.Connection) -> Round:
    resource = await make_resource(database, capacity=1)

    async def play(databases: Sequence[Database], number: int, clients: int) -> Outcome:
        return await race(databases, [("hold", _hold(resource, hour(number))) for _ in range(clients)])

    return play


async def late_confirm_against_hold(database: Database, owner: asyncpg.Connection) -> Round:
    """Half of the clients confirm a hold that is over, the other half want its place."""
    resource = await make_resource(database, capacity=1)

    async def play(databases: Sequence[Database], number: int, clients: int) -> Outcome:
        held = await _hold(resource, hour(number))(database)
        assert isinstance(held, BookingRecord)
        await let_run_out(owner, held)
        confirms = [("confirm", _confirm(held)) for _ in range(clients // 2)]
        return await race(databases, confirms + [("hold", _hold(resource, hour(number))) for _ in range(clients // 2)])

    return play


async def reduction_against_hold(database: Database, owner: asyncpg.Connection) -> Round:
    """Some of the clients take the last place out of service, the others want it."""
    resource = await make_resource(database, capacity=1)

    async def play(databases: Sequence[Database], number: int, clients: int) -> Outcome:
        lowers = [(LOWER, _lower(resource, hour(number))) for _ in range(clients // 5)]
        return await race(
            databases, lowers + [("hold", _hold(resource, hour(number))) for _ in range(clients - clients // 5)]
        )

    return play


async def house_against_room(database: Database, owner: asyncpg.Connection) -> Round:
    """Half of the clients want the whole house, the other half one and the same room of it."""
    house = await make_resource(database, capacity=1)
    rooms = [await make_resource(database, beside=house, capacity=1) for _ in range(3)]
    for room in rooms:
        await make_requirement(database, house, room, per_booking=1)

    async def play(databases: Sequence[Database], number: int, clients: int) -> Outcome:
        houses = [("house", _hold(house, hour(number))) for _ in range(clients // 2)]
        return await race(
            databases, houses + [("room", _hold(rooms[number % 3], hour(number))) for _ in range(clients // 2)]
        )

    return play


RACES: list[tuple[Prepare, set[str]]] = [
    (hold_against_hold, {"hold"}),
    (late_confirm_against_hold, {"confirm", "hold"}),
    (reduction_against_hold, {LOWER, "hold"}),
    (house_against_room, {"house", "room"}),
]
OVERSELLING = [hold_against_hold, reduction_against_hold, house_against_room]


async def _rounds(prepare: Prepare, database: Database, owner: asyncpg.Connection, database_url: str) -> list[Outcome]:
    play = await prepare(database, owner)
    async with processes(database_url) as databases:
        return [await play(databases, number, CLIENTS) for number in range(ROUNDS)]


async def _rounds_until(
    seen: Callable[[Outcome], bool],
    prepare: Prepare,
    database: Database,
    owner: asyncpg.Connection,
    database_url: str,
) -> list[Outcome]:
    """The rounds of a control: who comes first is luck, so they are played until the race is seen, or all have been."""
    play = await prepare(database, owner)
    outcomes: list[Outcome] = []
    async with processes(database_url) as databases:
        while len(outcomes) < CONTROL_ROUNDS and not any(map(seen, outcomes)):
            outcomes.append(await play(databases, len(outcomes), CONTROL_CLIENTS))
    return outcomes


async def _oversold(owner: asyncpg.Connection) -> int:
    count: int = await owner.fetchval(OVERSOLD)
    return count


def _constraints(outcomes: list[Outcome]) -> set[str]:
    """The constraints by which the database has refused what the ledger let pass."""
    defects = [defect for outcome in outcomes for defect in outcome.defects]
    return {defect.constraint_name for defect in defects if isinstance(defect, asyncpg.CheckViolationError)}


@pytest.mark.parametrize(("prepare", "sides"), RACES, ids=[prepare.__name__ for prepare, _ in RACES])
async def test_exactly_one_gets_the_last_place(
    prepare: Prepare, sides: set[str], database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    outcomes = await _rounds(prepare, database, owner, database_url)

    for outcome in outcomes:
        assert_one_winner(outcome)
    assert await _oversold(owner) == 0
    assert {name for outcome in outcomes for name in outcome.won} == sides, "a duel that always ends alike is none"


@pytest.mark.unaudited
@pytest.mark.parametrize("prepare", OVERSELLING, ids=lambda prepare: prepare.__name__)
async def test_control_without_the_lock_the_race_is_seen(
    prepare: Prepare, database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    await switch_locks_off(owner)
    await switch_checks_off(owner)

    outcomes = await _rounds_until(lambda outcome: len(winners_of(outcome)) > 1, prepare, database, owner, database_url)

    assert len(winners_of(outcomes[-1])) > 1
    assert await _oversold(owner) > 0
    with pytest.raises(AssertionError, match="got the last place"):
        _assert_one_winner_each(outcomes)


@pytest.mark.parametrize("prepare", OVERSELLING, ids=lambda prepare: prepare.__name__)
async def test_control_without_the_lock_the_check_is_the_last_line(
    prepare: Prepare, database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """Nothing is oversold; but the losers are told by the database, in words that are no answer for a guest."""
    await switch_locks_off(owner)

    outcomes = await _rounds_until(lambda outcome: bool(outcome.defects), prepare, database, owner, database_url)

    assert _constraints(outcomes) == {"timeline_taken_check"}
    assert await _oversold(owner) == 0


@pytest.mark.unaudited
async def test_control_where_holds_just_lapse_the_late_confirm_and_the_hold_both_win(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """This duel has a second guard beside the lock, the hold's own status: so its control breaks that one."""
    await let_holds_lapse(owner)

    outcomes = await _rounds_until(
        lambda outcome: set(outcome.won) == {"confirm", "hold"},
        late_confirm_against_hold,
        database,
        owner,
        database_url,
    )

    assert set(outcomes[-1].won) == {"confirm", "hold"}
    with pytest.raises(AssertionError, match="got the last place"):
        _assert_one_winner_each(outcomes)


def _assert_one_winner_each(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        assert_one_winner(outcome)
