"""Query.availability: one question over many resources, in a number of statements that does not grow with them."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import strawberry

from engine.availability import Wish
from engine.facts import ResourceFacts
from models.errors import InvalidInput, NotFound
from models.keys import ResourceKey
from models.queries.catalog import ResourcePage
from models.resource import AvailabilityType
from resolvers.access import query
from schema.access import Access
from schema.availability import Availability, AvailabilityInput, ask
from schema.context import Context, Info
from schema.global_id import resource_key, venue_key
from schema.inputs import wish_of
from schema.visibility import may_see_venue

RESOURCES_MAX = 100

Question = Annotated[AvailabilityInput, strawberry.argument(description="Which resources, when, and how many.")]


@query(
    Access.PUBLIC,
    description=(
        "Which of these resources can take so many units then, and if not, why. A resource that can not be booked is "
        "answered with its refusals; what makes no sense for a resource is refused as a whole: INVALID_INPUT, and "
        "INVALID_TIME for a check-in or check-out time that the clocks skip on that day."
    ),
)
async def availability(info: Info, input: Question) -> list[Availability]:
    """One answer per resource, in the order in which they were named; of a venue, by slug."""
    context = info.context
    wish = wish_of(input, ("input",))
    found = await _of_venue(context, input, wish) if input.venue_id is not None else await _named(context, input)
    context.loaders.budget.spend_elements(len(found))
    try:
        return list(await asyncio.gather(*(ask(context, facts, wish) for facts in found)))
    except InvalidInput as error:
        error.path = ("input", *error.path)
        raise


async def _named(context: Context, input: AvailabilityInput) -> Sequence[ResourceFacts]:
    path = ("input", "resourceIds")
    ids = input.resource_ids or []
    if not 1 <= len(ids) <= RESOURCES_MAX:
        raise InvalidInput(f"Name a venue, or 1 to {RESOURCES_MAX} resources.", path=path)
    keys = [resource_key(id, (*path, str(position))) for position, id in enumerate(ids)]
    found = []
    for position, facts in enumerate(await context.loaders.facts.load_many(keys)):
        if facts is None or not may_see_venue(context.viewer, facts.venue):
            raise NotFound("There is no such resource.", path=(*path, str(position)))
        found.append(facts)
    return found


async def _of_venue(context: Context, input: AvailabilityInput, wish: Wish) -> Sequence[ResourceFacts]:
    path = ("input", "venueId")
    if input.resource_ids is not None:
        raise InvalidInput("Name a venue or resources: one of the two.", path=path)
    assert input.venue_id is not None
    key = venue_key(input.venue_id, path)
    venue = await context.loaders.venues.load(key)
    if venue is None or not may_see_venue(context.viewer, venue):
        raise NotFound("There is no such venue.", path=path)
    rows = await context.loaders.resource_pages.load(ResourcePage(key, RESOURCES_MAX + 1))
    if len(rows) > RESOURCES_MAX:
        raise InvalidInput(f"This venue has more than {RESOURCES_MAX} resources: name some of them.", path=path)
    by_night = wish.stay is not None
    keys = [
        ResourceKey(row.organization_id, row.id)
        for row in rows
        if (row.availability_type == AvailabilityType.NIGHTLY) is by_night
    ]
    return [facts for facts in await context.loaders.facts.load_many(keys) if facts is not None]
