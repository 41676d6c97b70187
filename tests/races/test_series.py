"""Series against single holds and against each other: never oversold, and all of a series or nothing of it."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from models.base import new_id
from models.database import Database
from models.interval import Interval
from models.ledger import calls
from models.ledger.requests import Hold, HoldItem
from models.ledger.series import HoldSeries, SeriesDate, SeriesRecord, hold_series, key_of_date
from models.resource import Resource
from tests.races.support import CONTROL_ROUNDS, OVERSOLD, Ask, hour, processes, race
from tests.support.factories import command_of, hold_of, make_requirement, make_resource

pytestmark = pytest.mark.timeout(300)

ROUNDS = 40
DATES = 6
SERIES = 4
SINGLES = 12

HELD_BY_SERIES = """
    SELECT series_id, count(*) AS dates FROM booking WHERE series_id IS NOT NULL GROUP BY series_id
"""
SINGLE_IS_HELD = "SELECT EXISTS (SELECT FROM booking WHERE series_id IS NULL)"
UNDO = "IF v_outcome <> 'DONE' THEN"


def _date(round_: int, number: int) -> Interval:
    first = hour(round_)
    return Interval(first.starts_at + timedelta(weeks=100 + number), first.ends_at + timedelta(weeks=100 + number))


def _hold(resource: Resource, when: Interval) -> Hold:
    return replace(hold_of(resource), items=(HoldItem(resource.id, when, 1),))


def _single(resource: Resource, when: Interval) -> Ask:
    asked = _hold(resource, when)
    return lambda database: calls.hold(database, asked)


def _series(resources: Sequence[Resource], round_: int) -> Ask:
    """All dates of a series or none of them; they are of these resources in turn."""
    series_id = new_id()
    dates = []
    for n in range(DATES):
        resource = resources[n % len(resources)]
        when = _date(round_, n)
        asked = _hold(resource, when)
        command = replace(asked.command, key=key_of_date(series_id, n))
        asked = replace(asked, command=command, series_id=series_id, series_position=n)
        dates.append(SeriesDate(when.starts_at.date(), when, asked))
    request = HoldSeries(command_of(resources[0].organization_id), series_id, True, tuple(dates))
    return lambda database: hold_series(database, request)


async def _play(
    database: Database, database_url: str, seen: Callable[[], Awaitable[bool]], *, at_least: int = 1
) -> Counter[str]:
    """Rounds of four series and a dozen single holds at the last places of two halls, one of which needs the other.

    At least so many, and until that was `seen` which is luck in each of them, or CONTROL_ROUNDS have been played.
    """
    hall = await make_resource(database, capacity=1)
    annex = await make_resource(database, beside=hall, capacity=1)
    await make_requirement(database, annex, hall, per_booking=1)
    won: Counter[str] = Counter()
    async with processes(database_url) as databases:
        for round_ in range(CONTROL_ROUNDS):
            if round_ >= at_least and await seen():
                break
            series = [("series", _series((hall, annex), round_)) for _ in range(SERIES - 1)]
            series.append(("series", _series((annex, hall), round_)))
            wanted = random.choices(range(DATES), k=SINGLES if round_ % 2 else 1)
            singles = [("single", _single(random.choice((hall, annex)), _date(round_, n))) for n in wanted]
            outcome = await race(databases, series + singles)
            assert outcome.defects == ()
            assert {error.code for error in outcome.refused} <= {"SOLD_OUT"}
            won.update(outcome.won)
            won["rounds"] += 1
    return won


async def _sizes(owner: "asyncpg.Connection") -> Counter[int]:
    """How many series there are of so many dates."""
    return Counter(row["dates"] for row in await owner.fetch(HELD_BY_SERIES))


async def _whole(owner: "asyncpg.Connection") -> int:
    """How many series there are; each has all its dates."""
    found = await _sizes(owner)
    assert set(found) <= {DATES}, f"half a series: {found}"
    return found[DATES]


async def test_all_of_a_series_or_nothing(database: Database, owner: "asyncpg.Connection", database_url: str) -> None:
    async def is_booked() -> bool:
        return bool(await _sizes(owner)) and bool(await owner.fetchval(SINGLE_IS_HELD))

    won = await _play(database, database_url, is_booked, at_least=ROUNDS)

    assert await owner.fetchval(OVERSOLD) == 0
    assert 0 < await _whole(owner) <= won["rounds"], "at most one series has the dates of a round, and one ever does"
    assert won["single"] > 0


async def test_control_without_the_undo_half_a_series_stays(
    database: Database, owner: "asyncpg.Connection", database_url: str
) -> None:
    function = await owner.fetchval("SELECT pg_get_functiondef('ledger_hold_series'::regproc)")
    assert UNDO in function
    await owner.execute(function.replace(UNDO, "IF false THEN"))

    async def is_half() -> bool:
        return bool(set(await _sizes(owner)) - {DATES})

    await _play(database, database_url, is_half)

    with pytest.raises(AssertionError, match="half a series"):
        await _whole(owner)


async def test_one_key_at_the_same_moment_makes_one_series(
    database: Database, owner: "asyncpg.Connection", database_url: str
) -> None:
    hall = await make_resource(database, capacity=99)
    ask = _series((hall,), 0)
    async with processes(database_url) as databases:
        records = await asyncio.gather(*(ask(each) for each in databases))

    assert all(isinstance(record, SeriesRecord) for record in records)
    assert sum(isinstance(record, SeriesRecord) and record.is_new for record in records) == 1
    assert len({record.id for record in records if isinstance(record, SeriesRecord)}) == 1
    assert await _whole(owner) == 1
