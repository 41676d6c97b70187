"""bookingApprove: the venue says yes."""

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
        "Approve a booking that is PENDING: it is CONFIRMED. One whose time is over may be approved while nobody has "
        "needed its place. Refused with INVALID_STATE unless PENDING, VERSION_CONFLICT, NOT_FOUND, "
        "IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_approve(
    info: Info, input: Annotated[BookingDecisionInput, strawberry.argument(description="Which booking.")]
) -> BookingPayload:
    """The booking, CONFIRMED."""
    return await act(info, "bookingApprove", BookingAction.APPROVE, input)
