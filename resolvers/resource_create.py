"""resourceCreate."""

import strawberry

from engine import resources
from engine.schedules import Schedule
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.resource_inputs import (
    OpeningHoursInput,
    RequirementInput,
    SessionInput,
    choices_of,
    hours_of,
    requirements_of,
    sessions_of,
)
from schema.access import Access
from schema.context import Info
from schema.enums import AvailabilityType, Sharing
from schema.global_id import venue_key
from schema.resource_payload import ResourcePayload


@strawberry.input(description="A new resource. What does not fit is refused with INVALID_INPUT.")
class ResourceCreateInput:
    """What it is, how much of it there is, and when it can be booked."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    venue_id: strawberry.ID = strawberry.field(description="Where it is; NOT_FOUND if there is no such venue.")
    slug: str = strawberry.field(
        description="Public name, unique in its venue: 3 to 60 letters a to z and digits, single hyphens between."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters on one line.")
    description: str | None = strawberry.field(
        default=None, description="A few words for people: at most 5,000 characters."
    )
    availability_type: AvailabilityType = strawberry.field(
        description="How its bookable times come about; never changes. NIGHTLY needs check-in and check-out times."
    )
    sharing: Sharing = strawberry.field(
        default=Sharing.SHARED, description="Whether parties may be there at the same time."
    )
    capacity: int = strawberry.field(
        description="Units at any instant, until capacitySet says otherwise: 0 to 1,000,000."
    )
    hold_minutes: int = strawberry.field(default=10, description="How long a hold lasts: 1 to 1,440 minutes.")
    hold_ceiling_minutes: int | None = strawberry.field(
        default=None,
        description=(
            "How long a hold lasts at most, however often it is extended: from holdMinutes to 1,440 minutes. Not "
            "given: 30, or holdMinutes if that is more."
        ),
    )
    opening_hours: list[OpeningHoursInput] | None = strawberry.field(
        default=None,
        description="For OPENING_HOURS: the weekly hours, at most 100. Not given: always open. Empty: never.",
    )
    start_grid_minutes: int | None = strawberry.field(
        default=None,
        description=(
            "For OPENING_HOURS: bookings start every so many minutes, counted from midnight; it must divide 1,440. Not "
            "given: at any time."
        ),
    )
    sessions: list[SessionInput] | None = strawberry.field(
        default=None, description="For START_TIME, which needs at least one: the weekly sessions, at most 400."
    )
    requirements: list[RequirementInput] | None = strawberry.field(
        default=None, description="Other resources that a booking of this one also takes, at most 50, each named once."
    )
    choices: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=(
            "Resources of the same venue to choose from, at most 50, each named once: a booking of k units also takes "
            "a unit of k different ones, chosen as it is held. NOT_FOUND or INVALID_INPUT for others, and for one that "
            "requires or chooses something itself. Best with as many units of capacity as there are choices."
        ),
    )


@mutation(
    Access.MANAGER,
    description="Make a resource. Refused with INVALID_INPUT also if its slug is taken in this venue.",
)
async def resource_create(info: Info, input: ResourceCreateInput) -> ResourcePayload:
    """Once per key."""
    context = info.context
    request = resources.CreateResource(
        key=input.idempotency_key,
        request_hash=input_hash("resourceCreate", input),
        venue=venue_key(input.venue_id, ("input", "venueId")),
        slug=input.slug,
        name=input.name,
        description=input.description,
        availability_type=input.availability_type,
        sharing=input.sharing,
        capacity=input.capacity,
        hold_minutes=input.hold_minutes,
        hold_ceiling_minutes=input.hold_ceiling_minutes,
        schedule=Schedule(
            opening_hours=hours_of(input.opening_hours),
            start_grid_minutes=input.start_grid_minutes,
            sessions=sessions_of(input.sessions),
        ),
        requirements=requirements_of(input.requirements),
        choices=choices_of(input.choices),
    )
    key = await resources.create_resource(context.database, context.viewer, request)
    return await ResourcePayload.of(context, key)
