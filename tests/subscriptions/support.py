"""A feed with its own times, and watchers that keep what a client would hold."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from engine.ports import Change, Watch
from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, read_timelines
from subscriptions.feed import Feed, FeedLimits
from tests.support.factories import between

Item = TypeVar("Item")

WINDOW = between("00:00", "2030-06-02 00:00")
PUSH_SECONDS_MAX = 5.0
QUIET_SECONDS = 0.4

QUICK = FeedLimits(sweep_seconds=0.1)
"""Finds out by itself, soon."""

PATIENT = FeedLimits(sweep_seconds=60.0)
"""Finds out only by hints."""


@asynccontextmanager
async def running_feed(
    database: Database, redis_url: str | None = None, limits: FeedLimits = QUICK
) -> AsyncIterator[Feed]:
    feed = Feed(database, redis_url, limits)
    await feed.start()
    try:
        yield feed
    finally:
        await feed.close()


async def taken(stream: AsyncGenerator[Item, None], seconds_max: float = PUSH_SECONDS_MAX) -> Item:
    """The next item."""
    async with asyncio.timeout(seconds_max):
        return await anext(stream)


async def assert_quiet(stream: AsyncGenerator[Item, None]) -> None:
    """Nothing comes for a while. The stream can not be used after it."""
    try:
        async with asyncio.timeout(QUIET_SECONDS):
            item = await anext(stream)
    except TimeoutError:
        return
    raise AssertionError(f"pushed {item}")


def watch(
    key: ResourceKey, *, window: Interval = WINDOW, needs: tuple[ResourceKey, ...] = (), after: int | None = None
) -> list[Watch]:
    return [Watch(key, window, needs, after)]


@dataclass
class Held:
    """What a client that has applied every change holds of one resource."""

    key: ResourceKey
    window: Interval
    versions: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def version(self) -> int:
        return self.versions[-1] if self.versions else -1

    def apply(self, change: Change) -> None:
        assert change.version > self.version, "pushed in version order"
        self.versions.append(change.version)
        assert not change.snapshot or change.window == self.window
        kept = [] if change.snapshot else self.steps
        view = change.views[self.key]
        assert view.version == change.version
        before = [part for step in kept if (part := _part(step, self.window.starts_at, change.window.starts_at))]
        after = [part for step in kept if (part := _part(step, change.window.ends_at, self.window.ends_at))]
        self.steps = _joined([*before, *view.steps, *after])

    async def follow(self, feed: Feed, last: "asyncio.Future[int]") -> None:
        """Apply what is pushed until the last version, which is told before it is made."""
        async with aclosing(feed.resources(watch(self.key, window=self.window))) as changes:
            while not (last.done() and self.version >= last.result()):
                self.apply(await taken(changes))


async def version_of(database: Database, key: ResourceKey) -> int:
    (view,) = await read_timelines(database, [(key, WINDOW)])
    return view.version


async def steps_of(database: Database, key: ResourceKey, window: Interval) -> list[Step]:
    (view,) = await read_timelines(database, [(key, window)])
    return _joined(list(view.steps))


def random_organization() -> uuid.UUID:
    return uuid.uuid4()


def _part(step: Step, starts_at: datetime, ends_at: datetime) -> Step | None:
    first, last = max(step.starts_at, starts_at), min(step.ends_at, ends_at)
    if first >= last:
        return None
    return Step(first, last, step.capacity, step.taken, step.sharing_key, step.closed)


def _joined(steps: list[Step]) -> list[Step]:
    joined: list[Step] = []
    for step in steps:
        if joined and _said(joined[-1]) == _said(step):
            step = Step(joined.pop().starts_at, step.ends_at, *_said(step))
        joined.append(step)
    return joined


def _said(step: Step) -> tuple[int, int, str | None, bool]:
    return step.capacity, step.taken, step.sharing_key, step.closed
