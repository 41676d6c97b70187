"""What one operation loads, gathered: all that is asked for in one turn of the event loop shares a statement.

Each load opens a session of its own and closes it again: resolvers of one operation run concurrently, and a session
must not be shared between them. Keys carry their organization. Whether the viewer may see a row is not decided here.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

from engine.facts import ResourceFacts, load_facts
from models.booking import BookingEvent
from models.database import Database, ReadSession
from models.interval import Interval
from models.keys import BookingKey, ResourceKey, VenueKey
from models.ledger.requests import BookingRecord
from models.queries.bookings import EventPage, read_bookings, read_event_pages
from models.queries.catalog import ResourcePage, read_organizations, read_resource_pages, read_rules, read_venues
from models.queries.timelines import TimelineView, read_timelines
from models.resource import BookingRule, Resource
from models.venue import Organization, Venue
from schema.budget import Budget

Key = TypeVar("Key")
Found = TypeVar("Found")

TimelineQuestion = tuple[ResourceKey, Interval]

KEYS_MAX = 1_000
"""Of one statement; more keys make more statements."""


class Loaders:
    """One per operation. What has been loaded once is not asked for again, until `renew`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self.renew()

    def renew(self) -> None:
        """Forget what was loaded and what was spent: a subscription calls this before each event that it yields."""
        self.budget = Budget()
        self.organizations: DataLoader[uuid.UUID, tuple[Organization, bool] | None] = self._by_key(read_organizations)
        self.venues: DataLoader[VenueKey, Venue | None] = self._by_key(read_venues)
        self.facts: DataLoader[ResourceKey, ResourceFacts | None] = DataLoader(
            load_fn=self._load_facts, max_batch_size=KEYS_MAX
        )
        self.rules: DataLoader[tuple[uuid.UUID, uuid.UUID], tuple[BookingRule, Venue] | None] = self._by_key(read_rules)
        self.bookings: DataLoader[BookingKey, BookingRecord | None] = self._by_key(read_bookings)
        self.resource_pages: DataLoader[ResourcePage, list[Resource]] = self._in_order(read_resource_pages)
        self.event_pages: DataLoader[EventPage, list[BookingEvent]] = self._in_order(read_event_pages)
        self._timelines: DataLoader[TimelineQuestion, TimelineView] = DataLoader(
            load_fn=self._read_timelines, max_batch_size=KEYS_MAX
        )

    async def timelines(self, questions: Sequence[TimelineQuestion]) -> Sequence[TimelineView]:
        """The `load` of engine.availability. InvalidInput when the operation has looked at too much already."""
        for _, window in questions:
            self.budget.spend_timeline(window)
        views = await self._timelines.load_many(questions)
        # Many resolvers wait here, and each has much to compute from now on. They go on one at a time: other operations
        # get a turn between two, and what some have spent by then counts for the rest.
        async with self._turn:
            await asyncio.sleep(0)
        self.budget.spend_elements(0)
        return views

    async def _read_timelines(self, questions: list[TimelineQuestion]) -> list[TimelineView]:
        return await read_timelines(self._database, questions)

    async def _load_facts(self, keys: list[ResourceKey]) -> list[ResourceFacts | None]:
        found = await load_facts(self._database, keys)
        return [found.get(key) for key in keys]

    def _by_key(
        self, read: Callable[[ReadSession, Sequence[Key]], Awaitable[Mapping[Key, Found]]]
    ) -> DataLoader[Key, Found | None]:
        async def load(keys: list[Key]) -> list[Found | None]:
            async with self._database.reading() as session:
                found = await read(session, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load, max_batch_size=KEYS_MAX)

    def _in_order(
        self, read: Callable[[ReadSession, Sequence[Key]], Awaitable[Sequence[Found]]]
    ) -> DataLoader[Key, Found]:
        async def load(keys: list[Key]) -> Sequence[Found]:
            async with self._database.reading() as session:
                return await read(session, keys)

        return DataLoader(load_fn=load, max_batch_size=KEYS_MAX)
