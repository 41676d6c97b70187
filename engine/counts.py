"""What rules count, read straight from the database: for who asks one question at a time."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from engine.bookings import customer_in
from engine.viewer import GUEST, Viewer
from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.measures import Arrivals, CustomerItem, read_arrivals, read_customer_items


class Counts:
    """A `CountsLoader` (engine/reading.py) for this viewer."""

    def __init__(self, database: Database, viewer: Viewer = GUEST) -> None:
        self._database = database
        self._viewer = viewer

    def customer_in(self, organization_id: uuid.UUID) -> str | None:
        """The viewer, where they are a customer with an account."""
        return customer_in(self._viewer, organization_id)

    async def arrivals(self, questions: Sequence[tuple[ResourceKey, Interval]]) -> Sequence[tuple[Arrivals, ...]]:
        """What starts in each window. One statement."""
        return await read_arrivals(self._database, questions)

    async def customer_items(
        self, organization_id: uuid.UUID, customer_id: str, after: datetime
    ) -> tuple[CustomerItem, ...]:
        """What the customer has that ends after an instant. One statement."""
        return await read_customer_items(self._database, organization_id, customer_id, after)

    async def turn(self) -> None:
        """Who asks one question at a time need not wait."""
