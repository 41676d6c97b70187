"""Creating and updating venues: managers, in their own organization."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import time
from typing import Any, TypedDict

from sqlalchemy import update
from sqlmodel import col, select

from engine import authority, fields
from engine.idempotency import commit_once
from engine.viewer import Role, Viewer
from models import civil
from models.base import new_id
from models.database import Database, WriteSession
from models.errors import InvalidInput
from models.keys import VenueKey
from models.ledger.requests import Command
from models.resource import AvailabilityType, Resource
from models.venue import Directory, DirectoryKind, Organization, Venue


@dataclass(frozen=True, slots=True)
class VenueFields:
    """What a venue says of itself. Civil times are read in `time_zone`; check-in and check-out are for nights."""

    slug: str
    name: str
    time_zone: str
    currency: str
    country: str
    description: str | None = None
    check_in_time: time | None = None
    check_out_time: time | None = None
    is_published: bool = True


class VenueChanges(TypedDict, total=False):
    """The fields to change; what is absent stays."""

    slug: str
    name: str
    time_zone: str
    currency: str
    country: str
    description: str | None
    check_in_time: time | None
    check_out_time: time | None
    is_published: bool


@dataclass(frozen=True, slots=True)
class CreateVenue:
    """`organization_id` None: the viewer's own."""

    key: str
    request_hash: bytes
    fields: VenueFields
    organization_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class UpdateVenue:
    """Change some fields of one venue."""

    key: str
    request_hash: bytes
    venue: VenueKey
    changes: VenueChanges


async def create_venue(database: Database, viewer: Viewer, request: CreateVenue) -> VenueKey:
    """A new venue under a slug that no venue of any organization has; the same one for the same key.

    Raises Unauthenticated, Forbidden, NotFound (another organization), InvalidInput (also for a slug that is taken),
    IdempotencyConflict, Busy.
    """
    organization_id = _organization(viewer, request.organization_id)
    _check(asdict(request.fields))

    async def work(session: WriteSession) -> dict[str, Any]:
        if await session.get(Organization, organization_id) is None:
            raise authority.unknown("organization", "organizationId")
        venue = Venue(organization_id=organization_id, id=new_id(), **asdict(request.fields))
        session.add(venue)
        await session.flush()
        session.add(
            Directory(
                kind=DirectoryKind.VENUE,
                slug=venue.slug,
                organization_id=organization_id,
                venue_id=venue.id,
                is_published=venue.is_published,
            )
        )
        return {"venue_id": str(venue.id)}

    command = Command(organization_id, viewer.actor, request.key, request.request_hash)
    result = await commit_once(database, command, work)
    return VenueKey(organization_id, uuid.UUID(result["venue_id"]))


async def update_venue(database: Database, viewer: Viewer, request: UpdateVenue) -> VenueKey:
    """Change what is named, and nothing else.

    Raises what `create_venue` raises; InvalidInput also where resources depend on what would change: the time zone of
    a venue that has any, and the check-in and check-out times of one with nights. Locks the venue, so that no resource
    is made in it meanwhile.
    """
    organization_id, venue_id = request.venue
    authority.require(viewer, Role.MANAGER, organization_id, "venue", "venueId")
    _check(request.changes)

    async def work(session: WriteSession) -> dict[str, Any]:
        venue = await session.get(Venue, request.venue, with_for_update={"key_share": True})
        if venue is None:
            raise authority.unknown("venue", "venueId")
        await _check_dependents(session, venue, request.changes)
        for name, value in request.changes.items():
            setattr(venue, name, value)
        await session.flush()
        await session.exec(
            update(Directory)
            .where(col(Directory.organization_id) == organization_id, col(Directory.venue_id) == venue_id)
            .values(slug=venue.slug, is_published=venue.is_published)
        )
        return {"venue_id": str(venue_id)}

    command = Command(organization_id, viewer.actor, request.key, request.request_hash)
    await commit_once(database, command, work)
    return request.venue


def _organization(viewer: Viewer, named: uuid.UUID | None) -> uuid.UUID:
    authority.require_role(viewer, Role.MANAGER)
    organization_id = named or viewer.organization_id
    if organization_id is None:
        message = "Say in which organization: an operator has none of their own."
        raise InvalidInput(message, path=("input", "organizationId"))
    authority.require(viewer, Role.MANAGER, organization_id, "organization", "organizationId")
    return organization_id


async def _check_dependents(session: WriteSession, venue: Venue, changes: VenueChanges) -> None:
    moves = changes.get("time_zone", venue.time_zone) != venue.time_zone
    if moves and await _has_resources(session, venue):
        raise InvalidInput(
            "The time zone of a venue with resources can not change: their hours and stays are read in it.",
            path=("input", "timeZone"),
        )
    for name, field in (("check_in_time", "checkInTime"), ("check_out_time", "checkOutTime")):
        goes = name in changes and changes.get(name) is None
        if goes and await _has_resources(session, venue, AvailabilityType.NIGHTLY):
            raise InvalidInput(f"A venue with resources by the night needs its {field}.", path=("input", field))


async def _has_resources(session: WriteSession, venue: Venue, kind: AvailabilityType | None = None) -> bool:
    found = select(Resource.id).where(Resource.organization_id == venue.organization_id, Resource.venue_id == venue.id)
    if kind is not None:
        found = found.where(Resource.availability_type == kind)
    return (await session.exec(found.limit(1))).first() is not None


_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "slug": fields.check_slug,
    "name": fields.check_name,
    "description": fields.check_description,
    "time_zone": lambda name: civil.zone(name, path=("input", "timeZone")),
    "currency": fields.check_currency,
    "country": fields.check_country,
}


def _check(values: Mapping[str, object]) -> None:
    for name, value in values.items():
        if name in _CHECKS:
            _CHECKS[name](value)
