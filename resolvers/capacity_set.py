"""capacitySet."""

import strawberry

from engine import capacity
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.open_window import OpenWindowInput, open_window
from schema.access import Access
from schema.context import Info
from schema.global_id import resource_key
from schema.resource_payload import ResourcePayload
from schema.scalars import Long


@strawberry.input(description="How many units a resource has over a window, or from now on.")
class CapacitySetInput:
    """How much, and when."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    resource_id: strawberry.ID = strawberry.field(description="Of which resource; NOT_FOUND if there is none.")
    window: OpenWindowInput | None = strawberry.field(
        default=None,
        description="When. Not given: from now on. Without an end, it becomes the base capacity as well.",
    )
    capacity: int = strawberry.field(description="Units: 0 to 1,000,000; else INVALID_INPUT.")
    expected_version: Long | None = strawberry.field(
        default=None, description="The resource's version that was looked at: VERSION_CONFLICT if it moved since."
    )
    reason: str | None = strawberry.field(
        default=None, description="Why, for the organization's records: at most 500 characters."
    )


@mutation(
    Access.STAFF,
    description=(
        "Set the capacity of a resource over a window. Refused with CAPACITY_IN_USE, which names bookings in the way, "
        "if more is taken at some instant."
    ),
)
async def capacity_set(info: Info, input: CapacitySetInput) -> ResourcePayload:
    """Once per key."""
    context = info.context
    request = capacity.SetCapacity(
        key=input.idempotency_key,
        request_hash=input_hash("capacitySet", input),
        resource=resource_key(input.resource_id, ("input", "resourceId")),
        capacity=input.capacity,
        window=open_window(input.window),
        expected_version=input.expected_version,
        reason=input.reason,
    )
    key = await capacity.set_capacity(context.database, context.viewer, request, now=context.clock())
    return await ResourcePayload.of(context, key)
