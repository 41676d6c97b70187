"""bookingExtend: keep the places longer."""

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
        "Keep the places of a hold for another holding time from now, up to the resource's ceiling after it was "
        "made. A hold that is over may be extended while nobody has needed its place. Refused with HOLD_LIMIT at "
        "the ceiling, HOLD_EXPIRED, INVALID_STATE unless ON_HOLD, VERSION_CONFLICT, NOT_FOUND, "
        "IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_extend(
    info: Info, input: Annotated[BookingActionInput, strawberry.argument(description="Which hold.")]
) -> BookingPayload:
    """The booking with its new holdExpiresAt."""
    return await act(info, "bookingExtend", BookingAction.EXTEND, input)
