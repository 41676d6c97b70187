"""bookingCheckoutComplete: what became of paying."""

from typing import Annotated

import strawberry

from engine import checkout
from engine.idempotency import check_key
from resolvers.access import mutation
from resolvers.booking_action import BookingActionInput
from resolvers.checkout_errors import checkout_errors
from schema.access import Access
from schema.booking import Booking
from schema.booking_payload import BookingPayload
from schema.context import Info
from schema.global_id import booking_key


@mutation(
    Access.BOOKING_HOLDER,
    description=(
        "Ask what became of paying, when the guest's browser is done: the payment provider is asked, and the booking "
        "is CONFIRMED, or PENDING where the venue approves, if the money is there. It may be called at any time and "
        "any number of times, and remembers no key; whoever does not call it is booked all the same. The booking is "
        "answered beside PAYMENT_REQUIRED (nothing is paid yet), PAYMENT_DECLINED, and, where the money came when "
        "the hold had ended and its place was gone, SOLD_OUT with alternatives or HOLD_EXPIRED: then nothing is kept "
        "of it. While the provider is still at it there is no error, and the booking is ON_HOLD. Refused with "
        "PAYMENT_UNAVAILABLE, VERSION_CONFLICT, NOT_FOUND, BUSY."
    ),
)
async def booking_checkout_complete(
    info: Info, input: Annotated[BookingActionInput, strawberry.argument(description="Which booking.")]
) -> BookingPayload:
    """The booking as it is now."""
    check_key(input.idempotency_key)
    context = info.context
    done = await checkout.complete(
        context.database,
        context.payments,
        context.viewer,
        booking_key(input.booking_id, ("input", "bookingId")),
        context.opened_by(input.token),
        expected_version=input.expected_version,
        now=context.clock,
    )
    return BookingPayload(booking=Booking.of(done.money.record), errors=await checkout_errors(info, done))
