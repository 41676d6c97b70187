"""What the mutations of resources answer."""

import strawberry

from models.keys import ResourceKey
from schema.context import Context
from schema.payload import Payload
from schema.resource import Resource


@strawberry.type(description="The resource as it is now; or why nothing was done.")
class ResourcePayload(Payload):
    """Either a resource, or errors."""

    resource: Resource | None = strawberry.field(default=None, description="The resource; null if there are errors.")

    @classmethod
    async def of(cls, context: Context, key: ResourceKey) -> "ResourcePayload":
        """The resource as it is after the mutation."""
        return cls(resource=await Resource.load(context, key))
