"""Writing an example's organization, venue, prices, taxes, policies and resources, as far as they are not there."""

import uuid
from collections.abc import Iterator

from sqlmodel import SQLModel

from models.database import WriteSession
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule
from models.resource import BookingRule, Resource, ResourceRequirement
from models.venue import Directory, DirectoryKind, Organization, Venue
from server.examples.kinds import NAMESPACE, Example, ExamplePlan, ExampleResource


async def write_catalog(session: WriteSession, example: Example) -> int:
    """Add the rows that are missing, and return how many resources were; what is there stays as people have made it.

    A resource is written with its rules, needs and rate plans, or not at all: of one that is there, staff may have
    taken them away.
    """
    if await session.get(Organization, example.id) is None:
        await _add(session, _organization(example))
    if await session.get(Venue, (example.id, example.venue_id)) is None:
        await _add(session, _venue(example))
    for row in (*_prices(example), *_taxes(example), *_policies(example)):
        if await session.get(type(row), (example.id, row.id)) is None:
            await _add(session, iter((row,)))
    added = 0
    for resource in example.resources:
        if await session.get(Resource, (example.id, example.resource_id(resource.slug))) is None:
            await _add(session, _resource(example, resource))
            added += 1
    return added


async def _add(session: WriteSession, rows: Iterator[SQLModel]) -> None:
    """One by one: rows point at rows before them, and the tables know no relationships to order them by."""
    for row in rows:
        session.add(row)
        await session.flush()


def _organization(example: Example) -> Iterator[SQLModel]:
    yield Organization(id=example.id, slug=example.slug, name=example.name)
    yield Directory(kind=DirectoryKind.ORGANIZATION, slug=example.slug, organization_id=example.id, is_published=True)


def _venue(example: Example) -> Iterator[SQLModel]:
    venue = example.venue
    yield Venue(
        organization_id=example.id,
        id=example.venue_id,
        slug=venue.slug,
        name=venue.name,
        description=venue.description,
        time_zone=venue.time_zone,
        currency=venue.currency,
        country=venue.country,
        check_in_time=venue.check_in_time,
        check_out_time=venue.check_out_time,
    )
    yield Directory(
        kind=DirectoryKind.VENUE,
        slug=venue.slug,
        organization_id=example.id,
        venue_id=example.venue_id,
        is_published=True,
    )


def _prices(example: Example) -> Iterator[RatePlan | PriceRule]:
    """The plans and rules of the venue."""
    for plan in example.plans:
        yield _plan(example, plan, None)
    for one in example.price_rules:
        yield PriceRule(
            organization_id=example.id,
            id=uuid.uuid5(NAMESPACE, f"{example.venue_id}/price/{one.rule.type}/{one.key}"),
            venue_id=example.venue_id,
            type=one.rule.type,
            name=one.name,
            parameters=one.rule.parameters(),
        )


def _plan(example: Example, plan: ExamplePlan, resource_id: uuid.UUID | None) -> RatePlan:
    """Of a resource, or of the venue."""
    return RatePlan(
        organization_id=example.id,
        id=uuid.uuid5(NAMESPACE, f"{resource_id or example.venue_id}/plan/{plan.code}"),
        resource_id=resource_id,
        venue_id=None if resource_id else example.venue_id,
        code=plan.code,
        name=plan.name,
        parameters=plan.plan.parameters(),
    )


def _taxes(example: Example) -> Iterator[TaxRule]:
    for one in example.taxes:
        yield TaxRule(
            organization_id=example.id,
            id=uuid.uuid5(NAMESPACE, f"{example.venue_id}/tax/{one.tax.code}/{one.valid_from}"),
            venue_id=example.venue_id,
            type=one.tax.type,
            name=one.name,
            parameters=one.tax.parameters(),
            valid_from=one.valid_from,
            valid_until=one.valid_until,
        )


def _policies(example: Example) -> Iterator[CancellationPolicy]:
    for one in example.policies:
        yield CancellationPolicy(
            organization_id=example.id,
            id=uuid.uuid5(NAMESPACE, f"{example.venue_id}/policy/{one.code}"),
            venue_id=example.venue_id,
            code=one.code,
            name=one.name,
            parameters=one.policy.parameters(),
        )


def _resource(example: Example, resource: ExampleResource) -> Iterator[SQLModel]:
    resource_id = example.resource_id(resource.slug)
    yield Resource(
        organization_id=example.id,
        id=resource_id,
        venue_id=example.venue_id,
        slug=resource.slug,
        name=resource.name,
        description=resource.description,
        availability_type=resource.availability_type,
        sharing=resource.sharing,
        capacity=resource.capacity,
    )
    for rule in resource.rules:
        yield BookingRule(
            organization_id=example.id,
            id=uuid.uuid5(NAMESPACE, f"{resource_id}/{rule.type}"),
            resource_id=resource_id,
            type=rule.type,
            parameters=rule.parameters(),
        )
    for plan in resource.plans:
        yield _plan(example, plan, resource_id)
    for need in resource.needs:
        yield ResourceRequirement(
            organization_id=example.id,
            resource_id=resource_id,
            required_id=example.resource_id(need.slug),
            per_unit=need.per_unit,
            per_booking=need.per_booking,
        )
