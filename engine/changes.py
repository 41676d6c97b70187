"""What happens to a booking after it was held: extend, confirm, release, cancel; and what staff say to it."""

from dataclasses import dataclass

from engine import authority, fields
from engine.bookings import command_on, get_booking
from engine.idempotency import check_key
from engine.viewer import Role, Viewer
from models.database import Database
from models.keys import BookingKey
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, ChangeBooking

BY_STAFF = frozenset({BookingAction.APPROVE, BookingAction.REJECT})


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """`opened_by_token`: the booking that a shown token opens. `expected_version`: refuse if it changed since seen.

    `collects`: money is collected online here, so that only staff confirm what is due now and not paid.
    """

    key: str
    request_hash: bytes
    booking: BookingKey
    opened_by_token: BookingKey | None
    action: BookingAction
    expected_version: int | None = None
    reason: str | None = None
    collects: bool = False


async def change(database: Database, viewer: Viewer, request: ChangeRequest) -> BookingRecord:
    """Carry out the action, once per key; compare-and-set on the booking's status in the ledger.

    A hold that is over may still be extended or confirmed while nobody has needed its place. Guests and customers may
    cancel until the first item begins, staff at any time. To approve and to reject is for staff alone, else
    Unauthenticated or Forbidden. Raises NotFound for a booking that the viewer may not see, and what
    `calls.change_booking` raises.
    """
    check_key(request.key)
    fields.check_reason(request.reason)
    if request.action in BY_STAFF:
        authority.require(viewer, Role.STAFF, request.booking.organization_id, "booking", "bookingId")
    await get_booking(database, viewer, request.booking, request.opened_by_token)
    is_staff = viewer.may(Role.STAFF, request.booking.organization_id)
    return await calls.change_booking(
        database,
        ChangeBooking(
            command=command_on(viewer, request.booking, request.key, request.request_hash),
            booking_id=request.booking.id,
            action=request.action,
            reason=request.reason,
            expected_version=request.expected_version,
            until_start=not is_staff,
            collects=request.collects and not is_staff,
        ),
    )
