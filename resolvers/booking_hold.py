"""bookingHold: take places, and keep them for a while."""

from typing import Annotated

import strawberry

from engine import holds
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
from schema.global_id import resource_key
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


@mutation(
    Access.PUBLIC,
    description=(
        "Take places and keep them until holdExpiresAt, when they are given back by themselves: 10 minutes, or what "
        "the resource says; with several resources the shortest. Refused with SOLD_OUT, CLOSED, ACTIVITY_CONFLICT, the "
        "code of every rule that refuses, all items counted together, VERSION_CONFLICT, INVALID_INPUT, INVALID_TIME, "
        "NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def booking_hold(
    info: Info, input: Annotated[BookingHoldInput, strawberry.argument(description="What to hold.")]
) -> BookingPayload:
    """The booking, and the token that opens it."""
    context = info.context
    request = _request(input)
    try:
        record = await holds.hold(context.database, context.viewer, request, now=context.clock())
    except SoldOut as error:
        return BookingPayload(errors=user_errors(error, request.items))
    token = context.tokens.issue(BookingKey(record.booking.organization_id, record.booking.id))
    return BookingPayload(booking=Booking.of(record), token=token)


def _request(input: BookingHoldInput) -> HoldRequest:
    refusal = limits.items(len(input.items))
    if refusal is not None:
        raise violation(refusal, path=("input", "items"))
    return HoldRequest(
        key=input.idempotency_key,
        request_hash=input_hash("bookingHold", input),
        items=tuple(_item(item, ("input", "items", str(n))) for n, item in enumerate(input.items)),
        contact=contact_of(input.contact, ("input", "contact")),
        expected=_expected(input.expected or []),
    )


def _item(item: BookingItemInput, path: tuple[str, ...]) -> ItemRequest:
    return ItemRequest(resource_key(item.resource_id, (*path, "resourceId")), wish_of(item, path))


def _expected(expected: list[ExpectedVersionInput]) -> dict[ResourceKey, int]:
    path = ("input", "expected")
    if len(expected) > EXPECTED_MAX:
        raise InvalidInput(f"At most {EXPECTED_MAX} versions can be expected.", path=path)
    return {resource_key(one.resource_id, (*path, str(n), "resourceId")): one.version for n, one in enumerate(expected)}
