"""What comes back if a booking is cancelled now: what `bookingCancel` then does."""

from dataclasses import dataclass
from datetime import datetime

from engine.cancellation.refunds import refund, timeline
from engine.cancellation.terms import Terms
from engine.viewer import Role, Viewer
from models.booking import BookingStatus
from models.errors import NotCancellable
from models.ledger.records import BookingRecord

CANCELLABLE = frozenset({BookingStatus.ON_HOLD, BookingStatus.PENDING, BookingStatus.CONFIRMED})


@dataclass(frozen=True, slots=True)
class CancelQuote:
    """In minor units of the terms' currency, of all that is paid with the booking. `until`: it changes then.

    None: it stays as it is.
    """

    refund: int
    kept: int
    until: datetime | None


def cancel_quote(viewer: Viewer, record: BookingRecord, terms: Terms) -> CancelQuote:
    """What comes back at the instant at which the booking was read, by the database's clock.

    Raises NotCancellable where the ledger would: for a booking that has ended, and once the first item has begun for
    whoever is not of the staff.
    """
    check_cancellable(viewer, record)
    amount = refund(terms, record.now)
    first = next(iter(timeline(terms, record.now)), None)
    until = first.until if first is not None and first.amount == amount else None
    return CancelQuote(amount, terms.total - amount, until)


def check_cancellable(viewer: Viewer, record: BookingRecord) -> None:
    """Raises NotCancellable where the ledger would (ledger/sql/50_changes.sql)."""
    if record.booking.status not in CANCELLABLE:
        raise NotCancellable(f"The booking is {record.booking.status} and can not be cancelled.")
    begins = min(item.starts_at for item in record.items)
    if begins <= record.now and not viewer.may(Role.STAFF, record.booking.organization_id):
        raise NotCancellable("The booking has begun, and can be cancelled by the venue only.")


def cancelled_at(record: BookingRecord) -> datetime | None:
    """The instant that decides over what comes back: now of what can be cancelled, of what was, when it was.

    None for what has ended otherwise, or is going on: nothing comes back of it.
    """
    if record.booking.status in CANCELLABLE:
        return record.now
    return record.booking.updated_at if record.booking.status == BookingStatus.CANCELLED else None
