"""bookingRelease: give the places of a hold back."""

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
        "Give up a hold: its places are free at once, and the booking is CANCELLED. Refused with HOLD_EXPIRED if "
        "it has ended already, INVALID_STATE unless ON_HOLD, VERSION_CONFLICT, NOT_FOUND, IDEMPOTENCY_CONFLICT, "
        "BUSY."
    ),
)
async def booking_release(
    info: Info, input: Annotated[BookingActionInput, strawberry.argument(description="Which hold.")]
) -> BookingPayload:
    """The booking, CANCELLED."""
    return await act(info, "bookingRelease", BookingAction.RELEASE, input)
