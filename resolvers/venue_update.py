"""venueUpdate."""

from datetime import time
from typing import cast

import strawberry

from engine import venues
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.changes import changed
from schema.access import Access
from schema.context import Info
from schema.global_id import venue_key
from schema.venue_payload import VenuePayload


@strawberry.input(
    description=(
        "What to change of a venue: what is left out stays, and null stays too unless it is said that it removes. "
        "Each field is refused with INVALID_INPUT as in VenueCreateInput."
    )
)
class VenueUpdateInput:
    """Only what is to change."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    venue_id: strawberry.ID = strawberry.field(description="Which venue; NOT_FOUND if there is none.")
    slug: str | None = strawberry.field(
        default=strawberry.UNSET, description="The old slug finds nothing any more, and may be taken by others."
    )
    name: str | None = strawberry.field(default=strawberry.UNSET, description="As in VenueCreateInput.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="Null removes it.")
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="INVALID_INPUT for a venue with resources: their hours and stays are read in it.",
    )
    currency: str | None = strawberry.field(default=strawberry.UNSET, description="As in VenueCreateInput.")
    country: str | None = strawberry.field(default=strawberry.UNSET, description="As in VenueCreateInput.")
    check_in_time: time | None = strawberry.field(
        default=strawberry.UNSET,
        description="For later bookings. Null removes it: INVALID_INPUT for a venue with resources of NIGHTLY.",
    )
    check_out_time: time | None = strawberry.field(
        default=strawberry.UNSET,
        description="For later bookings. Null removes it: INVALID_INPUT for a venue with resources of NIGHTLY.",
    )
    is_published: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether everybody can see and book it, or only the organization's staff."
    )


@mutation(Access.MANAGER, description="Change a venue. Refused with INVALID_INPUT also if its new slug is taken.")
async def venue_update(info: Info, input: VenueUpdateInput) -> VenuePayload:
    """Once per key."""
    context = info.context
    request = venues.UpdateVenue(
        key=input.idempotency_key,
        request_hash=input_hash("venueUpdate", input),
        venue=venue_key(input.venue_id, ("input", "venueId")),
        changes=cast(
            "venues.VenueChanges",
            changed(
                input,
                replaced=("slug", "name", "time_zone", "currency", "country", "is_published"),
                removable=("description", "check_in_time", "check_out_time"),
            ),
        ),
    )
    key = await venues.update_venue(context.database, context.viewer, request)
    return await VenuePayload.of(context, key)
