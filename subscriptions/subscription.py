"""The Subscription root: a table of contents."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar, cast

import strawberry

from models.interval import Interval
from schema.access import Access, AccessRule
from schema.booking import Booking
from schema.context import Info
from schema.global_id import booking_key, entry_key
from schema.inputs import ExpectedVersionInput, WindowInput, looked_at
from schema.waitlist import WaitlistEntry
from subscriptions.booking import booking_changes
from subscriptions.capacity import WINDOW_DEFAULT, CapacityChange, capacity_changes, seen_versions, watched_keys
from subscriptions.waitlist import waitlist_changes

Resolver = TypeVar("Resolver", bound=Callable[..., Any])

LIVE = (
    "A client that falls behind gets several changes folded into one; one that has not read for 30 seconds is ended "
    "with SLOW_CONSUMER. BUSY: too many subscribers, or no database; subscribe again in a moment."
)


def subscription(access: Access, *, description: str) -> Callable[[Resolver], Resolver]:
    """Declare a field of Subscription: who may ask, and what is pushed. Refusals become errors of the request."""
    declared = strawberry.subscription(description=f"{description}\n\n{access.value}", extensions=[AccessRule(access)])
    return cast("Callable[[Resolver], Resolver]", declared)


@strawberry.type(description="What is pushed, over graphql-transport-ws.")
class Subscription:
    """What can be subscribed to."""

    @subscription(
        Access.PUBLIC,
        description=(
            "First each resource's vacancies now, then every change in the window, in version order and without loss. "
            "A client that subscribes again passes the versions that it saw, and gets only what it missed. "
            f"NOT_FOUND for a resource that is not published. {LIVE}"
        ),
    )
    async def capacity_changed(
        self,
        info: Info,
        resource_ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="1 to 100 resources; else INVALID_INPUT.")
        ],
        window: Annotated[
            WindowInput | None,
            strawberry.argument(
                description="At most 366 days, else INVALID_INPUT. Not given: 31 days from the moment of subscribing."
            ),
        ] = None,
        after: Annotated[
            list[ExpectedVersionInput] | None,
            strawberry.argument(
                description=(
                    "The last version seen, of some of the resources. Of one that has missed too much, or that "
                    "requires other resources, the whole window is sent again, with snapshot: true."
                )
            ),
        ] = None,
    ) -> AsyncGenerator[CapacityChange, None]:
        """Anybody may watch what is published."""
        keys = watched_keys(resource_ids)
        seen = seen_versions(after, keys)
        now = info.context.clock()
        interval = Interval(now, now + WINDOW_DEFAULT) if window is None else looked_at(window, ("window",))
        async with aclosing(capacity_changes(info.context, keys, interval, seen)) as changes:
            async for change in changes:
                yield change

    @subscription(
        Access.BOOKING_HOLDER,
        description=(
            "The booking now, then with every change of it, its hold's expiry included; of several changes at once "
            "only the newest state. It completes after EXPIRED, CANCELLED, REJECTED, COMPLETED and NO_SHOW. "
            f"NOT_FOUND unless the asker may see it. {LIVE}"
        ),
    )
    async def booking_changed(
        self,
        info: Info,
        booking_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the booking.")],
        token: Annotated[
            str | None, strawberry.argument(description="What bookingHold gave, for a guest without an account.")
        ] = None,
    ) -> AsyncGenerator[Booking, None]:
        """For who may see the booking."""
        key = booking_key(booking_id, ("bookingId",))
        async with aclosing(booking_changes(info.context, key, token)) as bookings:
            async for booking in bookings:
                yield booking

    @subscription(
        Access.ENTRY_HOLDER,
        description=(
            "The entry of a waitlist now, then with every change of it: offered, run out, accepted; of several changes "
            "at once only the newest state. It completes after ACCEPTED, LEFT, EXPIRED and LAPSED. "
            f"NOT_FOUND unless the asker may see it. {LIVE}"
        ),
    )
    async def waitlist_changed(
        self,
        info: Info,
        entry_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the entry.")],
        token: Annotated[
            str | None, strawberry.argument(description="What waitlistJoin gave, for a guest without an account.")
        ] = None,
    ) -> AsyncGenerator[WaitlistEntry, None]:
        """For who may see the entry."""
        key = entry_key(entry_id, ("entryId",))
        async with aclosing(waitlist_changes(info.context, key, token)) as entries:
            async for entry in entries:
                yield entry
