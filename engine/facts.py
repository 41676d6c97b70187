"""What the business knows of a resource before it looks at the clock or the timeline."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import tuple_
from sqlmodel import select

from engine.rules import registry
from engine.rules.base import Rule
from models import civil
from models.database import ReadSession
from models.keys import ResourceKey
from models.resource import BookingRule, Resource, ResourceRequirement
from models.venue import Venue


@dataclass(frozen=True)
class Requirement:
    """A booking also takes `row.per_unit × quantity + row.per_booking` of `resource`."""

    row: ResourceRequirement
    resource: Resource

    def units(self, free: int) -> int | None:
        """How many units can be booked while `free` of the required resource are free; None: it sets no limit."""
        left = free - self.row.per_booking
        if left < 0:
            return 0
        return left // self.row.per_unit if self.row.per_unit else None

    def taken_by(self, quantity: int) -> int:
        return self.row.per_unit * quantity + self.row.per_booking


@dataclass(frozen=True)
class ResourceFacts:
    """A resource with its venue, its rules and what it requires."""

    resource: Resource
    venue: Venue
    stored_rules: tuple[BookingRule, ...]
    requirements: tuple[Requirement, ...]

    @property
    def key(self) -> ResourceKey:
        return ResourceKey(self.resource.organization_id, self.resource.id)

    @cached_property
    def zone(self) -> ZoneInfo:
        return civil.zone(self.venue.time_zone)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(registry.parse(rule.type, rule.parameters) for rule in self.stored_rules)


async def load_facts(session: ReadSession, keys: Sequence[ResourceKey]) -> dict[ResourceKey, ResourceFacts]:
    """The facts of these resources, in three statements however many they are; unknown keys are absent.

    Whether the asker may see a resource is the caller's to decide.
    """
    if not keys:
        return {}
    wanted = tuple_(Resource.organization_id, Resource.id).in_(keys)
    rows = await session.exec(
        select(Resource, Venue)
        .join(Venue, (Venue.organization_id == Resource.organization_id) & (Venue.id == Resource.venue_id))  # type: ignore[arg-type]
        .where(wanted)
    )
    found = {ResourceKey(resource.organization_id, resource.id): (resource, venue) for resource, venue in rows}
    rules = await _rules(session, keys)
    requirements = await _requirements(session, keys)
    return {
        key: ResourceFacts(resource, venue, tuple(rules[key]), tuple(requirements[key]))
        for key, (resource, venue) in found.items()
    }


async def _rules(session: ReadSession, keys: Sequence[ResourceKey]) -> dict[ResourceKey, list[BookingRule]]:
    found = await session.exec(
        select(BookingRule)
        .where(tuple_(BookingRule.organization_id, BookingRule.resource_id).in_(keys))
        .order_by(BookingRule.type)
    )
    rules: dict[ResourceKey, list[BookingRule]] = defaultdict(list)
    for rule in found:
        rules[ResourceKey(rule.organization_id, rule.resource_id)].append(rule)
    return rules


async def _requirements(session: ReadSession, keys: Sequence[ResourceKey]) -> dict[ResourceKey, list[Requirement]]:
    found = await session.exec(
        select(ResourceRequirement, Resource)
        .join(
            Resource,
            (Resource.organization_id == ResourceRequirement.organization_id)  # type: ignore[arg-type]
            & (Resource.id == ResourceRequirement.required_id),
        )
        .where(tuple_(ResourceRequirement.organization_id, ResourceRequirement.resource_id).in_(keys))
        .order_by(Resource.id)  # type: ignore[arg-type]
    )
    requirements: dict[ResourceKey, list[Requirement]] = defaultdict(list)
    for row, resource in found:
        requirements[ResourceKey(row.organization_id, row.resource_id)].append(Requirement(row, resource))
    return requirements
