"""Who watches what in this process, and what each has not taken yet. No input or output: the feed does that.

A watcher holds at most one untaken change per thing that it watches. What happens while it does not take them is not
queued: its watches stay dirty, and are read once it comes back, folded into one change. So the memory of a watcher is
bounded, whatever happens, and the latest state wins.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from engine.ports import Change
from models.errors import BookingError
from models.interval import Interval
from models.keys import BookingKey, EntryKey, ResourceKey
from models.ledger.tables import OutboxKind
from models.queries.live import NEVER
from models.resource import Resource
from subscriptions.channels import Entity

Item = TypeVar("Item")


class SlowConsumer(BookingError):
    """The watcher has not taken what was pushed for too long."""

    code = "SLOW_CONSUMER"
    retryable = True


class Watcher(Generic[Item]):
    """One subscriber. `on_free` is called when it has taken all that it was offered, and comes for more."""

    def __init__(self, clock: Callable[[], float], on_free: Callable[[], None]) -> None:
        self._clock = clock
        self._on_free = on_free
        self._pending: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._error: BookingError | None = None
        self._untaken_since = clock()

    @property
    def is_free(self) -> bool:
        """Whether it has taken all that it was offered; only then it is offered more."""
        return not self._pending and self._error is None

    def untaken_seconds(self) -> float:
        """How long something has been waiting for this watcher without being taken."""
        return self._clock() - self._untaken_since if self._pending else 0.0

    def offer(self, item: Item) -> None:
        """Let it have this next."""
        if not self._pending:
            self._untaken_since = self._clock()
        self._pending.append(item)
        self._filled.set()

    def end(self, error: BookingError) -> None:
        """Let it have `error` in place of all that it has not taken."""
        self._pending.clear()
        self._error = self._error or error
        self._filled.set()

    async def take(self) -> Item:
        """The next item, when there is one. Raises the error that ends this watcher."""
        self._untaken_since = self._clock()
        if self.is_free:
            self._filled.clear()
            self._on_free()
            await self._filled.wait()
        if self._error is not None:
            raise self._error
        return self._pending.popleft()


@dataclass(eq=False, slots=True)
class ResourceWatch:
    """A resource that a watcher watches.

    `versions`: what it has been told, of the resource and of what that needs; `row`: the resource as of its version.
    """

    watcher: Watcher[Change]
    resource: ResourceKey
    window: Interval
    needs: tuple[ResourceKey, ...]
    versions: dict[ResourceKey, int] = field(default_factory=dict)
    row: Resource | None = None

    @property
    def keys(self) -> tuple[ResourceKey, ...]:
        """Whatever decides over it: the resource itself, and what that needs."""
        return (self.resource, *self.needs)

    @property
    def entities(self) -> list[Entity]:
        return [Entity(key.organization_id, OutboxKind.RESOURCE, key.id) for key in self.keys]

    def has_seen(self, entity: Entity, version: int) -> bool:
        return self.versions.get(ResourceKey(entity.organization_id, entity.id), NEVER) >= version


@dataclass(eq=False, slots=True)
class BookingWatch:
    """A booking that a watcher watches, and the version that it has been told."""

    watcher: Watcher[int]
    booking: BookingKey
    version: int = NEVER

    @property
    def entities(self) -> list[Entity]:
        return [Entity(self.booking.organization_id, OutboxKind.BOOKING, self.booking.id)]

    def has_seen(self, entity: Entity, version: int) -> bool:
        return self.version >= version


@dataclass(eq=False, slots=True)
class EntryWatch:
    """An entry of a waitlist that a watcher watches, and the version that it has been told."""

    watcher: Watcher[int]
    entry: EntryKey
    version: int = NEVER

    @property
    def entities(self) -> list[Entity]:
        return [Entity(self.entry.organization_id, OutboxKind.WAITLIST, self.entry.id)]

    def has_seen(self, entity: Entity, version: int) -> bool:
        return self.version >= version


Watch = ResourceWatch | BookingWatch | EntryWatch


class Register:
    """All watches of the process, found by what they watch; and those that have to look into the database."""

    def __init__(self) -> None:
        self._by_organization: dict[uuid.UUID, dict[Entity, set[Watch]]] = {}
        # In the order in which they became dirty: whoever waits longest is served first.
        self._dirty: dict[Watch, None] = {}
        self.watches: set[Watch] = set()

    @property
    def organizations(self) -> set[uuid.UUID]:
        """The organizations of all that is watched."""
        return set(self._by_organization)

    def add(self, watch: Watch) -> None:
        """Watch, and look at once."""
        for entity in watch.entities:
            by_entity = self._by_organization.setdefault(entity.organization_id, {})
            by_entity.setdefault(entity, set()).add(watch)
        self.watches.add(watch)
        self.mark(watch)

    def remove(self, watch: Watch) -> None:
        """Watch no more."""
        self.watches.discard(watch)
        self._dirty.pop(watch, None)
        for entity in watch.entities:
            by_entity = self._by_organization.get(entity.organization_id, {})
            watching = by_entity.get(entity, set())
            watching.discard(watch)
            if not watching:
                by_entity.pop(entity, None)
            if not by_entity:
                self._by_organization.pop(entity.organization_id, None)

    def mark(self, watch: Watch) -> None:
        """This watch has to look. One that is watched no more is passed over."""
        if watch in self.watches:
            self._dirty.setdefault(watch)

    def mark_entity(self, entity: Entity, version: int) -> bool:
        """Whoever watches the entity and has not seen this version has to look; returns whether anybody has."""
        behind = [
            watch
            for watch in self._by_organization.get(entity.organization_id, {}).get(entity, ())
            if not watch.has_seen(entity, version)
        ]
        for watch in behind:
            self._dirty.setdefault(watch)
        return bool(behind)

    def mark_organization(self, organization_id: uuid.UUID) -> None:
        """Whoever watches something of the organization has to look: hints may have been missed."""
        for watching in self._by_organization.get(organization_id, {}).values():
            self._dirty.update(dict.fromkeys(watching))

    def mark_all(self) -> None:
        """Everybody has to look."""
        self._dirty.update(dict.fromkeys(self.watches))

    def take_dirty(self, limit: int) -> list[Watch]:
        """At most `limit` watches that have to look and whose watchers are free for more; they are dirty no more."""
        taken: list[Watch] = []
        for watch in self._dirty:
            if len(taken) == limit:
                break
            if watch.watcher.is_free:
                taken.append(watch)
        for watch in taken:
            del self._dirty[watch]
        return taken
