"""Rows and requests for tests: each function has a default for everything that the test does not care about.

Rows go in through the application's role, as the code's own do. Times are UTC on a day far ahead; a request's key is
fresh unless it is given.
"""

import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from engine.availability import Wish
from engine.holds import new_reference
from engine.viewer import GUEST
from engine.waitlist import JoinRequest, join
from models.base import new_id
from models.database import Database
from models.interval import Interval
from models.keys import BookingKey, EntryKey, ResourceKey
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import (
    Adjust,
    BookingAction,
    CancelItem,
    ChangeBooking,
    Command,
    Contact,
    Hold,
    HoldItem,
    Rebook,
    hash_request,
)
from models.resource import AvailabilityType, BookingRule, Resource, ResourceChoice, ResourceRequirement, Sharing
from models.venue import Directory, DirectoryKind, Organization, Venue
from models.waitlist import WaitlistEntry

DAY = "2030-06-01"
ACTOR = "guest:1"
JOINED_AT = datetime(2030, 5, 31, 12, tzinfo=UTC)


def at(text: str, zone: str = "UTC") -> datetime:
    """The instant that the clocks of `zone` show as `text`: "2030-06-01 10:00", or "10:00" for that day."""
    civil = datetime.fromisoformat(f"{DAY} {text}" if len(text) <= len("10:00:00") else text)
    return civil.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def between(start: str, end: str, zone: str = "UTC") -> Interval:
    """[start, end), each as in `at`."""
    return Interval(at(start, zone), at(end, zone))


def random_slug(prefix: str) -> str:
    """A public name that no other row of the run has."""
    return f"{prefix}-{secrets.token_hex(4)}"


async def make_organization(database: Database, *, slug: str | None = None, name: str = "Blue Room") -> Organization:
    """A tenant, with its entry in the directory."""
    organization = Organization(slug=slug or random_slug("organization"), name=name)
    async with database.writing(organization.id) as session:
        session.add(organization)
        await session.flush()
        session.add(
            Directory(
                kind=DirectoryKind.ORGANIZATION,
                slug=organization.slug,
                organization_id=organization.id,
                is_published=True,
            )
        )
    return organization


async def make_venue(
    database: Database,
    *,
    organization: Organization | None = None,
    slug: str | None = None,
    name: str = "Harbour House",
    description: str | None = None,
    time_zone: str = "Africa/Algiers",
    currency: str = "DZD",
    country: str = "DZ",
    check_in_time: time | None = None,
    check_out_time: time | None = None,
    is_published: bool = True,
) -> Venue:
    """A venue, with its entry in the directory; of a fresh organization if none is given."""
    owner = organization or await make_organization(database)
    venue = Venue(
        organization_id=owner.id,
        slug=slug or random_slug("venue"),
        name=name,
        description=description,
        time_zone=time_zone,
        currency=currency,
        country=country,
        check_in_time=check_in_time,
        check_out_time=check_out_time,
        is_published=is_published,
    )
    async with database.writing(venue.organization_id) as session:
        session.add(venue)
        await session.flush()
        session.add(
            Directory(
                kind=DirectoryKind.VENUE,
                slug=venue.slug,
                organization_id=venue.organization_id,
                venue_id=venue.id,
                is_published=venue.is_published,
            )
        )
    return venue


