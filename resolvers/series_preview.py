"""Query.seriesPreview: which dates of a series could be booked."""

from typing import Annotated

import strawberry

from engine import series
from engine.facts import ResourceFacts
from models.errors import BookingError, NotFound
from resolvers.access import query
from schema.access import Access
from schema.context import Info
from schema.current import of_one_version
from schema.series import SeriesOccurrence, SeriesPreview, SeriesPreviewInput, series_wish_of
from schema.visibility import may_see_venue

Question = Annotated[SeriesPreviewInput, strawberry.argument(description="What recurs, and how much of it.")]


@query(
    Access.PUBLIC,
    description=(
        "Which dates of a series could be booked now, and why not the others. What is wrong with the series as a whole "
        "is refused: INVALID_INPUT for the rule, the dates that are left out and what makes no sense for the resource; "
        "INVALID_TIME, TOO_SOON, TOO_FAR and TOO_LONG for its first occurrence; NOT_FOUND for the resource."
    ),
)
async def series_preview(info: Info, input: Question) -> SeriesPreview:
    """Each date by itself."""
    context = info.context
    wish = series_wish_of(input, ("input",))
    facts = await context.loaders.facts.load(wish.resource)
    if facts is None or not may_see_venue(context.viewer, facts.venue):
        raise NotFound("There is no such resource.", path=("input", "resourceId"))
    loaders, now = context.loaders, context.clock()

    async def look(facts: ResourceFacts) -> list[SeriesOccurrence]:
        found = await series.preview(facts, wish, load=loaders.timelines, counts=loaders.counts, now=now)
        return [SeriesOccurrence.of(outcome, facts.zone) for outcome in found]

    try:
        occurrences = await of_one_version(context, facts, look)
    except BookingError as error:
        error.path = ("input", *error.path)
        raise
    loaders.budget.spend_elements(len(occurrences))
    return SeriesPreview(occurrences=occurrences)
