"""What the mutations that do one thing to a booking share: those of its holder, and of staff who decide over it."""

import strawberry

from engine import changes
from engine.changes import ChangeRequest
from models.ledger.requests import BookingAction
from resolvers.access import KEY_DESCRIPTION, input_hash
from schema.booking import Booking
from schema.booking_payload import BookingPayload
from schema.context import Info
from schema.global_id import booking_key
from schema.scalars import Long

BOOKING_ID = "Which booking; NOT_FOUND for one that does not exist or that the viewer may not see."
HOLDER = "As given by bookingHold; for guests, who are UNAUTHENTICATED without one."
EXPECTED_VERSION = "Refuse with VERSION_CONFLICT unless the booking is at this version."


@strawberry.input(description="Which booking, and who says so.")
class BookingActionInput:
    """One booking. What its holder says beside that is in inputs that derive from this."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    booking_id: strawberry.ID = strawberry.field(description=BOOKING_ID)
    token: str | None = strawberry.field(default=None, description=HOLDER)
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="Which booking, and what is said to it.")
class BookingDecisionInput:
    """One booking that waits for approval."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    booking_id: strawberry.ID = strawberry.field(
        description="Which booking; NOT_FOUND for one that does not exist in the viewer's organization."
    )
    reason: str | None = strawberry.field(
        default=None, description="Why, for the booking's history: at most 500 characters; else INVALID_INPUT."
    )
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)


async def act(
    info: Info, mutation: str, action: BookingAction, input: BookingActionInput | BookingDecisionInput
) -> BookingPayload:
    """Carry out the action; `mutation` is the name that repetitions are known by."""
    token = input.token if isinstance(input, BookingActionInput) else None
    reason = input.reason if isinstance(input, BookingDecisionInput) else None
    record = await changes.change(
        info.context.database,
        info.context.viewer,
        ChangeRequest(
            key=input.idempotency_key,
            request_hash=input_hash(mutation, input),
            booking=booking_key(input.booking_id, ("input", "bookingId")),
            opened_by_token=info.context.opened_by(token),
            action=action,
            expected_version=input.expected_version,
            reason=reason,
            collects=info.context.payments is not None,
        ),
    )
    return BookingPayload(booking=Booking.of(record))
