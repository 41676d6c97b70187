"""bookingCheckout: go to pay what is due now."""

from typing import Annotated

import strawberry

from engine import checkout
from engine.checkout import CheckedOut, CheckoutRequest
from engine.payment import PaymentState
from resolvers.access import input_hash, mutation
from resolvers.booking_action import BookingActionInput
from resolvers.checkout_errors import checkout_errors
from schema.access import Access
from schema.booking import Booking
from schema.checkout_payload import BookingCheckoutPayload
from schema.context import Info
from schema.global_id import booking_key

PAYABLE = frozenset({PaymentState.OPEN, PaymentState.AWAITS_BUYER})


@strawberry.input(description="Which booking is to be paid, and how.")
class BookingCheckoutInput(BookingActionInput):
    """One booking."""

    payment_method: str | None = strawberry.field(
        default=None,
        description=(
            'Pay at once with this payment method, as the payment provider calls it: "pm_card_visa" with a test '
            "account. Not given: the guest's browser pays, with clientSecret. Each try has its own idempotencyKey."
        ),
    )
    return_url: str | None = strawberry.field(
        default=None,
        description=(
            "Where the guest's bank sends them back to: an address of https or http, at most 2,048 characters; else "
            "INVALID_INPUT. Without one there is no nextActionUrl, and the browser does what the bank wants."
        ),
    )


@mutation(
    Access.BOOKING_HOLDER,
    description=(
        "Go to pay what is due now of a hold, or what is outstanding of a booking that is CONFIRMED, and stays so. The "
        "hold lasts longer then, as holdExpiresAt tells: unless the operator has set other times, ten minutes from now "
        "at least, five from a payment that fails, once, and half an hour at most. Nothing is taken before the booking "
        "is confirmed: the money is held first, where the way to pay can do that. With a paymentMethod it is paid at "
        "once; the booking is answered beside PAYMENT_DECLINED, and beside PAYMENT_REQUIRED while the guest's bank "
        "wants to see them. Refused with NOTHING_DUE, HOLD_EXPIRED, INVALID_STATE unless ON_HOLD or CONFIRMED, and for "
        "what the venue collects itself, PAYMENT_DECLINED after ten attempts, PAYMENT_UNAVAILABLE, INVALID_INPUT, "
        "VERSION_CONFLICT, NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_checkout(
    info: Info, input: Annotated[BookingCheckoutInput, strawberry.argument(description="What is to be paid.")]
) -> BookingCheckoutPayload:
    """The payment, and what a browser pays with."""
    context = info.context
    done = await checkout.begin(
        context.database,
        context.payments,
        context.viewer,
        CheckoutRequest(
            key=input.idempotency_key,
            request_hash=input_hash("bookingCheckout", input),
            booking=booking_key(input.booking_id, ("input", "bookingId")),
            opened_by_token=context.opened_by(input.token),
            expected_version=input.expected_version,
            method=input.payment_method,
            return_url=input.return_url,
        ),
        now=context.clock,
    )
    return await _payload(info, done)


async def _payload(info: Info, done: CheckedOut) -> BookingCheckoutPayload:
    booking, said = Booking.of(done.money.record), done.said
    is_payable = said is not None and said.state in PAYABLE
    assert info.context.payments is not None, "what is not collected is not begun"
    return BookingCheckoutPayload(
        booking=booking,
        payment=await booking.payment(info),
        client_secret=said.client_secret if said is not None and is_payable else None,
        publishable_key=info.context.payments.publishable_key if is_payable else None,
        next_action_url=None if said is None else said.next_url,
        errors=await checkout_errors(info, done),
    )
