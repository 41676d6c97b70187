"""The inbox of webhooks: one call takes an event, and does none of its work (sql/59_webhooks.sql)."""

from datetime import datetime
from enum import StrEnum

from models.database import Database
from models.keys import BookingKey


class Taken(StrEnum):
    """What became of an event."""

    NEW = "NEW"
    """The booking's payments will be looked at."""
    REPEATED = "REPEATED"
    """It had come before: nothing was done."""
    FOREIGN = "FOREIGN"
    """There is no such booking here."""


async def take_event(database: Database, booking: BookingKey, event_id: str, kind: str, created_at: datetime) -> Taken:
    """Remember the event, and have the booking looked at, in one transaction of its own.

    Raises what the driver does: whoever told it is to tell it again.
    """
    organization_id, booking_id = booking
    taken = await database.ledger.fetchval(
        "SELECT ledger_webhook($1, $2, $3, $4, $5)", organization_id, booking_id, event_id, kind, created_at
    )
    return Taken(taken)


async def booking_of_payment(database: Database, reference: str) -> BookingKey | None:
    """Whose payment it is that the provider knows by `reference`, in whatever organization; None: nobody's here."""
    row = await database.ledger.fetchrow("SELECT * FROM worker_booking_of_payment($1)", reference)
    return None if row is None else BookingKey(row["organization_id"], row["booking_id"])
