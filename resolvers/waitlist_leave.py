"""waitlistLeave: wait no more."""

from typing import Annotated

import strawberry

from engine import waitlist
from engine.waitlist import LeaveRequest
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from schema.access import Access
from schema.context import Info
from schema.global_id import entry_key
from schema.waitlist import WaitlistEntry
from schema.waitlist_payload import WaitlistPayload


@strawberry.input(description="Which entry, and who says so.")
class WaitlistLeaveInput:
    """One entry."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    entry_id: strawberry.ID = strawberry.field(
        description="Which entry; NOT_FOUND for one that does not exist or that the viewer may not see."
    )
    token: str | None = strawberry.field(
        default=None, description="As given by waitlistJoin; for guests, who are UNAUTHENTICATED without one."
    )


@mutation(
    Access.ENTRY_HOLDER,
    description=(
        "Leave a waitlist; a hold that is offered is given back. An entry that has left stays so. Refused with "
        "INVALID_STATE for one that has ended otherwise, NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def waitlist_leave(
    info: Info, input: Annotated[WaitlistLeaveInput, strawberry.argument(description="Which entry.")]
) -> WaitlistPayload:
    """The entry, LEFT."""
    context = info.context
    opened = context.entry_opened_by(input.token)
    request = LeaveRequest(
        key=input.idempotency_key,
        request_hash=input_hash("waitlistLeave", input),
        entry=entry_key(input.entry_id, ("input", "entryId")),
        opened_by_token=opened,
    )
    entry = await waitlist.leave(context.database, context.viewer, request)
    return WaitlistPayload(entry=WaitlistEntry.of(entry, opened))
