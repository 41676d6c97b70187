"""Creating and updating resources: managers, in their own organization. Capacity over time is `engine.capacity`."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from sqlalchemy import func
from sqlmodel import col, select

from engine import authority, fields
from engine.choices import check_choices, chosen_from_by, write_choices
from engine.idempotency import commit_once
from engine.requirements import RequirementRequest, check_requirements, write_requirements
from engine.schedules import Schedule, schedule_rules, write_schedule
from engine.viewer import Role, Viewer
from models.base import new_id
from models.database import Database, WriteSession
from models.errors import InvalidInput
from models.keys import ResourceKey, VenueKey
from models.ledger.locks import lock_resources
from models.ledger.requests import Command
from models.ledger.tables import Claim
from models.resource import AvailabilityType, Resource, ResourceRequirement, Sharing
from models.venue import Venue

CAPACITY_MAX = 1_000_000
HOLD_MINUTES_DEFAULT, HOLD_MINUTES_MAX = 10, 1_440
HOLD_CEILING_MINUTES_DEFAULT = 30


@dataclass(frozen=True, slots=True)
class CreateResource:
    """A resource of `venue`. Holds last `hold_minutes`, and can be extended to `hold_ceiling_minutes` in all.

    No ceiling: 30 minutes, or as long as a hold lasts if that is more.
    """

    key: str
    request_hash: bytes
    venue: VenueKey
    slug: str
    name: str
    availability_type: AvailabilityType
    capacity: int
    sharing: Sharing = Sharing.SHARED
    description: str | None = None
    hold_minutes: int = HOLD_MINUTES_DEFAULT
    hold_ceiling_minutes: int | None = None
    schedule: Schedule = field(default_factory=Schedule)
    requirements: tuple[RequirementRequest, ...] = ()
    choices: tuple[ResourceKey, ...] = ()


class ResourceChanges(TypedDict, total=False):
    """The fields to change; what is absent stays. `requirements` and `choices` are all that the resource is to have."""

    slug: str
    name: str
    description: str | None
    sharing: Sharing
    hold_minutes: int
    hold_ceiling_minutes: int
    requirements: tuple[RequirementRequest, ...]
    choices: tuple[ResourceKey, ...]


@dataclass(frozen=True, slots=True)
class UpdateResource:
    """Change some fields, and some parts of the schedule, of one resource."""

    key: str
    request_hash: bytes
    resource: ResourceKey
    changes: ResourceChanges
    schedule: Schedule = field(default_factory=Schedule)


async def create_resource(database: Database, viewer: Viewer, request: CreateResource) -> ResourceKey:
    """A new resource with its rules and requirements, and with a timeline; the same one for the same key.

    Raises Unauthenticated, Forbidden, NotFound (the venue, or a resource that is required or chosen from), InvalidInput
    (also for a slug that is taken in this venue), IdempotencyConflict, Busy. Locks the venue against changes, and the
    required resources and those chosen from.
    """
    organization_id = request.venue.organization_id
    authority.require(viewer, Role.MANAGER, organization_id, "venue", "venueId")
    ceiling = request.hold_ceiling_minutes
    if ceiling is None:
        ceiling = max(HOLD_CEILING_MINUTES_DEFAULT, request.hold_minutes)
    _check_new(request, ceiling)
    # A resource of START_TIME always says its sessions, if only to be refused without any.
    schedule = request.schedule
    if request.availability_type is AvailabilityType.START_TIME and "sessions" not in schedule:
        schedule = {**schedule, "sessions": None}
    rules = schedule_rules(request.availability_type, schedule)

    async def work(session: WriteSession) -> dict[str, Any]:
        venue = await session.get(Venue, request.venue, with_for_update={"read": True})
        if venue is None:
            raise authority.unknown("venue", "venueId")
        _check_nights(venue, request.availability_type)
        resource = Resource(
            organization_id=organization_id,
            id=new_id(),
            venue_id=venue.id,
            slug=request.slug,
            name=request.name,
            description=request.description,
            availability_type=request.availability_type,
            sharing=request.sharing,
            capacity=request.capacity,
            hold_seconds=request.hold_minutes * 60,
            hold_ceiling_seconds=ceiling * 60,
        )
        session.add(resource)
        await session.flush()
        await write_schedule(session, ResourceKey(organization_id, resource.id), rules, actor=viewer.actor)
        if request.requirements or request.choices:
            await lock_resources(session, organization_id, _ids(request.requirements, request.choices))
            await write_requirements(session, resource, request.requirements)
            await write_choices(session, resource, request.choices)
        return {"resource_id": str(resource.id)}

    command = Command(organization_id, viewer.actor, request.key, request.request_hash)
    result = await commit_once(database, command, work)
    return ResourceKey(organization_id, uuid.UUID(result["resource_id"]))


async def update_resource(database: Database, viewer: Viewer, request: UpdateResource) -> ResourceKey:
    """Change what is named, and nothing else; for later bookings, since those that are made keep what they took.

    Raises what `create_resource` raises; InvalidInput also for another `sharing` while something is booked. Locks the
    resource, and what it is to require and choose from, as admissions do: each of them sees the rules and requirements
    of before or of after, and none comes between the look at what is booked and the change of sharing.
    """
    organization_id, resource_id = request.resource
    authority.require(viewer, Role.MANAGER, organization_id, "resource", "resourceId")
    wanted, choices = request.changes.get("requirements"), request.changes.get("choices")
    _check_changes(request)

    async def work(session: WriteSession) -> dict[str, Any]:
        await _lock(session, request.resource, _ids(wanted or (), choices or ()))
        resource = await session.get(Resource, request.resource)
        if resource is None:
            raise authority.unknown("resource", "resourceId")
        rules = schedule_rules(AvailabilityType(resource.availability_type), request.schedule)
        await _check_sharing(session, resource, request.changes)
        _change(resource, request.changes)
        await session.flush()
        await write_schedule(session, request.resource, rules, actor=viewer.actor)
        if wanted is not None:
            await write_requirements(session, resource, wanted)
        if choices is not None:
            await write_choices(session, resource, choices)
        return {"resource_id": str(resource_id)}

    command = Command(organization_id, viewer.actor, request.key, request.request_hash)
    await commit_once(database, command, work)
    return request.resource


async def _lock(session: WriteSession, key: ResourceKey, wanted: Sequence[uuid.UUID]) -> None:
    """Lock the resource, what it is to require and choose from, and what does so of it: for these it decides too."""
    requiring = await session.exec(
        select(ResourceRequirement.resource_id).where(
            ResourceRequirement.organization_id == key.organization_id, ResourceRequirement.required_id == key.id
        )
    )
    choosing = await chosen_from_by(session, key)
    await lock_resources(session, key.organization_id, [key.id, *wanted, *requiring, *choosing])


def _check_new(request: CreateResource, ceiling_minutes: int) -> None:
    _check_texts({"slug": request.slug, "name": request.name, "description": request.description})
    fields.check_range("capacity", request.capacity, 0, CAPACITY_MAX)
    fields.check_range("holdMinutes", request.hold_minutes, 1, HOLD_MINUTES_MAX)
    fields.check_range("holdCeilingMinutes", ceiling_minutes, 1, HOLD_MINUTES_MAX)
    _check_ceiling(request.hold_minutes * 60, ceiling_minutes * 60)
    check_requirements(request.venue.organization_id, request.requirements)
    check_choices(request.venue.organization_id, request.choices)


def _check_changes(request: UpdateResource) -> None:
    changes = request.changes
    _check_texts(changes)
    if "hold_minutes" in changes:
        fields.check_range("holdMinutes", changes["hold_minutes"], 1, HOLD_MINUTES_MAX)
    if "hold_ceiling_minutes" in changes:
        fields.check_range("holdCeilingMinutes", changes["hold_ceiling_minutes"], 1, HOLD_MINUTES_MAX)
    check_requirements(request.resource.organization_id, changes.get("requirements", ()))
    check_choices(request.resource.organization_id, changes.get("choices", ()))


def _check_texts(values: Mapping[str, Any]) -> None:
    if "slug" in values:
        fields.check_slug(values["slug"])
    if "name" in values:
        fields.check_name(values["name"])
    fields.check_description(values.get("description"))


def _check_nights(venue: Venue, availability_type: AvailabilityType) -> None:
    has_times = venue.check_in_time is not None and venue.check_out_time is not None
    if availability_type is AvailabilityType.NIGHTLY and not has_times:
        message = "Nights need the venue's check-in and check-out times: set them first."
        raise InvalidInput(message, path=("input", "availabilityType"))


def _check_ceiling(hold_seconds: int, ceiling_seconds: int) -> None:
    if hold_seconds > ceiling_seconds:
        message = "holdCeilingMinutes must be at least holdMinutes."
        raise InvalidInput(message, path=("input", "holdCeilingMinutes"))


async def _check_sharing(session: WriteSession, resource: Resource, changes: ResourceChanges) -> None:
    if changes.get("sharing", resource.sharing) == resource.sharing:
        return
    taken = select(Claim.booking_id).where(
        Claim.organization_id == resource.organization_id,
        Claim.resource_id == resource.id,
        col(Claim.ends_at) > func.clock_timestamp(),
    )
    if (await session.exec(taken.limit(1))).first() is not None:
        raise InvalidInput(
            "Sharing can not change while bookings are to come: they were admitted by the sharing as it is.",
            path=("input", "sharing"),
        )


def _change(resource: Resource, changes: ResourceChanges) -> None:
    if "slug" in changes:
        resource.slug = changes["slug"]
    if "name" in changes:
        resource.name = changes["name"]
    if "description" in changes:
        resource.description = changes["description"]
    if "sharing" in changes:
        resource.sharing = changes["sharing"]
    if "hold_minutes" in changes:
        resource.hold_seconds = changes["hold_minutes"] * 60
    if "hold_ceiling_minutes" in changes:
        resource.hold_ceiling_seconds = changes["hold_ceiling_minutes"] * 60
    _check_ceiling(resource.hold_seconds, resource.hold_ceiling_seconds)


def _ids(requirements: Sequence[RequirementRequest], choices: Sequence[ResourceKey]) -> list[uuid.UUID]:
    return [*(requirement.resource.id for requirement in requirements), *(member.id for member in choices)]
