"""bookingCancel: end a booking."""

from typing import Annotated

import strawberry

from models.ledger.requests import BookingAction
from resolvers.access import mutation
from resolvers.booking_action import BookingActionInput, act
from schema.access import Access
from schema.booking_payload import BookingPayload
from schema.context import Info


@mutation(
    Access.BOOKING_HOLDER,
    description=(
        "Cancel a booking that is ON_HOLD, PENDING or CONFIRMED: its places are free at once. Guests, customers and "
        "partners may until its first item begins, staff at any time. Of what was paid online all goes back that the "
        "venue does not keep by the terms that were agreed on: bookingCancelQuote tells. Refused with "
        "NOT_CANCELLABLE, VERSION_CONFLICT, NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_cancel(
    info: Info, input: Annotated[BookingActionInput, strawberry.argument(description="Which booking.")]
) -> BookingPayload:
    """The booking, CANCELLED."""
    return await act(info, "bookingCancel", BookingAction.CANCEL, input)
