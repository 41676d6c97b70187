"""One question over many resources: which of these can take so many then, and if not, why."""

import asyncio
from datetime import datetime
from typing import Annotated

import strawberry

from engine import availability as engine
from engine.asked_prices import AskedPrices
from engine.availability import AvailabilityAnswer, Wish
from engine.facts import ResourceFacts
from engine.quotes import Question, quote_of
from models.keys import ResourceKey, VenueKey
from models.queries.catalog import ResourcePage
from models.resource import AvailabilityType
from schema.alternatives import AlternativesFirst, alternatives, alternatives_count
from schema.context import Context, Info
from schema.current import of_one_version
from schema.enums import AvailabilityStatus
from schema.fields import field
from schema.inputs import GUESTS_DESCRIPTION, GuestCountInput, StayInput, WindowInput
from schema.quote import Quote
from schema.refusal import Refusal
from schema.resource import Resource
from schema.scalars import Long
from schema.slot import Slot

OTHERS_MAX = 100


@strawberry.input(
    description="Which resources, when, and how many. One of venueId and resourceIds; one of window and stay."
)
class AvailabilityInput:
    """The question."""

    venue_id: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "All resources of this venue that are sold in this way: by the night for a stay, others for a window. "
            "INVALID_INPUT if the venue has more than 100; NOT_FOUND if there is no such venue."
        ),
    )
    resource_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="1 to 100 resources, answered in this order; NOT_FOUND if one does not exist."
    )
    window: WindowInput | None = strawberry.field(
        default=None, description="When, for OPENING_HOURS and START_TIME; INVALID_INPUT for NIGHTLY."
    )
    stay: StayInput | None = strawberry.field(
        default=None, description="Which nights, for NIGHTLY; else INVALID_INPUT."
    )
    quantity: int = strawberry.field(default=1, description="Units: 1 to 10,000; else INVALID_INPUT.")
    guests: list[GuestCountInput] | None = strawberry.field(default=None, description=GUESTS_DESCRIPTION)
    activity: str | None = strawberry.field(
        default=None, description="What for, 1 to 100 characters, not beginning with #; else INVALID_INPUT."
    )


@strawberry.type(description="Whether a resource can be booked then, as of one version of it, and if not, why.")
class Availability:
    """The answer for one resource."""

    facts: strawberry.Private[ResourceFacts]
    prices: strawberry.Private[AskedPrices | None]
    wish: strawberry.Private[Wish]

    resource: Resource = strawberry.field(description="Which resource.")
    starts_at: datetime = strawberry.field(description="First instant; of a stay, check-in.")
    ends_at: datetime = strawberry.field(description="First instant after it; of a stay, check-out.")
    capacity: int = strawberry.field(description="Units there are; where that changes, the fewest.")
    vacancies: int = strawberry.field(
        description="Units left over all of it: capacity minus the peak of what is taken, never minus the sum."
    )
    status: AvailabilityStatus = strawberry.field(description="The same in one word.")
    bookable: bool = strawberry.field(
        description="Whether the asked quantity can be booked now. True exactly when refusals is empty."
    )
    refusals: list[Refusal] = strawberry.field(description="Every reason why not.")
    version: Long = strawberry.field(
        description=(
            "The resource's version that this answers for: its timeline and its rules are exactly those of it. What "
            "rules count beside them, such as arrivals, may be newer. See BookingHoldInput.expected."
        )
    )

    @classmethod
    def of(cls, facts: ResourceFacts, wish: Wish, answer: AvailabilityAnswer) -> "Availability":
        """The engine's answer, for clients."""
        return cls(
            facts=facts,
            prices=answer.prices,
            wish=wish,
            resource=Resource.of_facts(facts),
            starts_at=answer.interval.starts_at,
            ends_at=answer.interval.ends_at,
            capacity=answer.capacity,
            vacancies=answer.vacancies,
            status=answer.status,
            bookable=answer.bookable,
            refusals=[Refusal.of(refusal) for refusal in answer.refusals],
            version=Long(answer.version),
        )

    @field(
        "What it costs, asked for now, by the rate plan that holds; only looked at, as by Query.quote. Null: it has no "
        "price, or one that can not be told."
    )
    def quote(self, info: Info) -> Quote | None:
        """Counted when asked for, from what was read for the answer."""
        if self.prices is None:
            return None
        viewer, now = info.context.viewer, info.context.clock()
        question = Question(viewer, [(self.facts, self.prices.request)], [None], now)
        cost = self.prices.cost(question.partner)
        return None if cost is None else Quote.of(quote_of(question, cost), now, is_kept=False)

    @field("If it is not bookable: the bookable times of the same resource nearest to it.")
    async def alternatives(self, info: Info, first: AlternativesFirst = 3) -> list[Slot]:
        """Nearest first."""
        count = alternatives_count(first)
        return [] if self.bookable else await alternatives(info, self.facts, self.wish, count)

    @field(
        "If it is not bookable: other resources of the venue that are sold in the same way and can take it at the same "
        "time, by slug. Of the venue's first 100 resources."
    )
    async def elsewhere(
        self, info: Info, first: AlternativesFirst = 3
    ) -> list[Annotated["Availability", strawberry.lazy("schema.availability")]]:
        """The same wish, of others."""
        count = alternatives_count(first)
        return [] if self.bookable else await elsewhere(info, self.facts, self.wish, count)


async def ask(context: Context, facts: ResourceFacts, wish: Wish) -> Availability:
    """The answer for one resource. Raises InvalidInput and InvalidTime for what makes no sense for it."""
    loaders, now = context.loaders, context.clock()

    async def look(facts: ResourceFacts) -> Availability:
        answer = await engine.availability(facts, wish, load=loaders.timelines, counts=loaders.counts, now=now)
        return Availability.of(facts, wish, answer)

    return await of_one_version(context, facts, look)


async def elsewhere(info: Info, facts: ResourceFacts, wish: Wish, count: int) -> list[Availability]:
    """Others of the venue that can take it at the same time, so many at most."""
    return [answer for answer in await _of_others(info.context, facts, wish) if answer.bookable][:count]


async def _of_others(context: Context, facts: ResourceFacts, wish: Wish) -> list[Availability]:
    loaders = context.loaders
    venue = VenueKey(facts.venue.organization_id, facts.venue.id)
    kind = facts.resource.availability_type
    rows = await loaders.resource_pages.load(ResourcePage(venue, OTHERS_MAX, availability_type=AvailabilityType(kind)))
    keys = [key for row in rows if (key := ResourceKey(row.organization_id, row.id)) != facts.key]
    context.loaders.budget.spend_elements(len(keys))
    others = await loaders.facts.load_many(keys)
    return list(await asyncio.gather(*(ask(context, other, wish) for other in others if other is not None)))
