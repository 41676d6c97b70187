"""resourceClose."""

import strawberry

from engine.capacity import close_resource
from resolvers.access import mutation
from resolvers.close_or_open import CloseOrOpenInput, request_of
from schema.access import Access
from schema.context import Info
from schema.resource_payload import ResourcePayload


@strawberry.input(description="When a resource takes no new bookings.")
class ResourceCloseInput(CloseOrOpenInput):
    """Which, and when."""


@mutation(
    Access.STAFF,
    description="Close a resource over a window, or from now on: it takes no new bookings, and what is booked stays.",
)
async def resource_close(info: Info, input: ResourceCloseInput) -> ResourcePayload:
    """Once per key."""
    context = info.context
    request = request_of("resourceClose", input)
    key = await close_resource(context.database, context.viewer, request, now=context.clock())
    return await ResourcePayload.of(context, key)
