"""resourceOpen."""

import strawberry

from engine.capacity import open_resource
from resolvers.access import mutation
from resolvers.close_or_open import CloseOrOpenInput, request_of
from schema.access import Access
from schema.context import Info
from schema.resource_payload import ResourcePayload


@strawberry.input(description="When a resource takes bookings again.")
class ResourceOpenInput(CloseOrOpenInput):
    """Which, and when."""


@mutation(Access.STAFF, description="Open a resource again over a window, or from now on.")
async def resource_open(info: Info, input: ResourceOpenInput) -> ResourcePayload:
    """Once per key."""
    context = info.context
    request = request_of("resourceOpen", input)
    key = await open_resource(context.database, context.viewer, request, now=context.clock())
    return await ResourcePayload.of(context, key)
