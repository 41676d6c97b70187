"""A month of a ledger's life in minutes: the clock is moved, everything else is what really runs.

Every step some hours go by: guests hold, confirm, release and cancel through the ledger's calls, many of one resource
in one commit; then the worker's functions publish, end what is over, fold and forget, by that clock.
"""

import asyncio
import heapq
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from benchmarks.requests import ledger_change_json
from models.database import Database
from models.errors import SoldOut
from models.interval import Interval
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, Hold, HoldItem
from models.queries.work import forget
from models.resource import Resource
from server.folding import fold_once
from server.janitor import KEPT, ROWS_PER_CALL_MAX
from server.sweeper import sweep_once
from subscriptions.relay import BATCH_ROWS_MAX, relay_batch
from tests.support.clock import move_clock, take_clock
from tests.support.factories import change_of, hold_of, make_resource

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
CAPACITY: Final = 40
LATER: Final = timedelta(minutes=2)  # what has been held is confirmed or released: well before its hold is over
FATES: Final = {"confirmed": 40, "released": 15, "cancelled": 15, "left": 30}
"""What becomes of holds, in percent: those who are left alone expire; those who cancel had confirmed."""

CHANGES: Final = """
SELECT ledger_change_booking($1, change)->>'outcome' AS outcome FROM jsonb_array_elements($2::jsonb) AS change
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much happens. In each step `lanes` resources get `group` holds each."""

    bookings: int
    halls: int
    rooms: int
    days: int = 30
    group: int = 64
    lanes: int = 8
    keep: timedelta = timedelta(days=7)

    @property
    def steps(self) -> int:
        return -(-self.bookings // (self.group * self.lanes))


@dataclass
class Life:
    """What has been done so far, and how long each group of holds took, in the order of their commits."""

    owner: "asyncpg.Connection"
    now: datetime
    resources: Sequence[Resource]
    done: Counter[str] = field(default_factory=Counter)
    group_seconds: list[float] = field(default_factory=list)
    to_cancel: list[tuple[datetime, int, BookingRecord]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def made(self) -> int:
        return sum(self.done[fate] for fate in FATES)


Watch = Callable[[Life], Awaitable[None]]


async def live(database: Database, owner: "asyncpg.Connection", plan: Plan, *, watch: Watch | None = None) -> Life:
    """Live through the plan's days, which end now; `watch` is called after every quarter of the steps."""
    life = await _begin(database, owner, plan)
    step = plan.days * DAY / plan.steps
    for number, resources in enumerate(_in_turn(life.resources, plan), start=1):
        held = await asyncio.gather(*(_hold_group(database, life, resource, plan.group) for resource in resources))
        await _move(life, LATER)
        await asyncio.gather(*(_decide(database, life, records) for records in held))
        await _change(database, _due(life), BookingAction.CANCEL)
        await _move(life, step - LATER)
        await _work(database, life, plan)
        if number == 1:
            # Of tables without statistics the planner may take any index that begins with the organization.
            await owner.execute("ANALYZE")
        if watch is not None and number * 4 // plan.steps > (number - 1) * 4 // plan.steps:
            await watch(life)
    return life


async def _begin(database: Database, owner: "asyncpg.Connection", plan: Plan) -> Life:
    began = datetime.now(UTC) - plan.days * DAY
    first = await make_resource(database, capacity=CAPACITY)
    halls = [first] + [await make_resource(database, beside=first, capacity=CAPACITY) for _ in range(plan.halls - 1)]
    rooms = [await make_resource(database, beside=first, name="Rooms", capacity=CAPACITY) for _ in range(plan.rooms)]
    await owner.execute("UPDATE resource SET created_at = $1", began)
    await take_clock(owner, began)
    return Life(owner, began, halls + rooms)


def _in_turn(resources: Sequence[Resource], plan: Plan) -> list[list[Resource]]:
    """Which resources are booked in each step: all equally often, none twice in a step."""
    turns: list[Resource] = []
    while len(turns) < plan.steps * plan.lanes:
        turns += random.sample(resources, len(resources))
    return [turns[start : start + plan.lanes] for start in range(0, plan.steps * plan.lanes, plan.lanes)]


async def _move(life: Life, by: timedelta) -> None:
    life.now += by
    await move_clock(life.owner, life.now)


async def _hold_group(database: Database, life: Life, resource: Resource, count: int) -> list[BookingRecord]:
    """Holds that are asked for in one moment, and so are one call and one commit."""
    asked = [_some_hold(resource, life.now) for _ in range(count)]
    began = time.perf_counter()
    answers = await asyncio.gather(*(calls.hold(database, each) for each in asked), return_exceptions=True)
    life.group_seconds.append(time.perf_counter() - began)
    for answer in answers:
        if isinstance(answer, SoldOut):
            life.done["refused"] += 1
        elif isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if isinstance(answer, BookingRecord)]


def _some_hold(resource: Resource, now: datetime) -> Hold:
    """Desks for some hours of the days to come; rooms for some nights of the weeks to come."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if resource.name == "Rooms":
        starts_at = today + DAY * random.randint(0, 30) + 15 * HOUR
        nights = random.choices((1, 2, 3, 7, 14), (4, 4, 3, 2, 1))[0]
        interval = Interval(starts_at, starts_at + nights * DAY - 4 * HOUR)
    else:
        starts_at = today + DAY * random.randint(0, 6) + random.randint(7, 20) * HOUR
        interval = Interval(starts_at, starts_at + random.randint(1, 4) * HOUR)
    return replace(hold_of(resource), items=(HoldItem(resource.id, interval, 1),))


async def _decide(database: Database, life: Life, records: Sequence[BookingRecord]) -> None:
    """What becomes of holds of one resource: most of it in two commits, of those who confirm and those who release."""
    fates = random.choices(list(FATES), list(FATES.values()), k=len(records))
    life.done.update(fates)
    by_fate = {fate: [record for record, its in zip(records, fates, strict=True) if its == fate] for fate in FATES}
    await _change(database, by_fate["confirmed"] + by_fate["cancelled"], BookingAction.CONFIRM)
    await _change(database, by_fate["released"], BookingAction.RELEASE)
    for record in by_fate["cancelled"]:
        # Some cancel only after they have come.
        when = life.now + (max(item.ends_at for item in record.items) - life.now) * random.random()
        heapq.heappush(life.to_cancel, (when, next(life.numbers), record))


def _due(life: Life) -> list[BookingRecord]:
    due = []
    while life.to_cancel and life.to_cancel[0][0] <= life.now:
        due.append(heapq.heappop(life.to_cancel)[2])
    return due


async def _change(database: Database, records: Sequence[BookingRecord], action: BookingAction) -> None:
    """Many calls of the ledger in one commit. Cancelled as staff may, also after the beginning."""
    if records:
        changes = [ledger_change_json(change_of(record, action, until_start=False)) for record in records]
        rows = await database.ledger.fetch(CHANGES, records[0].booking.organization_id, f"[{','.join(changes)}]")
        outcomes = {row["outcome"] for row in rows}
        if outcomes != {"DONE"}:
            raise RuntimeError(f"the ledger answered {outcomes}")


async def _work(database: Database, life: Life, plan: Plan) -> None:
    """What the worker does by itself, until there is nothing left to do."""
    while await relay_batch(database, None) == BATCH_ROWS_MAX:
        pass
    while ended := await sweep_once(database, patient=True):
        life.done["expired"] += ended
    life.done["folded"] += await fold_once(database, plan.keep)
    while (forgotten := await forget(database, older_than=KEPT, limit=ROWS_PER_CALL_MAX)) >= ROWS_PER_CALL_MAX:
        life.done["forgotten"] += forgotten
    life.done["forgotten"] += forgotten
