"""What the mutations of venues answer."""

import strawberry

from models.keys import VenueKey
from schema.context import Context
from schema.payload import Payload
from schema.venue import Venue


@strawberry.type(description="The venue as it is now; or why nothing was done.")
class VenuePayload(Payload):
    """Either a venue, or errors."""

    venue: Venue | None = strawberry.field(default=None, description="The venue; null if there are errors.")

    @classmethod
    async def of(cls, context: Context, key: VenueKey) -> "VenuePayload":
        """The venue as it is after the mutation."""
        row = await context.loaders.venues.load(key)
        assert row is not None, "a venue that was written exists"
        return cls(venue=Venue.of(row))