async def make_resource(
    database: Database,
    *,
    venue: Venue | None = None,
    beside: Resource | None = None,
    slug: str | None = None,
    name: str = "Desk hall",
    description: str | None = None,
    capacity: int = 1,
    sharing: Sharing = Sharing.SHARED,
    availability_type: AvailabilityType = AvailabilityType.OPENING_HOURS,
    hold_seconds: int = 600,
    hold_ceiling_seconds: int = 1800,
    rules: Mapping[str, Mapping[str, Any]] | None = None,
) -> Resource:
    """A resource; `rules` maps the type of each rule to its parameters.

    It is of `venue`, or of the same venue as `beside`, or of a fresh one.
    """
    if beside is None:
        place = venue or await make_venue(database)
        organization_id, venue_id = place.organization_id, place.id
    else:
        organization_id, venue_id = beside.organization_id, beside.venue_id
    resource = Resource(
        organization_id=organization_id,
        venue_id=venue_id,
        slug=slug or random_slug("resource"),
        name=name,
        description=description,
        capacity=capacity,
        sharing=sharing,
        availability_type=availability_type,
        hold_seconds=hold_seconds,
        hold_ceiling_seconds=hold_ceiling_seconds,
    )
    async with database.writing(resource.organization_id) as session:
        session.add(resource)
        await session.flush()
        for kind, parameters in (rules or {}).items():
            session.add(
                BookingRule(
                    organization_id=resource.organization_id,
                    resource_id=resource.id,
                    type=kind,
                    parameters=dict(parameters),
                )
            )
    return resource


async def make_requirement(
    database: Database, resource: Resource, required: Resource, *, per_unit: int = 0, per_booking: int = 0
) -> ResourceRequirement:
    """From now on a booking of `resource` also takes of `required`."""
    requirement = ResourceRequirement(
        organization_id=resource.organization_id,
        resource_id=resource.id,
        required_id=required.id,
        per_unit=per_unit,
        per_booking=per_booking,
    )
    async with database.writing(requirement.organization_id) as session:
        session.add(requirement)
    return requirement


async def make_choices(database: Database, resource: Resource, *members: Resource) -> None:
    """From now on a booking of k units of `resource` also takes a unit of k of these."""
    async with database.writing(resource.organization_id) as session:
        session.add_all(
            ResourceChoice(organization_id=resource.organization_id, resource_id=resource.id, member_id=member.id)
            for member in members
        )


def key_of(resource: Resource) -> ResourceKey:
    """The resource's key."""
    return ResourceKey(resource.organization_id, resource.id)


def booking_key_of(record: BookingRecord) -> BookingKey:
    """The booking's key."""
    return BookingKey(record.booking.organization_id, record.booking.id)


def command_of(organization_id: uuid.UUID, *, key: str | None = None, actor: str = ACTOR, asks: object = "") -> Command:
    """Who asks, under which key; `asks` stands for the request: another one under the same key is a conflict."""
    return Command(organization_id, actor, key or secrets.token_hex(16), hash_request("test", {"asks": asks}))


def item_of(
    resource: Resource, start: str = "10:00", end: str = "12:00", *, quantity: int = 1, activity: str | None = None
) -> HoldItem:
    """One item of a hold."""
    return HoldItem(resource.id, between(start, end), quantity, activity)


def hold_of(
    resource: Resource,
    start: str = "10:00",
    end: str = "12:00",
    *,
    quantity: int = 1,
    activity: str | None = None,
    also: tuple[HoldItem, ...] = (),
    key: str | None = None,
    actor: str = ACTOR,
    asks: object = "",
    customer_id: str | None = None,
    contact: Contact | None = None,
    approval_seconds: int | None = None,
    expected: Mapping[uuid.UUID, int] | None = None,
) -> Hold:
    """A request to hold `resource`, and the items of `also` with it."""
    return Hold(
        command=command_of(resource.organization_id, key=key, actor=actor, asks=asks),
        booking_id=new_id(),
        reference=new_reference(),
        items=(item_of(resource, start, end, quantity=quantity, activity=activity), *also),
        customer_id=customer_id,
        contact=contact or Contact(name="Guest", email="guest@example.com", phone="+213 000 000"),
        approval_seconds=approval_seconds,
        expected=expected or {},
    )


def change_of(
    record: BookingRecord,
    action: BookingAction,
    *,
    key: str | None = None,
    actor: str = ACTOR,
    asks: object = "",
    reason: str | None = None,
    expected_version: int | None = None,
    until_start: bool = True,
) -> ChangeBooking:
    """A request to change a booking."""
    return ChangeBooking(
        command=command_of(record.booking.organization_id, key=key, actor=actor, asks=asks),
        booking_id=record.booking.id,
        action=action,
        reason=reason,
        expected_version=expected_version,
        until_start=until_start,
    )


