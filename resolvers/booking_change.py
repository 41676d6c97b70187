"""bookingChange, and Query.bookingChangeQuote: another time, resource or size of a booking."""

from typing import Annotated

import strawberry

from engine import rebooking
from engine.rebooking import Opened, RebookRequest
from models.errors import SoldOut
from resolvers.access import input_hash, mutation, query
from resolvers.booking_action import BOOKING_ID, HOLDER, BookingActionInput
from resolvers.booking_hold import BookingItemInput, items_of
from schema.access import Access
from schema.booking import Booking
from schema.booking_payload import BookingPayload
from schema.booking_price_change import BookingPriceChange
from schema.context import Info
from schema.errors import user_errors
from schema.global_id import booking_key
from schema.scalars import Long

ITEMS = (
    "All that the booking is to be of, 1 to 20 as in bookingHold, of the booking's organization and currency; else "
    "INVALID_INPUT. What is not named here is given back."
)
REFUSED = (
    "the code of every rule that refuses, RULE_VIOLATION where the venue has to approve of what is CONFIRMED, "
    "HOLD_EXPIRED, INVALID_STATE unless it is ON_HOLD or CONFIRMED, or once it has begun (for all but staff), "
    "PRICE_UNAVAILABLE, TAX_UNAVAILABLE, INVALID_INPUT, INVALID_TIME, NOT_FOUND"
)


@strawberry.input(description="What a booking might be of.")
class BookingChangeQuoteInput:
    """A change that is looked at."""

    booking_id: strawberry.ID = strawberry.field(description=BOOKING_ID)
    token: str | None = strawberry.field(default=None, description=HOLDER)
    items: list[BookingItemInput] = strawberry.field(description=ITEMS)


@strawberry.input(description="What a booking is to be of: all of it, or it stays as it is.")
class BookingChangeInput(BookingActionInput):
    """A change."""

    items: list[BookingItemInput] = strawberry.field(description=ITEMS)
    expected_total: Long | None = strawberry.field(
        default=None,
        description=(
            "In minor units: refuse with PRICE_CHANGED unless this is the total then, as bookingChangeQuote tells it. "
            "0: it costs nothing."
        ),
    )


@query(
    Access.BOOKING_HOLDER,
    description=(
        "What a change would make of the price now, as bookingChange would do it; rules are asked, but not whether "
        f"there is room: bookingChange tells. Nothing is written. Refused with {REFUSED}."
    ),
)
async def booking_change_quote(
    info: Info, input: Annotated[BookingChangeQuoteInput, strawberry.argument(description="What it might be of.")]
) -> BookingPriceChange:
    """Nothing is promised."""
    context = info.context
    opened = Opened(booking_key(input.booking_id, ("input", "bookingId")), context.opened_by(input.token))
    record, delta = await rebooking.change_quote(
        context.database, context.viewer, opened, items_of(input.items), now=context.clock(), taxes=context.taxes
    )
    return BookingPriceChange.of(record, delta)


@mutation(
    Access.BOOKING_HOLDER,
    description=(
        "Make a booking that is ON_HOLD or CONFIRMED be of other items: another time, resource or size. What it has "
        "itself counts as free, and if the rest does not fit it stays exactly as it was. Rules and prices are those of "
        "now, and its promo code is kept while it holds; but no less is owed than a cancellation would have kept. Of "
        "what is CONFIRMED, what is due beyond what was paid is Booking.payment.outstanding, for bookingCheckout; what "
        "was paid beyond what is owed goes back. A hold ends when it would have. Refused with SOLD_OUT, CLOSED, "
        f"ACTIVITY_CONFLICT, VERSION_CONFLICT, PRICE_CHANGED, {REFUSED}, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_change(
    info: Info, input: Annotated[BookingChangeInput, strawberry.argument(description="What it is to be of.")]
) -> BookingPayload:
    """The booking, changed."""
    context = info.context
    request = RebookRequest(
        key=input.idempotency_key,
        request_hash=input_hash("bookingChange", input),
        booking=Opened(booking_key(input.booking_id, ("input", "bookingId")), context.opened_by(input.token)),
        items=items_of(input.items),
        expected_version=input.expected_version,
        expected_total=input.expected_total,
    )
    try:
        record = await rebooking.rebook(
            context.database, context.viewer, request, now=context.clock(), taxes=context.taxes
        )
    except SoldOut as error:
        return BookingPayload(errors=user_errors(error, request.items))
    return BookingPayload(booking=Booking.of(record))
