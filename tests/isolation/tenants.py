"""Two organizations of the same shape, with rows in every table: one asks, the other must not be seen or touched."""

import uuid
from dataclasses import dataclass, replace

import asyncpg

from models.base import new_id
from models.database import Database
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import Contact
from models.resource import BookingRule, Resource
from models.venue import Organization, Venue
from models.waitlist import WaitlistEntry
from tests.support.factories import (
    adjust_of,
    hold_of,
    key_of,
    make_booking,
    make_choices,
    make_entry,
    make_organization,
    make_requirement,
    make_resource,
    make_venue,
)
from tests.support.rules import put

RULES = {"START_GRID": {"minutes": 30}}
CATALOG = ("booking_rule", "directory", "organization", "resource", "resource_choice", "resource_requirement", "venue")
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
NOT_OF_AN_ORGANIZATION = "alembic_version"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization with a published venue and one that is not, resources, bookings and a change of capacity."""

    organization: Organization
    venue: Venue
    hall: Resource
    tour: Resource
    hidden_venue: Venue
    hidden: Resource
    booked: BookingRecord
    held: BookingRecord
    waiting: WaitlistEntry
    secrets: tuple[str, ...]
    rule: BookingRule

    @property
    def id(self) -> uuid.UUID:
        return self.organization.id

    @property
    def series_id(self) -> uuid.UUID:
        """Of the booking that is held."""
        assert self.held.booking.series_id is not None
        return self.held.booking.series_id


async def make_tenant(database: Database, name: str) -> Tenant:
    """Everything private carries the organization's name, so that it is known again wherever it turns up."""
    organization = await make_organization(database, name=name)
    venue = await make_venue(database, organization=organization, time_zone="UTC")
    hall = await make_resource(database, venue=venue, capacity=5, rules=RULES)
    tour = await make_resource(database, venue=venue, capacity=5, rules=RULES)
    await make_requirement(database, tour, hall, per_unit=1)
    any_room = await make_resource(database, venue=venue, capacity=1, rules=RULES)
    await make_choices(database, any_room, await make_resource(database, venue=venue, capacity=1, rules=RULES))
    hidden_venue = await make_venue(
        database, organization=organization, name=f"{name} hidden", is_published=False, time_zone="UTC"
    )
    hidden = await make_resource(database, venue=hidden_venue, name=f"{name} cellar", capacity=3, rules=RULES)
    other = await make_resource(database, venue=hidden_venue, name=f"{name} attic", rules=RULES)
    await make_requirement(database, other, hidden, per_unit=1)
    either = await make_resource(database, venue=hidden_venue, name=f"{name} either", rules=RULES)
    await make_choices(database, either, hidden)
    contact = Contact(name=f"{name} guest", email=f"{name}@example.com", phone="+213 000")
    booked = await make_booking(database, tour, contact=contact, customer_id="customer:ada")
    grid = await put(database, key_of(hidden), type="START_GRID", parameters={"minutes": 1}, priority=-1)
    series = replace(hold_of(hidden, contact=contact), series_id=new_id(), series_position=0)
    held = await calls.hold(database, series)
    waiting = await make_entry(database, tour, quantity=5, email=f"{name}@example.org")
    await calls.adjust(database, adjust_of(hall, "18:00", "20:00", capacity=4))
    secrets = (
        f"{name} ",
        f"{name}@",
        hidden_venue.slug,
        hidden.slug,
        *(record.booking.reference for record in (booked, held)),
    )
    return Tenant(organization, venue, hall, tour, hidden_venue, hidden, booked, held, waiting, secrets, grid.rule)


async def tables_of(owner: "asyncpg.Connection") -> list[str]:
    """Every table that has rows of organizations, as the database knows them."""
    rows = await owner.fetch(TABLES)
    return sorted(row["relname"] for row in rows if row["relname"] != NOT_OF_AN_ORGANIZATION)


def key_column(table: str) -> str:
    """The column that tells whose a row is."""
    return "id" if table == "organization" else "organization_id"


async def rows_of(owner: "asyncpg.Connection", tenant: Tenant) -> dict[str, list[str]]:
    """All rows of an organization, as the owner sees them."""
    return {
        table: [
            row[0]
            for row in await owner.fetch(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE {key_column(table)} = $1 ORDER BY 1", tenant.id
            )
        ]
        for table in await tables_of(owner)
    }
