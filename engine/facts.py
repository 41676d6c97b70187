"""What the business knows of a resource before it looks at the clock or the timeline.

A process keeps it (`Database.catalog`) under the resource's catalog version, which the database raises with every
change of what is kept. So nothing is ever invalidated: it is compared when it is used.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import not_, or_, tuple_
from sqlmodel import col, select

from engine.cancellation.deciding import NO_POLICIES, PolicySet, policy_set
from engine.pricing.book import PriceBook
from engine.pricing.stored import price_book
from engine.rules import registry
from engine.rules.deciding import RuleSet, SetRule
from engine.rules.placed import placement
from engine.taxes.deciding import NO_TAXES, TaxSet
from engine.taxes.stored import tax_set
from models import civil
from models.database import Database, ReadSession
from models.keys import ResourceKey
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule
from models.queries.catalog import Versions, read_versions
from models.queries.rules import RuleScope
from models.resource import BookingRule, Resource, ResourceChoice, ResourceRequirement
from models.venue import Venue

Placed = TypeVar("Placed", BookingRule, RatePlan, PriceRule, TaxRule, CancellationPolicy)
"""What is set for a resource, or for its venue."""


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
    """A resource with its venue, the rules, prices, taxes and policies of both, what it requires and chooses from.

    All of it is as of one `catalog_version`.

    `version` is one that the resource had while these facts were true; `resource` may have been read before it.
    """

    resource: Resource
    venue: Venue
    stored_rules: tuple[BookingRule, ...]
    requirements: tuple[Requirement, ...]
    rules: RuleSet
    version: int
    choices: tuple[Resource, ...] = ()
    stored_plans: tuple[RatePlan, ...] = ()
    stored_price_rules: tuple[PriceRule, ...] = ()
    prices: PriceBook = field(default_factory=PriceBook)
    stored_taxes: tuple[TaxRule, ...] = ()
    stored_policies: tuple[CancellationPolicy, ...] = ()
    taxes: TaxSet = NO_TAXES
    policies: PolicySet = NO_POLICIES

    @cached_property
    def key(self) -> ResourceKey:
        return ResourceKey(self.resource.organization_id, self.resource.id)

    @property
    def catalog_version(self) -> int:
        return self.resource.catalog_version

    @cached_property
    def zone(self) -> ZoneInfo:
        return civil.zone(self.venue.time_zone)

    def is_in(self, scope: RuleScope) -> bool:
        """Whether what is of this scope has a say on the resource."""
        return self.key.organization_id == scope.organization_id and (
            self.key.id == scope.resource_id or self.venue.id == scope.venue_id
        )

    @property
    def needed(self) -> tuple[ResourceKey, ...]:
        """Whose timelines decide over this resource: its own, then those of what it requires and chooses from."""
        others = (*(requirement.resource for requirement in self.requirements), *self.choices)
        return (self.key, *(ResourceKey(other.organization_id, other.id) for other in others))


async def load_facts(database: Database, keys: Sequence[ResourceKey]) -> dict[ResourceKey, ResourceFacts]:
    """The facts of these resources as they are now; unknown keys are absent.

    One statement asks for their versions; eight more read those that are not kept, or no longer true, however many they
    are. Unknown keys are looked for like the others, so that they take as long. Whether the asker may see a resource is
    the caller's to decide: what is kept is for all, so it is read published or not.
    """
    return (await load_facts_with_versions(database, keys))[0]


async def facts_anew(database: Database, key: ResourceKey) -> ResourceFacts:
    """The facts of a resource that exists, as they are now."""
    return (await load_facts(database, [key]))[key]


async def load_facts_with_versions(
    database: Database, keys: Sequence[ResourceKey]
) -> tuple[dict[ResourceKey, ResourceFacts], dict[ResourceKey, Versions]]:
    """The same, and the versions of one instant of these resources and, where timelines are kept, of what they need.

    Of facts that are not kept yet it is not known what they need.
    """
    asked: dict[ResourceKey, None] = dict.fromkeys(keys)
    if database.timelines is not None:
        for key in keys:
            asked |= dict.fromkeys(database.catalog[key].needed if key in database.catalog else ())
    current = await read_versions(database, list(asked))
    facts: dict[ResourceKey, ResourceFacts] = {
        key: found
        for key in keys
        if (now := current.get(key)) is not None
        and (found := database.catalog.get(key)) is not None
        and found.catalog_version >= now.catalog
    }
    missing = [key for key in keys if key not in facts]
    if missing:
        organizations = {key.organization_id for key in missing}
        async with database.reading(catalogs=organizations, one_snapshot=True) as session:
            read = await _read(session, missing)
        database.catalog.update(read)
        facts |= read
    return {key: _seen(found, current.get(key)) for key, found in facts.items()}, current


def _seen(found: ResourceFacts, now: Versions | None) -> ResourceFacts:
    """With the version of now, if they were true then; what was read later has the version that it was read with."""
    is_true = now is not None and now.catalog == found.catalog_version
    return replace(found, version=now.timeline) if now is not None and is_true else found


async def known_facts(database: Database, keys: Sequence[ResourceKey]) -> dict[ResourceKey, ResourceFacts]:
    """The same without asking whether they still hold: for who decides by them and has that checked (`calls.hold`)."""
    kept: dict[ResourceKey, ResourceFacts] = {key: database.catalog[key] for key in keys if key in database.catalog}
    missing = [key for key in keys if key not in kept]
    if missing:
        # Whoever else wants to know of resources is answered with us: a process that has just begun meets many at once.
        ask = partial(database.catalog_reads.ask, "facts", work=partial(_load_each, database))
        read = await asyncio.gather(*(ask(key) for key in missing))
        kept |= {key: found for key, found in zip(missing, read, strict=True) if found is not None}
    return kept


async def _load_each(database: Database, keys: Sequence[ResourceKey]) -> list[ResourceFacts | None]:
    found = await load_facts(database, list(dict.fromkeys(keys)))
    return [found.get(key) for key in keys]


def rule_set(resource: Resource, rows: Sequence[BookingRule]) -> RuleSet:
    """These rules, as they decide over this resource."""
    return RuleSet(
        tuple(SetRule(rule=registry.stored(row.type, row.parameters), **placement(row)) for row in rows),
        resource.availability_type,
    )


async def _read(session: ReadSession, keys: Sequence[ResourceKey]) -> dict[ResourceKey, ResourceFacts]:
    rows = await session.exec(
        select(Resource, Venue)
        .join(Venue, (Venue.organization_id == Resource.organization_id) & (Venue.id == Resource.venue_id))  # type: ignore[arg-type]
        .where(tuple_(Resource.organization_id, Resource.id).in_(keys))
    )
    found = {ResourceKey(resource.organization_id, resource.id): (resource, venue) for resource, venue in rows}
    rules = await _set(session, BookingRule, BookingRule.type, found)
    plans = await _set(session, RatePlan, RatePlan.code, found)
    price_rules = await _set(session, PriceRule, PriceRule.type, found)
    taxes = await _set(session, TaxRule, TaxRule.type, found)
    policies = await _set(session, CancellationPolicy, CancellationPolicy.code, found)
    requirements = await _requirements(session, keys)
    choices = await _choices(session, keys)
    return {
        key: ResourceFacts(
            resource=resource,
            venue=venue,
            stored_rules=tuple(rules[key]),
            requirements=tuple(requirements[key]),
            rules=rule_set(resource, rules[key]),
            version=resource.version,
            choices=tuple(choices[key]),
            stored_plans=tuple(plans[key]),
            stored_price_rules=tuple(price_rules[key]),
            prices=price_book(resource, plans[key], price_rules[key]),
            stored_taxes=tuple(taxes[key]),
            stored_policies=tuple(policies[key]),
            taxes=tax_set(taxes[key]),
            policies=policy_set(policies[key]),
        )
        for key, (resource, venue) in found.items()
    }


async def _set(
    session: ReadSession, model: type[Placed], by: str, resources: Mapping[ResourceKey, tuple[Resource, Venue]]
) -> dict[ResourceKey, list[Placed]]:
    """Of each resource what is set for it and for its venue, ordered `by` this column and then by age."""
    venues = {(venue.organization_id, venue.id) for _, venue in resources.values()}
    found = (
        await session.exec(
            select(model)
            .where(
                or_(
                    tuple_(model.organization_id, model.resource_id).in_(resources),
                    tuple_(model.organization_id, model.venue_id).in_(venues),
                ),
                not_(col(model.is_removed)),
            )
            .order_by(col(by), col(model.id))
        )
    ).all()
    placed: dict[ResourceKey, list[Placed]] = defaultdict(list)
    for key, (resource, _) in resources.items():
        of_venue = (resource.organization_id, resource.venue_id)
        placed[key] = [
            row for row in found if row.resource_id == resource.id or (row.organization_id, row.venue_id) == of_venue
        ]
    return placed


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


async def _choices(session: ReadSession, keys: Sequence[ResourceKey]) -> dict[ResourceKey, list[Resource]]:
    """The members of each resource that has any, by id."""
    found = await session.exec(
        select(ResourceChoice, Resource)
        .join(
            Resource,
            (Resource.organization_id == ResourceChoice.organization_id)  # type: ignore[arg-type]
            & (Resource.id == ResourceChoice.member_id),
        )
        .where(tuple_(ResourceChoice.organization_id, ResourceChoice.resource_id).in_(keys))
        .order_by(Resource.id)  # type: ignore[arg-type]
    )
    choices: dict[ResourceKey, list[Resource]] = defaultdict(list)
    for row, member in found:
        choices[ResourceKey(row.organization_id, row.resource_id)].append(member)
    return choices
