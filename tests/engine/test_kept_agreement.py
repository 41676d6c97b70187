"""Whatever happens: what is kept answers as the database does, and refuses what the ledger refuses, in the same words.

Two processes that share a Redis, and one that keeps nothing, are asked the same again and again between random changes.
"""

import os
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial

import asyncpg
import pytest

from engine.availability import Wish, availability, slots, timeline
from engine.calendar import calendar
from engine.facts import load_facts_with_versions
from engine.holds import HoldRequest, ItemRequest, hold
from engine.reading import TimelineLoader
from engine.viewer import GUEST
from models.database import Database
from models.errors import BookingError, NotFound
from models.interval import Interval
from models.kept_timelines import KeptTimelines
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction
from models.queries.catalog import Versions
from models.queries.kept import read_kept_timelines
from models.queries.work import fold
from models.resource import AvailabilityType, BookingRule, Resource, Sharing
from models.venue import Directory, DirectoryKind, Venue
from subscriptions.shelf import RedisShelf
from tests.support.audits import assert_audit_clean
from tests.support.factories import (
    adjust_of,
    at,
    change_of,
    key_of,
    let_run_out,
    make_choices,
    make_requirement,
    make_resource,
    make_venue,
)

NOW = at("2030-05-31 12:00")
DAY = at("00:00")
HOURS = 40
EXAMPLES = int(os.environ.get("VACANCY_TEST_EXAMPLES", "60"))
ROUNDS = 2 * EXAMPLES


@pytest.mark.timeout(240 + 4 * EXAMPLES)
async def test_what_is_kept_answers_as_the_database_does(
    database: Database, database_url: str, owner: asyncpg.Connection, redis_url: str
) -> None:
    play = _Play(database, owner, random.Random(5))
    async with _processes(database, redis_url) as processes:
        seen = await play.run(processes, ROUNDS)
    await assert_audit_clean(database_url)
    assert {"SOLD_OUT at sight", "SOLD_OUT", "HELD", "memory", "redis", "database"} <= set(seen), seen


