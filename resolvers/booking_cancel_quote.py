"""Query.bookingCancelQuote: what comes back if a booking is cancelled now."""

from typing import Annotated

import strawberry

from engine.bookings import find_booking
from engine.cancelling import cancel_quote, check_cancellable
from models.errors import NotFound
from resolvers.access import query
from schema.access import Access
from schema.booking import Booking
from schema.booking_cancel_quote import BookingCancelQuote
from schema.context import Info
from schema.global_id import booking_key

BookingId = Annotated[strawberry.ID, strawberry.argument(description="As Booking.id; NOT_FOUND as bookingCancel.")]
Token = Annotated[str | None, strawberry.argument(description="As given by bookingHold; for guests.")]


@query(
    Access.BOOKING_HOLDER,
    description=(
        "What comes back if the booking is cancelled now, and until when that stays so: bookingCancel does exactly "
        "that, by the terms that were agreed on and the database's clock. Refused with NOT_FOUND and NOT_CANCELLABLE."
    ),
)
async def booking_cancel_quote(info: Info, booking_id: BookingId, token: Token = None) -> BookingCancelQuote:
    """Nothing is written, and nothing promised."""
    context = info.context
    record = await find_booking(
        context.database,
        context.viewer,
        key=booking_key(booking_id, ("bookingId",)),
        opened_by_token=context.opened_by(token),
    )
    if record is None:
        raise NotFound("There is no such booking.", path=("bookingId",))
    booking = Booking.of(record)
    terms = await booking.terms(info)
    if terms is None:
        check_cancellable(context.viewer, record)
        return BookingCancelQuote.of_nothing(booking)
    return BookingCancelQuote.of(booking, cancel_quote(context.viewer, record, terms), terms.currency)
