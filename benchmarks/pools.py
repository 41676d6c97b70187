"""Any k of these: what a hold costs, the more members there are to choose from, and what looking at it costs."""

import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from benchmarks.claims import load_at
from benchmarks.report import heading, table
from benchmarks.requests import LENGTH, ledger_hold, some_interval
from benchmarks.stage import RULES, Stage
from engine.availability import Wish, availability
from engine.calendar import calendar
from engine.facts import load_facts
from models.interval import Interval
from models.ledger import calls
from models.ledger.requests import HoldItem
from models.queries.timelines import read_timelines
from models.resource import Resource
from tests.support.factories import key_of, make_choices, make_resource

SIZES: Final = (5, 20, 50)
HOLDS: Final = 60
LOOKS: Final = 20
WARM_UP: Final = 10
MONTH_DAYS: Final = 31
BOOKINGS_OF_MEMBER: Final = 20  # in the month


@dataclass(frozen=True, slots=True)
class Kind:
    """Something to hold: a plain resource, or one with members."""

    name: str
    resource: Resource


async def pools(stage: Stage) -> None:
    """In turn a hold of each, at random times of a month in which members are booked by name as well."""
    heading("Any one of these")
    plain = await make_resource(stage.database, beside=stage.hot, capacity=10_000, rules=RULES)
    kinds = [Kind("a plain resource", plain)]
    kinds += [Kind(f"any of {size}", await _pool(stage, size)) for size in SIZES]
    await stage.owner.execute("VACUUM ANALYZE timeline, claim, booking, booking_item")
    holds: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for number in range(WARM_UP + HOLDS):
        for kind in random.sample(kinds, len(kinds)):
            seconds = await _timed(partial(_hold, stage, kind.resource))
            if number >= WARM_UP:
                holds[kind.name].append(seconds)
    least = statistics.median(holds[kinds[0].name])
    rows = []
    for kind in kinds:
        took = statistics.median(holds[kind.name])
        looked = [await _looks(stage, kind.resource, whole_month) for whole_month in (False, True)]
        rows.append([kind.name, took * 1000, took / least, *looked])
    table(["", "hold, p50 ms", "ratio", "availability, p50 ms", "calendar of a month, p50 ms"], rows)


async def _pool(stage: Stage, size: int) -> Resource:
    pool = await make_resource(stage.database, beside=stage.hot, capacity=size, rules=RULES)
    members = [await make_resource(stage.database, beside=stage.hot, capacity=1) for _ in range(size)]
    await make_choices(stage.database, pool, *members)
    for member in members:
        await load_at(stage.owner, member, _apart(BOOKINGS_OF_MEMBER))
    return pool


def _apart(count: int) -> list[Interval]:
    """So many times of the month at most that do not overlap."""
    found: list[Interval] = []
    for each in sorted(some_interval(MONTH_DAYS) for _ in range(count)):
        if not found or found[-1].ends_at <= each.starts_at:
            found.append(each)
    return found


async def _hold(stage: Stage, resource: Resource) -> None:
    item = HoldItem(resource.id, some_interval(MONTH_DAYS), 1)
    await calls.hold(stage.database, replace(ledger_hold(resource), items=(item,)))


async def _looks(stage: Stage, resource: Resource, whole_month: bool) -> float:
    facts = (await load_facts(stage.database, [key_of(resource)]))[key_of(resource)]
    load = partial(read_timelines, stage.database)
    now = datetime.now(UTC)
    first = now.date() + timedelta(days=2)
    starts_at = some_interval(MONTH_DAYS).starts_at
    wish = Wish(window=Interval(starts_at, starts_at + LENGTH))
    ask: Callable[[], Awaitable[object]] = (
        partial(calendar, facts, first, first + timedelta(days=MONTH_DAYS), load=load, now=now)
        if whole_month
        else partial(availability, facts, wish, load=load, now=now)
    )
    return statistics.median([await _timed(ask) for _ in range(LOOKS)]) * 1000


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await ask()
    return time.perf_counter() - began
