"""bookingConfirm: make the places the guest's, or ask the venue to."""

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
        "Confirm a hold, for what is free or paid at the venue: from now on the places are the guest's. Where a rule "
        "APPROVAL_REQUIRED decides, the booking is PENDING instead: the places are kept until holdExpiresAt, and it is "
        "CONFIRMED once staff approve. A hold that is over may be confirmed while nobody has needed its place. Refused "
        "with PAYMENT_REQUIRED while something is due now and not paid (unless staff ask, or nothing is collected "
        "online), HOLD_EXPIRED, INVALID_STATE unless ON_HOLD, VERSION_CONFLICT, NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_confirm(
    info: Info, input: Annotated[BookingActionInput, strawberry.argument(description="Which hold.")]
) -> BookingPayload:
    """The booking, CONFIRMED or PENDING."""
    return await act(info, "bookingConfirm", BookingAction.CONFIRM, input)
