"""bookingReject: the venue says no."""

from typing import Annotated

import strawberry

from models.ledger.requests import BookingAction
from resolvers.access import mutation
from resolvers.booking_action import BookingDecisionInput, act
from schema.access import Access
from schema.booking_payload import BookingPayload
from schema.context import Info


@mutation(
    Access.STAFF,
    description=(
        "Reject a booking that is PENDING: it is REJECTED, and its places are free at once. Refused with INVALID_STATE "
        "unless PENDING, VERSION_CONFLICT, NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_reject(
    info: Info, input: Annotated[BookingDecisionInput, strawberry.argument(description="Which booking.")]
) -> BookingPayload:
    """The booking, REJECTED."""
    return await act(info, "bookingReject", BookingAction.REJECT, input)
