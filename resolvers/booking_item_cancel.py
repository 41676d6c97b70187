"""bookingItemCancel, and Query.bookingItemCancelQuote: cancelling so many units of one item of a booking."""

from dataclasses import replace
from typing import Annotated

import strawberry

from engine import part_cancelling
from engine.part_cancelling import PartRequest
from engine.rebooking import Opened
from engine.rules.guests import guests_as_stored
from resolvers.access import input_hash, mutation, query
from resolvers.booking_action import BOOKING_ID, HOLDER, BookingActionInput
from schema.access import Access
from schema.booking import Booking
from schema.booking_payload import BookingPayload
from schema.booking_price_change import BookingPriceChange
from schema.context import Info
from schema.global_id import booking_key, item_position
from schema.inputs import GuestCountInput, guests_of

ITEM_ID = "Which item, as BookingItem.id; NOT_FOUND if the booking has no such item."
QUANTITY = "How many units of it: 1 to all of them; else INVALID_INPUT."
REFUSED = (
    "NOT_FOUND, INVALID_INPUT, HOLD_EXPIRED, INVALID_STATE unless it is ON_HOLD or CONFIRMED, or once it has begun "
    "(for all but staff), PRICE_UNAVAILABLE"
)


@strawberry.input(description="What might be cancelled.")
class BookingItemCancelQuoteInput:
    """A part that is looked at."""

    booking_id: strawberry.ID = strawberry.field(description=BOOKING_ID)
    token: str | None = strawberry.field(default=None, description=HOLDER)
    item_id: strawberry.ID = strawberry.field(description=ITEM_ID)
    quantity: int = strawberry.field(description=QUANTITY)


@strawberry.input(description="What is cancelled.")
class BookingItemCancelInput(BookingActionInput):
    """A part."""

    item_id: strawberry.ID = strawberry.field(description=ITEM_ID)
    quantity: int = strawberry.field(description=QUANTITY)
    guests: list[GuestCountInput] | None = strawberry.field(
        default=None, description="Who is left of it, as in bookingHold. Not given: not told any more."
    )


@query(
    Access.BOOKING_HOLDER,
    description=(
        "What cancelling so many units of an item would make of the price now: bookingItemCancel does exactly that, by "
        "the terms that were agreed on and the database's clock. What is left keeps its share of the price, whatever "
        f"it would cost now. Nothing is written. Refused with {REFUSED}."
    ),
)
async def booking_item_cancel_quote(
    info: Info,
    input: Annotated[BookingItemCancelQuoteInput, strawberry.argument(description="What might be cancelled.")],
) -> BookingPriceChange:
    """Nothing is promised."""
    context = info.context
    record, delta = await part_cancelling.part_quote(context.database, context.viewer, _request(info, input))
    return BookingPriceChange.of(record, delta)


@mutation(
    Access.BOOKING_HOLDER,
    description=(
        "Cancel so many units of one item of a booking that is ON_HOLD or CONFIRMED; their places are free at once. "
        "Of what is CONFIRMED the venue keeps what the terms say, and the rest of what was paid goes back. If nothing "
        "is left, the booking is CANCELLED, as by bookingCancel. Refused with VERSION_CONFLICT, NOT_CANCELLABLE, "
        f"{REFUSED}, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_item_cancel(
    info: Info, input: Annotated[BookingItemCancelInput, strawberry.argument(description="What is cancelled.")]
) -> BookingPayload:
    """The booking, smaller; or CANCELLED."""
    record = await part_cancelling.cancel_part(
        info.context.database,
        info.context.viewer,
        _request(info, input),
        key=input.idempotency_key,
        request_hash=input_hash("bookingItemCancel", input),
    )
    return BookingPayload(booking=Booking.of(record))


def _request(info: Info, input: BookingItemCancelQuoteInput | BookingItemCancelInput) -> PartRequest:
    booking = booking_key(input.booking_id, ("input", "bookingId"))
    request = PartRequest(
        booking=Opened(booking, info.context.opened_by(input.token)),
        position=item_position(input.item_id, booking),
        quantity=input.quantity,
    )
    if isinstance(input, BookingItemCancelQuoteInput):
        return request
    guests = guests_as_stored(guests_of(input.guests, ("input", "guests")))
    return replace(request, guests=guests, expected_version=input.expected_version)
