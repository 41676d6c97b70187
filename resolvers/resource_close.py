"""resourceClose."""

import strawberry

from engine import capacity
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.open_window import OpenWindowInput, open_window
from schema.access import Access
from schema.context import Info
from schema.global_id import resource_key
from schema.resource_payload import ResourcePayload
from schema.scalars import Long


@strawberry.input(description="When a resource takes no new bookings.")
class ResourceCloseInput:
    """Which, and when."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    resource_id: strawberry.ID = strawberry.field(description="Which resource; NOT_FOUND if there is none.")
    window: OpenWindowInput | None = strawberry.field(default=None, description="When. Not given: from now on.")
    expected_version: Long | None = strawberry.field(
        default=None, description="The resource's version that was looked at: VERSION_CONFLICT if it moved since."
    )
    reason: str | None = strawberry.field(
        default=None, description="Why, for the organization's records: at most 500 characters."
    )


@mutation(
    Access.STAFF,
    description="Close a resource over a window, or from now on: it takes no new bookings, and what is booked stays.",
)
async def resource_close(info: Info, input: ResourceCloseInput) -> ResourcePayload:
    """Once per key."""
    context = info.context
    request = capacity.CloseOrOpen(
        key=input.idempotency_key,
        request_hash=input_hash("resourceClose", input),
        resource=resource_key(input.resource_id, ("input", "resourceId")),
        window=open_window(input.window),
        expected_version=input.expected_version,
        reason=input.reason,
    )
    key = await capacity.close_resource(context.database, context.viewer, request, now=context.clock())
    return await ResourcePayload.of(context, key)