@pytest.mark.timeout(240)
async def test_control_where_the_state_is_not_compared_they_disagree(
    database: Database, owner: asyncpg.Connection, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = Versions.of
    monkeypatch.setattr(Versions, "of", lambda row: of(row)._replace(state="always the same"))
    async with _processes(database, redis_url) as processes:
        with pytest.raises(AssertionError, match="round"):
            await _Play(database, owner, random.Random(6)).run(processes, 5_000)


class _Counted:
    """Where timelines were read, and what became of looks: an observer of one process."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen

    def called(self, transaction: str, seconds: float, error: BaseException | None) -> None: ...

    def admitted(self, outcome: str) -> None: ...

    def ended(self, holds: int) -> None: ...

    def published(self, seconds: list[float]) -> None: ...

    def timelines_read(self, source: str, count: int) -> None:
        self._seen[source] += count

    def looked(self, refused: bool) -> None:
        self._seen["SOLD_OUT at sight"] += refused


class _Play:
    """One database, and what happens in it by chance."""

    def __init__(self, database: Database, owner: asyncpg.Connection, chance: random.Random) -> None:
        self.database = database
        self.owner = owner
        self.chance = chance
        self.live: list[BookingRecord] = []
        self.seen: Counter[str] = Counter()

    async def run(self, processes: Sequence[Database], rounds: int) -> Counter[str]:
        processes = [replace(each, observer=_Counted(self.seen)) for each in processes]
        self.venue, self.resources = await _resources(self.database)
        for number in range(rounds):
            if self.chance.random() < 0.4:
                await self._change_something()
            await self._ask(processes, f"round {number}")
            await self._hold(self.chance.choice(processes), f"round {number}")
        return self.seen

    async def _ask(self, processes: Sequence[Database], name: str) -> None:
        """Several things about one resource, so that it is asked about in one state more than once."""
        resource = self.chance.choice(self.resources)
        for question in [self._question(resource) for _ in range(3)]:
            own = {resource.organization_id} if self.chance.random() < 0.3 else set()
            expected = await _answer(self.database, key_of(resource), question, own)
            for process in processes:
                told = await _answer(process, key_of(resource), question, own)
                assert told == expected, f"{name}: {resource.slug}: {question}"

    async def _hold(self, process: Database, name: str) -> None:
        """What is refused leaves no trace, so the ledger can be asked too what it would have said."""
        resource = self.chance.choice(self.resources)
        request = HoldRequest(
            key=f"agreement-{name}-{self.chance.random()}",
            request_hash=b"hash",
            items=(ItemRequest(key_of(resource), self._wish(resource)),),
            contact=NO_CONTACT,
            expected={},
        )
        answered = await self._held(process, request)
        repeated = await self._held(process if isinstance(answered, BookingRecord) else self.database, request)
        if isinstance(answered, BookingRecord) and isinstance(repeated, BookingRecord):
            assert repeated.booking.id == answered.booking.id, f"{name}: a repetition gets the first answer"
            self.live.append(answered)
            self.seen["HELD"] += 1
        else:
            assert type(answered) is type(repeated), f"{name}: {resource.slug}: {answered}, {repeated}"
            assert vars(answered) == vars(repeated), f"{name}: {resource.slug}"
            self.seen[getattr(answered, "code", "")] += 1

    async def _held(self, process: Database, request: HoldRequest) -> BookingRecord | BookingError:
        try:
            return await hold(process, GUEST, request, now=NOW)
        except BookingError as error:
            return error

    def _question(self, resource: Resource) -> "_Question":
        window = self._window()
        whole: _Question = partial(timeline, window=window)
        if resource.availability_type == AvailabilityType.NIGHTLY:
            first = (DAY + timedelta(days=self.chance.randrange(20))).date()
            last = first + timedelta(days=self.chance.randrange(1, 40))
            month: _Question = partial(calendar, first=first, last=last, now=NOW)
            return self.chance.choice([whole, month])
        wish = self._wish(resource)
        questions: list[_Question] = [
            whole,
            partial(slots, window=Interval(window.starts_at, window.starts_at + timedelta(hours=30)), now=NOW),
            partial(availability, wish=wish, now=NOW),
        ]
        return self.chance.choice(questions)

    def _window(self) -> Interval:
        starts_at = DAY + timedelta(hours=self.chance.randrange(-24 * 20, 24 * 20))
        return Interval(starts_at, starts_at + timedelta(hours=self.chance.choice([1, 30, 24 * 17, 24 * 40])))

    def _wish(self, resource: Resource) -> Wish:
        if resource.availability_type == AvailabilityType.NIGHTLY:
            arrival = DAY.date() + timedelta(days=self.chance.randrange(3))
            return Wish(stay=(arrival, arrival + timedelta(days=self.chance.randrange(1, 3))))
        starts_at = DAY + timedelta(hours=self.chance.randrange(HOURS))
        window = Interval(starts_at, starts_at + timedelta(hours=self.chance.randrange(1, 6)))
        activity = self.chance.choice([None, "laps", "gym"])
        return Wish(window=window, quantity=self.chance.randrange(1, 4), activity=activity)

    async def _change_something(self) -> None:
        if self.live and self.chance.random() < 0.7:
            await self._change_booking(self.live.pop(self.chance.randrange(len(self.live))))
            return
        resource, hour = self.chance.choice(self.resources), self.chance.randrange(HOURS)
        match self.chance.randrange(5):
            case 0 | 1:
                starts_at = DAY + timedelta(hours=hour)
                closed = self.chance.random() < 0.5
                await calls.adjust(
                    self.database,
                    adjust_of(resource, str(starts_at)[:16], str(starts_at + timedelta(hours=3))[:16], closed=closed),
                )
            case 2:
                await fold(self.database, older_than=datetime.now(UTC) - DAY - timedelta(hours=2), limit=9, points=99)
            case 3:
                async with self.database.writing(self.venue.organization_id) as session:
                    self.venue = await session.merge(self.venue)
                    entry = await session.get_one(Directory, (DirectoryKind.VENUE, self.venue.slug))
                    self.venue.is_published = entry.is_published = not self.venue.is_published
            case 4:
                parameters = {"beforeMinutes": self.chance.choice([30, 90])}
                async with self.database.writing(self.venue.organization_id) as session:
                    session.add(
                        BookingRule(
                            organization_id=resource.organization_id,
                            resource_id=resource.id,
                            type="BUFFERS",
                            parameters=parameters,
                        )
                    )

    async def _change_booking(self, record: BookingRecord) -> None:
        what = self.chance.choice(["release", "run out", "run out", "run out, then confirm", "confirm"])
        if what.startswith("run out"):
            await let_run_out(self.owner, record)
        if what != "run out":
            action = BookingAction.RELEASE if what == "release" else BookingAction.CONFIRM
            try:
                await calls.change_booking(self.database, change_of(record, action))
            except BookingError:  # it is over, and its place was needed
                return


_Question = Callable[..., Awaitable[object]]


async def _answer(database: Database, key: ResourceKey, question: _Question, own: set[uuid.UUID]) -> object:
    """What staff of `own` are told, or a guest."""
    facts, versions = await load_facts_with_versions(database, [key])
    load: TimelineLoader = partial(read_kept_timelines, database, versions=versions, own=own)
    try:
        return await question(facts[key], load=load)
    except NotFound as error:
        return error.code


@asynccontextmanager
async def _processes(database: Database, redis_url: str) -> AsyncIterator[list[Database]]:
    """Two that keep timelines, and share what is in Redis; the facts that they keep are their own."""
    async with AsyncExitStack() as stack:
        processes = []
        for _ in range(2):
            shelf = RedisShelf(redis_url)
            stack.push_async_callback(shelf.close)
            processes.append(replace(database, timelines=KeptTimelines(shelf), catalog={}))
        yield processes


async def _resources(database: Database) -> tuple[Venue, list[Resource]]:
    venue = await make_venue(database, time_zone="UTC", check_in_time=time(15), check_out_time=time(11))
    grid = {"START_GRID": {"minutes": 60}}
    hall = await make_resource(database, venue=venue, capacity=6, rules=grid)
    room = await make_resource(database, venue=venue, capacity=3, sharing=Sharing.EXCLUSIVE, rules=grid)
    lanes = await make_resource(database, venue=venue, capacity=4, sharing=Sharing.SAME_ACTIVITY, rules=grid)
    floor = await make_resource(database, venue=venue, capacity=2, rules=grid)
    await make_requirement(database, floor, hall, per_unit=2, per_booking=1)
    await make_requirement(database, floor, room, per_booking=1)
    nights = [
        await make_resource(database, venue=venue, capacity=capacity, availability_type=AvailabilityType.NIGHTLY)
        for capacity in (1, 2)
    ]
    either = await make_resource(database, venue=venue, capacity=2, rules=grid)
    await make_choices(database, either, room, lanes)
    return venue, [hall, room, lanes, floor, either, *nights]