def rebook_of(record: BookingRecord, *items: HoldItem, key: str | None = None, **more: Any) -> Rebook:
    """A request to make the booking be of these items."""
    command = command_of(record.booking.organization_id, key=key, asks=[str(item) for item in items])
    return Rebook(Hold(command, record.booking.id, record.booking.reference, items), **more)


def part_of(record: BookingRecord, quantity: int, *, position: int = 0, key: str | None = None) -> CancelItem:
    """A request to cancel so many units of an item."""
    command = command_of(record.booking.organization_id, key=key, asks=(position, quantity))
    return CancelItem(command, record.booking.id, position, quantity)


def adjust_of(
    resource: Resource,
    start: str | None = None,
    end: str | None = None,
    *,
    capacity: int | None = None,
    closed: bool | None = None,
    key: str | None = None,
    actor: str = "staff:1",
    asks: object = "",
    reason: str | None = None,
    expected_version: int | None = None,
) -> Adjust:
    """A request to change capacity, or to close or open; no start is from now, no end is from then on."""
    return Adjust(
        command=command_of(resource.organization_id, key=key, actor=actor, asks=asks),
        resource_id=resource.id,
        starts_at=None if start is None else at(start),
        ends_at=None if end is None else at(end),
        capacity=capacity,
        closed=closed,
        reason=reason,
        expected_version=expected_version,
    )


async def make_hold(
    database: Database, resource: Resource, start: str = "10:00", end: str = "12:00", **more: Any
) -> BookingRecord:
    """A booking ON_HOLD; `more` as in `hold_of`."""
    return await calls.hold(database, hold_of(resource, start, end, **more))


async def make_booking(
    database: Database, resource: Resource, start: str = "10:00", end: str = "12:00", **more: Any
) -> BookingRecord:
    """A booking that is CONFIRMED; `more` as in `hold_of`."""
    held = await make_hold(database, resource, start, end, **more)
    return await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))


async def make_pending(
    database: Database, resource: Resource, start: str = "10:00", end: str = "12:00", **more: Any
) -> BookingRecord:
    """A booking that is PENDING: confirmed by the guest, and not by the venue yet; `more` as in `hold_of`."""
    held = await make_hold(database, resource, start, end, **{"approval_seconds": 3_600} | more)
    return await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))


async def let_run_out(owner: "asyncpg.Connection", *records: BookingRecord) -> None:
    """Move the end of these bookings into the past, as if the time had gone by: no trigger runs, no version is made."""
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE booking SET hold_expires_at = clock_timestamp() - interval '1 second'"
            " WHERE status IN ('ON_HOLD', 'PENDING') AND id = ANY ($1)",
            [record.booking.id for record in records],
        )


def join_of(
    resource: Resource,
    start: str = "10:00",
    end: str = "12:00",
    *,
    quantity: int = 1,
    flexible: tuple[str, str] | None = None,
    key: str | None = None,
    asks: object = "",
    email: str | None = None,
) -> JoinRequest:
    """A request to wait for `resource`; of a party of its own unless an email address is given."""
    return JoinRequest(
        key=key or secrets.token_hex(16),
        request_hash=hash_request("join", {"asks": asks}),
        resource=key_of(resource),
        wish=Wish(window=between(start, end), quantity=quantity),
        flexible=None if flexible is None else between(*flexible),
        contact=Contact(name="Guest", email=email or f"{secrets.token_hex(8)}@example.com"),
    )


async def make_entry(
    database: Database, resource: Resource, start: str = "10:00", end: str = "12:00", **more: Any
) -> WaitlistEntry:
    """An entry of the waitlist; `more` as in `join_of`."""
    return await join(database, GUEST, join_of(resource, start, end, **more), now=JOINED_AT)


def entry_key_of(entry: WaitlistEntry) -> EntryKey:
    """The entry's key."""
    return EntryKey(entry.organization_id, entry.id)
