"""What is wanted of a resource: as a call asks for it, and as the tables have it."""

from datetime import datetime
from typing import NamedTuple

from tests.history.dump import Entry, Item
from tests.history.records import Json


class Wanted(NamedTuple):
    """So many units over an interval, and what for."""

    resource_id: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    activity: str | None


def asked_for(asked: Json) -> Wanted:
    """By an item of a hold, a date of a series, or somebody who waits."""
    starts_at, ends_at = (datetime.fromisoformat(asked[name]) for name in ("startsAt", "endsAt"))
    return Wanted(asked["resource"], starts_at, ends_at, asked["quantity"], asked["activity"])


def wanted_by(row: Item | Entry) -> Wanted:
    """By a booking's item, or an entry of a waitlist."""
    return Wanted(row.resource_id, row.starts_at, row.ends_at, row.quantity, row.activity)
