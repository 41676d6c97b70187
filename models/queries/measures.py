"""What rules' conditions are measured from, beside timelines: for who looks, many resources in one statement."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey

ITEMS_MAX = 10_000
"""Of one customer; who has more to come is told by the admission alone."""


class Arrivals(NamedTuple):
    """What starts at one instant at a resource: units, and people."""

    starts_at: datetime
    quantity: int
    guests: int


@dataclass(frozen=True, slots=True)
class CustomerItem:
    """One thing that a customer has booked, or holds."""

    resource_id: uuid.UUID
    venue_id: uuid.UUID
    interval: Interval


async def read_arrivals(
    database: Database, questions: Sequence[tuple[ResourceKey, Interval]]
) -> list[tuple[Arrivals, ...]]:
    """What starts in each window, in order of time. Holds that are over count as gone. One statement.

    In the order of the questions.
    """
    found: list[list[Arrivals]] = [[] for _ in questions]
    rows = await database.ledger.fetch(
        "SELECT * FROM ledger_arrivals($1, $2, $3, $4)",
        [key.organization_id for key, _ in questions],
        [key.id for key, _ in questions],
        [window.starts_at for _, window in questions],
        [window.ends_at for _, window in questions],
    )
    for row in rows:
        found[row["position"] - 1].append(Arrivals(row["starts_at"], row["quantity"], row["guests"]))
    return [tuple(sorted(each)) for each in found]


async def read_customer_items(
    database: Database, organization_id: uuid.UUID, customer_id: str, after: datetime
) -> tuple[CustomerItem, ...]:
    """The customer's live items that end after an instant. Holds that are over count as gone. One statement."""
    rows = await database.ledger.fetch(
        "SELECT * FROM ledger_items_of_customer($1, $2, $3, $4)", organization_id, customer_id, after, ITEMS_MAX
    )
    return tuple(
        CustomerItem(row["resource_id"], row["venue_id"], Interval(row["starts_at"], row["ends_at"])) for row in rows
    )
