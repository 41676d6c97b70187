"""The live feed of one process: hints from Redis say that it is time to look, the database says what is so.

A watcher is registered first and reads afterwards, so that nothing falls between the two. Everything it is told, the
first state included, comes from one refresher that looks for all watches at once. A message that is lost, a Redis
that restarts or a subscription that was dropped in silence cost nothing but time: at least every `sweep_seconds`
every watched version is compared with the database, and that is also what goes on while there is no Redis.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from engine.ports import Change
from engine.ports import Watch as Wanted
from models.database import Database
from models.errors import Busy
from models.keys import BookingKey, EntryKey
from subscriptions.channels import Hint
from subscriptions.ending import end
from subscriptions.hints import read_hints
from subscriptions.outage import Outage
from subscriptions.refresh import refresh
from subscriptions.watchers import BookingWatch, EntryWatch, Register, ResourceWatch, SlowConsumer, Watch, Watcher

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """What one process does at most, and how long it waits. All times are in seconds."""

    watchers_max: int = 10_000
    watches_max: int = 50_000
    watches_per_round_max: int = 500
    pause_seconds: float = 0.01
    """Between two looks into the database: what happens meanwhile is looked up together."""
    sweep_seconds: float = 2.5
    first_seconds_max: float = 10.0
    """How long a watcher waits for its first state before it is told that the service is busy."""
    untaken_seconds_max: float = 30.0


class Feed:
    """Implements `engine.ports.LiveFeed`. Start it in the event loop that it serves, and close it there."""

    def __init__(self, database: Database, redis_url: str | None, limits: FeedLimits | None = None) -> None:
        self._database = database
        self._redis_url = redis_url
        self._limits = limits or FeedLimits()
        self._register = Register()
        self._watchers: dict[Watcher[Change] | Watcher[int], list[Watch]] = {}
        self._wake = asyncio.Event()
        self._outage = Outage("Reading live updates from the database")
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def watcher_count(self) -> int:
        """How many watch something now."""
        return len(self._watchers)

    @property
    def watch_count(self) -> int:
        """How many things are watched now, each as often as it is."""
        return len(self._register.watches)

    async def start(self) -> None:
        """Begin to listen and to look."""
        self._tasks.append(asyncio.create_task(self._look_forever(), name="live refresher"))
        if self._redis_url is not None:
            hints = read_hints(
                self._redis_url,
                lambda: self._register.organizations,
                on_hint=self._hinted,
                on_listening=self._listening,
            )
            self._tasks.append(asyncio.create_task(hints, name="live hints"))

    async def close(self) -> None:
        """End every watcher, and all that `start` began."""
        for watcher in list(self._watchers):
            watcher.end(Busy("This server is stopping: subscribe again."))
        await end(self._tasks)
        self._tasks.clear()

    async def resources(self, watches: Sequence[Wanted]) -> AsyncGenerator[Change, None]:
        """See `engine.ports.LiveFeed.resources`."""
        watcher: Watcher[Change] = Watcher(time.monotonic, self._wake.set)
        mine = [
            ResourceWatch(
                watcher,
                wanted.resource,
                wanted.window,
                wanted.needs,
                {} if wanted.after is None or wanted.needs else {wanted.resource: wanted.after},
            )
            for wanted in watches
        ]
        is_answered = all(watch.versions for watch in mine)  # those who have seen a version may have missed nothing
        async with aclosing(self._items(watcher, mine, is_answered=is_answered)) as changes:
            async for change in changes:
                yield change

    async def booking(self, key: BookingKey) -> AsyncGenerator[int, None]:
        """See `engine.ports.LiveFeed.booking`."""
        watcher: Watcher[int] = Watcher(time.monotonic, self._wake.set)
        async with aclosing(self._items(watcher, [BookingWatch(watcher, key)], is_answered=False)) as versions:
            async for version in versions:
                yield version

    async def entry(self, key: EntryKey) -> AsyncGenerator[int, None]:
        """See `engine.ports.LiveFeed.entry`."""
        watcher: Watcher[int] = Watcher(time.monotonic, self._wake.set)
        async with aclosing(self._items(watcher, [EntryWatch(watcher, key)], is_answered=False)) as versions:
            async for version in versions:
                yield version

    async def _items(
        self,
        watcher: Watcher[Item],
        watches: Sequence[Watch],
        *,
        is_answered: bool,
    ) -> AsyncGenerator[Item, None]:
        self._admit(len(watches))
        key: Watcher[Change] | Watcher[int] = watcher  # type: ignore[assignment]  # Item is one of the two
        self._watchers[key] = list(watches)
        try:
            for watch in watches:
                self._register.add(watch)
            if not is_answered:
                yield await self._first(watcher)
            while True:
                yield await watcher.take()
        finally:
            self._forget(key)

    async def _first(self, watcher: Watcher[Item]) -> Item:
        try:
            async with asyncio.timeout(self._limits.first_seconds_max):
                return await watcher.take()
        except TimeoutError:
            raise Busy("The current state can not be read now: subscribe again in a moment.") from None

    def _admit(self, watches: int) -> None:
        limits = self._limits
        if len(self._watchers) >= limits.watchers_max or len(self._register.watches) + watches > limits.watches_max:
            raise Busy("This server has as many subscribers as it can serve: try again in a moment.")

    def _forget(self, watcher: Watcher[Change] | Watcher[int]) -> None:
        for watch in self._watchers.pop(watcher, []):
            self._register.remove(watch)

    def _hinted(self, hint: Hint) -> None:
        if self._register.mark_entity(hint.entity, hint.version):
            self._wake.set()

    def _listening(self, organization_id: uuid.UUID) -> None:
        self._register.mark_organization(organization_id)
        self._wake.set()

    async def _look_forever(self) -> None:
        swept_at = time.monotonic()
        while True:
            await self._woken(swept_at + self._limits.sweep_seconds - time.monotonic())
            if time.monotonic() - swept_at >= self._limits.sweep_seconds:
                swept_at = time.monotonic()
                self._end_slow()
                self._register.mark_all()
            watches = self._register.take_dirty(self._limits.watches_per_round_max)
            pause_seconds = self._limits.pause_seconds
            if watches:
                pause_seconds = max(pause_seconds, await self._look(watches))
                # There may be more than one round takes; the next finds out.
                self._wake.set()
            await asyncio.sleep(pause_seconds)

    async def _woken(self, seconds_max: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds_max)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _look(self, watches: Iterable[Watch]) -> float:
        """Look for these watches; after a failure they have to look again. Returns how long to wait."""
        watches = list(watches)
        try:
            await refresh(self._database, watches)
        except Exception as error:  # noqa: BLE001 - the loop goes on whatever happens; an outage is logged once
            for watch in watches:
                self._register.mark(watch)
            return self._outage.failed(error)
        self._outage.over()
        return 0.0

    def _end_slow(self) -> None:
        for watcher in list(self._watchers):
            if watcher.untaken_seconds() >= self._limits.untaken_seconds_max:
                watcher.end(SlowConsumer("The updates were not taken in time: subscribe again."))
                self._forget(watcher)
