"""What has capacity and can be booked, as clients see it."""

from datetime import date
from functools import partial
from typing import Annotated

import strawberry

from engine import availability
from engine.calendar import calendar
from engine.facts import Requirement, ResourceFacts
from engine.timeline import EffectiveTimeline
from engine.viewer import Role
from models.errors import InvalidInput, NotFound
from models.keys import ResourceKey, VenueKey
from models.resource import Resource as ResourceRow
from schema.booking_rule import BookingRule
from schema.budget import ELEMENTS_PER_DAY
from schema.cancellation import CancellationPolicy
from schema.connections import Connection
from schema.context import Context, Info
from schema.current import of_one_version
from schema.enums import AvailabilityType, Sharing
from schema.fields import field, shown
from schema.global_id import GlobalKind, encode
from schema.inputs import GUESTS_DESCRIPTION, GuestCountInput, WindowInput, activity_of, guests_of, looked_at
from schema.node import Node
from schema.price import PriceRule, RatePlan
from schema.scalars import Long
from schema.slot import CalendarDay, Slot
from schema.tax import TaxRule
from schema.timeline import Timeline, TimelineStep
from schema.venue import Venue
from schema.visibility import may_see_venue

Quantity = Annotated[
    int | None,
    strawberry.argument(description="Units that are wanted: 1 to 10,000, 1 if not given; else INVALID_INPUT."),
]
Activity = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "What it is wanted for, where parties may join only the same activity: 1 to 100 characters, not beginning "
            "with #; else INVALID_INPUT. Not given: a party that nobody may join."
        )
    ),
]
Guests = Annotated[list[GuestCountInput] | None, strawberry.argument(description=GUESTS_DESCRIPTION)]
Window = Annotated[
    WindowInput, strawberry.argument(description="At most 366 days, in the years 1970 to 2199; else INVALID_INPUT.")
]


