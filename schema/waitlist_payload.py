"""What the mutations of waitlists answer."""

import strawberry

from schema.payload import Payload
from schema.waitlist import WaitlistEntry


@strawberry.type(description="The entry as it is now; or why nothing was done.")
class WaitlistPayload(Payload):
    """Either an entry, or errors."""

    entry: WaitlistEntry | None = strawberry.field(default=None, description="The entry; null if there are errors.")
    token: str | None = strawberry.field(
        default=None,
        description=(
            "What a guest without an account shows to see and leave, and to get at what is offered. Given by "
            "waitlistJoin only, and by a repetition of it with the same key and input. Keep it secret."
        ),
    )
