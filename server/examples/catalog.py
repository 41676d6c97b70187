"""Writing an example's organization, venue and resources, as far as they are not there."""

import uuid
from collections.abc import Iterator

from sqlmodel import SQLModel

from models.database import WriteSession
from models.resource import BookingRule, Resource, ResourceRequirement
from models.venue import Directory, DirectoryKind, Organization, Venue
from server.examples.kinds import NAMESPACE, Example, ExampleResource


async def write_catalog(session: WriteSession, example: Example) -> int:
    """Add the rows that are missing, and return how many resources were; what is there stays as people have made it.

    A resource is written with its rules and needs, or not at all: of one that is there, staff may have taken them away.
    """
    if await session.get(Organization, example.id) is None:
        await _add(session, _organization(example))
    if await session.get(Venue, (example.id, example.venue_id)) is None:
        await _add(session, _venue(example))
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
    for need in resource.needs:
        yield ResourceRequirement(
            organization_id=example.id,
            resource_id=resource_id,
            required_id=example.resource_id(need.slug),
            per_unit=need.per_unit,
            per_booking=need.per_booking,
        )