@strawberry.type(description="Something with capacity that can be booked.")
class Resource(Node):
    """Shown with its venue, or with a booking of it."""

    key: strawberry.Private[ResourceKey]
    venue_key: strawberry.Private[VenueKey]

    slug: str = strawberry.field(description="Public name, unique in its venue.")
    name: str = strawberry.field(description="Name for people.")
    description: str | None = strawberry.field(description="A few words for people.")
    availability_type: AvailabilityType = strawberry.field(description="How its bookable times come about.")
    sharing: Sharing = strawberry.field(description="Whether parties may be there at the same time.")
    capacity: int = strawberry.field(description="Base capacity, in units; the timeline has the truth at an instant.")
    hold_minutes: int = strawberry.field(description="How long a hold of it lasts, in minutes; rounded up.")
    hold_ceiling_minutes: int = strawberry.field(
        description="How long after it was made a hold can be extended to, in minutes; rounded up."
    )
    version: Long = strawberry.field(
        description=(
            "Grows by exactly one with every change of its timeline, and of what else decides whether it can be "
            "booked: its rules, its requirements, its choices, its venue's times."
        )
    )

    @classmethod
    def of(cls, row: ResourceRow, version: int | None = None) -> "Resource":
        """The row, for clients; with its version of now, where that was asked for later."""
        return cls(
            id=encode(GlobalKind.RESOURCE, row.organization_id, row.id),
            key=ResourceKey(row.organization_id, row.id),
            venue_key=VenueKey(row.organization_id, row.venue_id),
            slug=row.slug,
            name=row.name,
            description=row.description,
            availability_type=AvailabilityType(row.availability_type),
            sharing=Sharing(row.sharing),
            capacity=row.capacity,
            hold_minutes=-(row.hold_seconds // -60),
            hold_ceiling_minutes=-(row.hold_ceiling_seconds // -60),
            version=Long(row.version if version is None else version),
        )

    @classmethod
    async def load(cls, context: Context, key: ResourceKey) -> "Resource":
        """The resource under a key that is known to exist."""
        return cls.of_facts(await _facts(context, key))

    @classmethod
    def of_facts(cls, facts: ResourceFacts) -> "Resource":
        """The resource of these facts."""
        return cls.of(facts.resource, facts.version)

    @field("Where it is.")
    async def venue(self, info: Info) -> Venue:
        """Its venue."""
        found = await info.context.loaders.venues.load(self.venue_key)
        assert found is not None, "a resource has a venue"
        return Venue.of(found)

    @field("Other resources that a booking of this one also takes; those that may be seen.")
    async def requirements(
        self, info: Info
    ) -> list[Annotated["ResourceRequirement", strawberry.lazy("schema.resource")]]:
        """One level deep; those of venues that are not published are for staff."""
        needed = (await _facts(info.context, self.key)).requirements
        keys = [ResourceKey(need.resource.organization_id, need.resource.id) for need in needed]
        loaded = await info.context.loaders.facts.load_many(keys)
        return [
            ResourceRequirement.of(need, facts)
            for need, facts in zip(needed, loaded, strict=True)
            if facts is not None and may_see_venue(info.context.viewer, facts.venue)
        ]

    @field("What a booking of k units takes k different ones of, one unit each; those that may be seen. Mostly none.")
    async def choices(self, info: Info) -> list[Annotated["Resource", strawberry.lazy("schema.resource")]]:
        """One level deep."""
        members = (await _facts(info.context, self.key)).choices
        loaded = await info.context.loaders.facts.load_many([ResourceKey(m.organization_id, m.id) for m in members])
        return [
            Resource.of_facts(facts)
            for facts in loaded
            if facts is not None and may_see_venue(info.context.viewer, facts.venue)
        ]

    @field(
        "What a booking must be like, by type: its own rules and its venue's, those too that do not decide today. "
        "At most 400. The platform's own limits come on top."
    )
    async def rules(self, info: Info) -> list[BookingRule]:
        """The stored rules of both scopes."""
        return shown(info, (await _facts(info.context, self.key)).stored_rules, BookingRule.of)

    @field(
        "The rate plans by which it is sold: its own and its venue's, by code, those too that do not hold today; at "
        "most 200. None: it has no price."
    )
    async def rate_plans(self, info: Info) -> list[RatePlan]:
        """The stored plans of both scopes."""
        return shown(info, (await _facts(info.context, self.key)).stored_plans, RatePlan.of)

    @field(
        "What moves its price: its own rules and its venue's, by kind; at most 200. For the organization's staff; null "
        "for others."
    )
    async def price_rules(self, info: Info) -> list[PriceRule] | None:
        """The stored rules of both scopes."""
        if not info.context.viewer.may(Role.STAFF, self.key.organization_id):
            return None
        return shown(info, (await _facts(info.context, self.key)).stored_price_rules, PriceRule.of)

    @field(
        "The taxes that are owed for it: its own and its venue's, by kind, those too that do not decide today; at most "
        "200. Set by the venue; no advice on what is owed."
    )
    async def tax_rules(self, info: Info) -> list[TaxRule]:
        """The stored taxes of both scopes."""
        return shown(info, (await _facts(info.context, self.key)).stored_taxes, TaxRule.of)

    @field(
        "What may come back when a booking of it is cancelled: its own policies and its venue's, by code, those too "
        "that do not decide today; at most 200. None: all comes back until the start."
    )
    async def cancellation_policies(self, info: Info) -> list[CancellationPolicy]:
        """The stored policies of both scopes."""
        return shown(info, (await _facts(info.context, self.key)).stored_policies, CancellationPolicy.of)

    @field(
        "How its capacity goes over a window, after what it requires. Of what it chooses from, each step counts those "
        "that are free then; a booking needs them all the time. NOT_FOUND where it is not published."
    )
    async def timeline(self, info: Info, window: Window) -> Timeline:
        """The effective step function."""
        interval = looked_at(window, ("window",))
        facts = await _open_facts(info.context, self.key)
        loaders = info.context.loaders

        async def look(facts: ResourceFacts) -> EffectiveTimeline:
            return await availability.timeline(facts, interval, load=loaders.timelines_alone)

        found = await of_one_version(info.context, facts, look)
        loaders.budget.spend_elements(len(found.steps))
        return Timeline(
            resource=self,
            version=Long(found.version),
            starts_at=interval.starts_at,
            ends_at=interval.ends_at,
            steps=TimelineStep.all_of(found.steps),
        )

    @field(
        "The times that begin in a window and that the rules know, in order: on the start grid, or the sessions. "
        "At most 2,000. INVALID_INPUT for more, and for a NIGHTLY resource: that has a calendar. "
        "NOT_FOUND where it is not published."
    )
    async def slots(
        self,
        info: Info,
        window: Window,
        duration_minutes: Annotated[
            int | None,
            strawberry.argument(
                description=(
                    "How long: 1 minute to 366 days; else INVALID_INPUT. "
                    "Not given: the shortest time that the rules allow (one step of the grid, if none tells), or "
                    "every session."
                )
            ),
        ] = None,
        quantity: Quantity = 1,
        activity: Activity = None,
        guests: Guests = None,
    ) -> list[Slot]:
        """What can be offered."""
        interval = looked_at(window, ("window",))
        facts = await _open_facts(info.context, self.key)
        ask = partial(
            availability.slots,
            window=interval,
            duration_minutes=duration_minutes,
            quantity=1 if quantity is None else quantity,
            activity=activity_of(activity, ("activity",)),
            guests=guests_of(guests, ("guests",)),
            load=info.context.loaders.timelines,
            counts=info.context.loaders.counts,
            now=info.context.clock(),
            spend=info.context.loaders.budget.spend_elements,
        )

        async def look(facts: ResourceFacts) -> list[Slot]:
            return [Slot.of(answer, facts.zone) for answer in await ask(facts)]

        return await of_one_version(info.context, facts, look)

    @field(
        "One answer per civil day of [from, to), at most 366: its best slot, or the shortest stay that may begin on "
        "it. INVALID_INPUT for more days. NOT_FOUND where it is not published."
    )
    async def calendar(
        self,
        info: Info,
        from_: Annotated[date, strawberry.argument(name="from", description="The first day.")],
        to: Annotated[date, strawberry.argument(description="The day after the last; INVALID_INPUT if before `from`.")],
        quantity: Quantity = 1,
        activity: Activity = None,
        guests: Guests = None,
    ) -> list[CalendarDay]:
        """Day by day."""
        if to < from_:
            raise InvalidInput("The calendar ends before it begins.", path=("to",))
        info.context.loaders.budget.spend_elements((to - from_).days * ELEMENTS_PER_DAY)
        facts = await _open_facts(info.context, self.key)
        ask = partial(
            calendar,
            first=from_,
            last=to,
            quantity=1 if quantity is None else quantity,
            activity=activity_of(activity, ("activity",)),
            guests=guests_of(guests, ("guests",)),
            load=info.context.loaders.timelines,
            counts=info.context.loaders.counts,
            now=info.context.clock(),
        )
        return [CalendarDay.of(answer) for answer in await of_one_version(info.context, facts, ask)]


@strawberry.type(description="A booking of n units also takes perUnit × n + perBooking units of another resource.")
class ResourceRequirement:
    """What a booking takes besides."""

    resource: Resource = strawberry.field(description="What is also taken.")
    per_unit: int = strawberry.field(description="Units of it for each unit that is booked.")
    per_booking: int = strawberry.field(description="Units of it for the booking as a whole.")

    @classmethod
    def of(cls, requirement: Requirement, facts: ResourceFacts) -> "ResourceRequirement":
        """The engine's requirement, with the facts of what is required, for clients."""
        return cls(
            resource=Resource.of_facts(facts),
            per_unit=requirement.row.per_unit,
            per_booking=requirement.row.per_booking,
        )


@strawberry.type(description="One page of resources, by slug.")
class ResourceConnection(Connection[Resource]):
    """Resources of one venue."""


async def _facts(context: Context, key: ResourceKey) -> ResourceFacts:
    facts = await context.loaders.facts.load(key)
    assert facts is not None, "a resource that was shown exists"
    return facts


async def _open_facts(context: Context, key: ResourceKey) -> ResourceFacts:
    """The facts for somebody who asks for availability: having booked there once is not enough."""
    facts = await _facts(context, key)
    if not may_see_venue(context.viewer, facts.venue):
        raise NotFound("There is no such resource.")
    return facts
