"""waitlistJoin: wait for what is taken."""

from typing import Annotated

import strawberry

from engine import waitlist
from engine.waitlist import JoinRequest
from models.interval import Interval
from models.keys import EntryKey
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from schema.access import Access
from schema.context import Info
from schema.global_id import resource_key
from schema.inputs import (
    GUESTS_DESCRIPTION,
    ContactInput,
    GuestCountInput,
    StayInput,
    WindowInput,
    contact_of,
    wish_of,
)
from schema.waitlist import WaitlistEntry
from schema.waitlist_payload import WaitlistPayload


@strawberry.input(description="What to wait for: a window, or a stay for what is sold by the night.")
class WaitlistJoinInput:
    """One entry."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    resource_id: strawberry.ID = strawberry.field(description="What for; NOT_FOUND if there is no such resource.")
    window: WindowInput | None = strawberry.field(
        default=None, description="When, for OPENING_HOURS and START_TIME; INVALID_INPUT for NIGHTLY."
    )
    stay: StayInput | None = strawberry.field(
        default=None, description="Which nights, for NIGHTLY; else INVALID_INPUT."
    )
    flexible: WindowInput | None = strawberry.field(
        default=None,
        description=(
            "Any time of the same length that lies in here will do, the nearest first: at most 31 days, with the "
            "window or stay in it; else INVALID_INPUT. Not given: exactly the window or stay."
        ),
    )
    quantity: int = strawberry.field(default=1, description="Units, never split: 1 to 10,000; else INVALID_INPUT.")
    guests: list[GuestCountInput] | None = strawberry.field(default=None, description=GUESTS_DESCRIPTION)
    activity: str | None = strawberry.field(
        default=None,
        description=(
            "What for, where parties may join only the same activity: 1 to 100 characters, not beginning with #; else "
            "INVALID_INPUT. Not given: a party that nobody may join."
        ),
    )
    contact: ContactInput | None = strawberry.field(
        default=None, description="How to reach the guest; INVALID_INPUT for a guest without an email address."
    )


@mutation(
    Access.PUBLIC,
    description=(
        "Wait until there is room for all of the party, and be offered it: as a booking ON_HOLD, for as long as the "
        "resource lets any hold last. If there is room now, it is offered within moments. An offer that runs out comes "
        "once more, after those who have had none. Refused with the code of every rule that refuses, WAITLIST_FULL "
        "(500 wait for a resource, 5 of them of one customer or email address), INVALID_INPUT, INVALID_TIME, "
        "NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def waitlist_join(
    info: Info, input: Annotated[WaitlistJoinInput, strawberry.argument(description="What to wait for.")]
) -> WaitlistPayload:
    """The entry, and the token that opens it."""
    context = info.context
    entry = await waitlist.join(context.database, context.viewer, _request(input), now=context.clock())
    key = EntryKey(entry.organization_id, entry.id)
    return WaitlistPayload(entry=WaitlistEntry.of(entry, key), token=context.tokens.issue_entry(key))


def _request(input: WaitlistJoinInput) -> JoinRequest:
    path = ("input",)
    flexible: Interval | None = None
    if input.flexible is not None:
        flexible = input.flexible.interval((*path, "flexible"))
    return JoinRequest(
        key=input.idempotency_key,
        request_hash=input_hash("waitlistJoin", input),
        resource=resource_key(input.resource_id, (*path, "resourceId")),
        wish=wish_of(input, path),
        flexible=flexible,
        contact=contact_of(input.contact, (*path, "contact")),
    )
