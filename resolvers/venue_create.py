"""venueCreate."""

import uuid
from datetime import time

import strawberry

from engine import venues
from models.errors import NotFound
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from schema.access import Access
from schema.context import Info
from schema.global_id import GlobalKind, decode
from schema.venue_payload import VenuePayload


@strawberry.input(description="A new venue. What does not fit is refused with INVALID_INPUT.")
class VenueCreateInput:
    """What a venue says of itself."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    organization_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Only for operators, who have no organization of their own; otherwise it is the viewer's.",
    )
    slug: str = strawberry.field(
        description="Public name, unique over all venues: 3 to 60 letters a to z and digits, single hyphens between."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters on one line.")
    description: str | None = strawberry.field(
        default=None, description="A few words for people: at most 5,000 characters."
    )
    time_zone: str = strawberry.field(
        description='IANA zone of its clocks: "Africa/Algiers". Can not change once the venue has a resource.'
    )
    currency: str = strawberry.field(description='ISO 4217 code: "DZD".')
    country: str = strawberry.field(description='ISO 3166-1 alpha-2 code: "DZ".')
    check_in_time: time | None = strawberry.field(
        default=None, description="When nights begin, on the day of arrival. Resources of NIGHTLY need it."
    )
    check_out_time: time | None = strawberry.field(
        default=None, description="When nights end, on the day of departure. Resources of NIGHTLY need it."
    )
    is_published: bool = strawberry.field(
        default=True, description="Whether everybody can see and book it, or only the organization's staff."
    )


@mutation(Access.MANAGER, description="Make a venue. Refused with INVALID_INPUT also if its slug is taken.")
async def venue_create(info: Info, input: VenueCreateInput) -> VenuePayload:
    """Once per key."""
    context = info.context
    request = venues.CreateVenue(
        key=input.idempotency_key,
        request_hash=input_hash("venueCreate", input),
        organization_id=_organization_id(input.organization_id),
        fields=venues.VenueFields(
            slug=input.slug,
            name=input.name,
            description=input.description,
            time_zone=input.time_zone,
            currency=input.currency,
            country=input.country,
            check_in_time=input.check_in_time,
            check_out_time=input.check_out_time,
            is_published=input.is_published,
        ),
    )
    key = await venues.create_venue(context.database, context.viewer, request)
    return await VenuePayload.of(context, key)


def _organization_id(text: str | None) -> uuid.UUID | None:
    if text is None:
        return None
    found = decode(text)
    if found is None or found.kind is not GlobalKind.ORGANIZATION:
        raise NotFound("There is no such organization.", path=("input", "organizationId"))
    return found.id
