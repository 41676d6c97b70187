"""Where worlds are made: a database that the model has for itself, whose clock stands until it is moved."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from models.base import Row
from models.database import Database, connect
from models.resource import AvailabilityType, Resource, ResourceChoice, ResourceRequirement, Sharing
from models.venue import Directory, DirectoryKind, Organization, Venue
from tests.models.ledger.model.asks import instant
from tests.models.ledger.model.things import Thing
from tests.models.ledger.model.world import World, seconds
from tests.support.clock import take_clock
from tests.support.factories import random_slug

POOL_SIZE = 1


@dataclass(frozen=True)
class Connections:
    """To one database that the model has for itself."""

    database: Database
    owner: asyncpg.Connection

    async def make(self, things: Mapping[str, Thing]) -> World:
        """A fresh organization with these resources, at the model's dawn; in one unit of work: it is made often."""
        organization = Organization(slug=random_slug("organization"), name="Blue Room")
        venue = Venue(
            organization_id=organization.id,
            slug=random_slug("venue"),
            name="Harbour House",
            time_zone="UTC",
            currency="EUR",
            country="PT",
            is_published=True,
        )
        resources = {name: _resource(venue, name, thing) for name, thing in things.items()}
        async with self.database.writing(organization.id) as session:
            public = [_public(organization), _public(venue)]
            for rows in ([organization], [venue], public, list(resources.values()), list(_links(things, resources))):
                session.add_all(rows)
                await session.flush()
        for rank, name in enumerate(sorted(resources, key=lambda name: resources[name].id)):
            things[name].rank = rank
        world = World(self.database, self.owner, resources)
        await world.move_clock(0)
        for name, version in (await world.stored()).versions.items():
            things[name].version = version  # what is required has made versions already
        return world


@asynccontextmanager
async def connections(database_url: str, owner_url: str) -> AsyncIterator[Connections]:
    """Connect, and take over the database's clock."""
    owner = await asyncpg.connect(owner_url)
    try:
        await take_clock(owner, instant(0))
        database = await connect(database_url, pool_size=POOL_SIZE)
        try:
            yield Connections(database, owner)
        finally:
            await database.close()
    finally:
        await owner.close()


def _public(row: Organization | Venue) -> Directory:
    """Its entry in the directory."""
    if isinstance(row, Organization):
        return Directory(kind=DirectoryKind.ORGANIZATION, slug=row.slug, organization_id=row.id, is_published=True)
    return Directory(
        kind=DirectoryKind.VENUE,
        slug=row.slug,
        organization_id=row.organization_id,
        venue_id=row.id,
        is_published=row.is_published,
    )


def _resource(venue: Venue, name: str, thing: Thing) -> Resource:
    return Resource(
        organization_id=venue.organization_id,
        venue_id=venue.id,
        slug=name,
        name=name,
        capacity=thing.base,
        sharing=Sharing(thing.sharing),
        availability_type=AvailabilityType.OPENING_HOURS,
        hold_seconds=seconds(thing.hold),
        hold_ceiling_seconds=seconds(thing.ceiling),
    )


def _links(things: Mapping[str, Thing], resources: Mapping[str, Resource]) -> Iterator[Row]:
    """What each requires, and chooses from."""
    for name, thing in things.items():
        of = {"organization_id": resources[name].organization_id, "resource_id": resources[name].id}
        for required, (per_unit, per_booking) in thing.requires.items():
            yield ResourceRequirement(
                **of, required_id=resources[required].id, per_unit=per_unit, per_booking=per_booking
            )
        for member in thing.chooses:
            yield ResourceChoice(**of, member_id=resources[member].id)
