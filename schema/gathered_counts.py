"""What rules count, for all resources that one operation asks about."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from strawberry.dataloader import DataLoader

from engine.counts import Counts
from engine.viewer import Viewer
from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.measures import Arrivals, CustomerItem

TimelineQuestion = tuple[ResourceKey, Interval]

KEYS_MAX = 1_000
"""Of one statement; more keys make more statements."""


class GatheredCounts(Counts):
    """One per operation: what is asked in one turn of the event loop shares a statement."""

    def __init__(self, database: Database, viewer: Viewer, turn: Callable[[], Awaitable[None]]) -> None:
        super().__init__(database, viewer)
        self._turn = turn
        one_by_one = Counts(database, viewer)

        async def read(questions: list[TimelineQuestion]) -> list[tuple[Arrivals, ...]]:
            return list(await one_by_one.arrivals(questions))

        self._arrivals = DataLoader(load_fn=read, max_batch_size=KEYS_MAX)
        self._customer_items: dict[tuple[uuid.UUID, str], asyncio.Task[tuple[CustomerItem, ...]]] = {}

    async def arrivals(self, questions: Sequence[TimelineQuestion]) -> Sequence[tuple[Arrivals, ...]]:
        """What starts in each window."""
        return await self._arrivals.load_many(questions)

    async def customer_items(
        self, organization_id: uuid.UUID, customer_id: str, after: datetime
    ) -> tuple[CustomerItem, ...]:
        """What the customer has that ends after an instant; that of the first call, which is as good for the others."""
        key = (organization_id, customer_id)
        if key not in self._customer_items:
            read = super().customer_items(organization_id, customer_id, after)
            self._customer_items[key] = asyncio.create_task(read)
        return await self._customer_items[key]

    async def turn(self) -> None:
        """When all that the operation asks for has been read, one resolver after the other."""
        await self._turn()
