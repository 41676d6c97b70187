"""What a client was told of a booking, against the booking's history."""

from collections.abc import Iterator

from tests.history.records import Json
from tests.history.there import There
from tests.history.violations import Promise, Violation

CONFIRMED, SUBMITTED = "CONFIRMED", "SUBMITTED"


def kind_of(event: str, booking_id: str | None, there: There) -> str:
    """The event that this one is of this booking: where the venue approves, confirming is submitting."""
    booking = there.bookings.get(booking_id or "")
    return SUBMITTED if event == CONFIRMED and booking is not None and booking.is_approved else event


def check_told(where: str, told: Json, event: str, there: There) -> Iterator[Violation]:
    """`told` names a booking, its version and its status, and this kind of event led there."""
    booking_id, version = told["booking"], told["version"]
    events = there.events[booking_id]
    kind = kind_of(event, booking_id, there)
    if booking_id not in there.bookings or len(events) < version:
        yield Violation(Promise.LOST, f"{where}: booking {booking_id} was at version {version}")
    elif events[version - 1].status != told["status"]:
        yield Violation(Promise.CONTRADICTED, f"{where}: told {told['status']}, and there is {events[version - 1]}")
    elif all(each.kind != kind for each in events[:version]):
        yield Violation(Promise.LOST, f"{where}: no {kind} up to version {version} of {booking_id}")
