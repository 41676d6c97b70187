"""bookingHold: take places, and keep them for a while."""

from typing import Annotated

import strawberry

from engine import holds
from engine.hold_prices import AskedPrice
from engine.holds import HoldRequest, ItemRequest
from engine.rules import limits
from engine.rules.base import violation
from models.errors import InvalidInput, SoldOut
from models.keys import BookingKey, ResourceKey
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from schema.access import Access
from schema.booking import Booking
from schema.booking_payload import BookingPayload
from schema.context import Info
from schema.errors import user_errors
from schema.global_id import quote_key, resource_key
from schema.inputs import (
    GUESTS_DESCRIPTION,
    ContactInput,
    ExpectedVersionInput,
    GuestCountInput,
    StayInput,
    WindowInput,
    contact_of,
    wish_of,
)
from schema.scalars import Long

EXPECTED_MAX = 100


@strawberry.input(description="One thing to hold: a window, or a stay for what is sold by the night.")
class BookingItemInput:
    """One item."""

    resource_id: strawberry.ID = strawberry.field(description="What to book; NOT_FOUND if there is no such resource.")
    window: WindowInput | None = strawberry.field(
        default=None, description="When, for OPENING_HOURS and START_TIME; INVALID_INPUT for NIGHTLY."
    )
    stay: StayInput | None = strawberry.field(
        default=None, description="Which nights, for NIGHTLY; else INVALID_INPUT."
    )
    quantity: int = strawberry.field(default=1, description="Units: 1 to 10,000; else INVALID_INPUT.")
    guests: list[GuestCountInput] | None = strawberry.field(default=None, description=GUESTS_DESCRIPTION)
    rate_plan: str | None = strawberry.field(
        default=None,
        description=(
            "The code of the rate plan, of Resource.ratePlans; INVALID_INPUT if it is not to be had then. Not given: "
            "the one that holds."
        ),
    )
    activity: str | None = strawberry.field(
        default=None,
        description=(
            "What for, where parties may join only the same activity: 1 to 100 characters, not beginning with #; else "
            "INVALID_INPUT. Not given: a party that nobody may join."
        ),
    )


@strawberry.input(description="What to hold: all of it, or nothing.")
class BookingHoldInput:
    """One booking."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    items: list[BookingItemInput] = strawberry.field(
        description="1 to 20, of one organization, all or nothing; else INVALID_INPUT."
    )
    contact: ContactInput | None = strawberry.field(default=None, description="How to reach the guest.")
    expected: list[ExpectedVersionInput] | None = strawberry.field(
        default=None,
        description="At most 100. Refuse with VERSION_CONFLICT if one of these timelines moved since it was looked at.",
    )
    quote_id: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "Hold at the price of this quote, which must be of these very items; else INVALID_INPUT. NOT_FOUND if "
            "there is none, PRICE_CHANGED with a new one if it is over. Not given: at the price of now."
        ),
    )
    promo_code: str | None = strawberry.field(
        default=None,
        description=(
            "As the guest has entered it. PROMO_CODE_INVALID if there is none, not now, or if it has been used as "
            "often as it may be: that is counted as the hold is made. With quoteId the quote's own counts; "
            "INVALID_INPUT for another."
        ),
    )
    expected_total: Long | None = strawberry.field(
        default=None,
        description=(
            "In minor units of the venue's currency: refuse with PRICE_CHANGED, and a quote of what it costs now, if "
            "the total is another. 0: it costs nothing."
        ),
    )


@mutation(
    Access.PUBLIC,
    description=(
        "Take places and keep them until holdExpiresAt, when they are given back by themselves: 10 minutes, or what "
        "the resource says; with several resources the shortest. Refused with SOLD_OUT, CLOSED, ACTIVITY_CONFLICT, the "
        "code of every rule that refuses, all items counted together, VERSION_CONFLICT, PRICE_CHANGED, "
        "PROMO_CODE_INVALID, PRICE_UNAVAILABLE, TAX_UNAVAILABLE, INVALID_INPUT, INVALID_TIME, NOT_FOUND, "
        "IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_hold(
    info: Info, input: Annotated[BookingHoldInput, strawberry.argument(description="What to hold.")]
) -> BookingPayload:
    """The booking, and the token that opens it."""
    context = info.context
    request = _request(input)
    try:
        record = await holds.hold(context.database, context.viewer, request, now=context.clock(), taxes=context.taxes)
    except SoldOut as error:
        return BookingPayload(errors=user_errors(error, request.items))
    token = context.tokens.issue(BookingKey(record.booking.organization_id, record.booking.id))
    return BookingPayload(booking=Booking.of(record), token=token)


def items_of(items: list[BookingItemInput]) -> tuple[ItemRequest, ...]:
    """What is asked for. Raises InvalidInput for none, for more than 20, and for what makes no sense by itself."""
    refusal = limits.items(len(items))
    if refusal is not None:
        raise violation(refusal, path=("input", "items"))
    return tuple(_item(item, ("input", "items", str(n))) for n, item in enumerate(items))


def _request(input: BookingHoldInput) -> HoldRequest:
    return HoldRequest(
        key=input.idempotency_key,
        request_hash=input_hash("bookingHold", input),
        items=items_of(input.items),
        contact=contact_of(input.contact, ("input", "contact")),
        expected=_expected(input.expected or []),
        asked_price=AskedPrice(
            quote_id=None if input.quote_id is None else quote_key(input.quote_id, ("input", "quoteId")).id,
            promo=input.promo_code,
            expected_total=input.expected_total,
        ),
    )


def _item(item: BookingItemInput, path: tuple[str, ...]) -> ItemRequest:
    return ItemRequest(resource_key(item.resource_id, (*path, "resourceId")), wish_of(item, path), item.rate_plan)


def _expected(expected: list[ExpectedVersionInput]) -> dict[ResourceKey, int]:
    path = ("input", "expected")
    if len(expected) > EXPECTED_MAX:
        raise InvalidInput(f"At most {EXPECTED_MAX} versions can be expected.", path=path)
    return {resource_key(one.resource_id, (*path, str(n), "resourceId")): one.version for n, one in enumerate(expected)}
