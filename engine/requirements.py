"""What a booking of a resource also takes from other resources."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col, select

from engine.choices import choosing, is_of_another, members_of
from models.database import WriteSession
from models.errors import InvalidInput, NotFound
from models.keys import ResourceKey
from models.resource import Resource, ResourceRequirement

REQUIREMENTS_MAX = 50
AMOUNT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class RequirementRequest:
    """A booking also takes `per_unit × quantity + per_booking` of `resource`."""

    resource: ResourceKey
    per_unit: int = 0
    per_booking: int = 0


def check_requirements(organization_id: uuid.UUID, wanted: Sequence[RequirementRequest]) -> None:
    """What can be refused without a look at the database: too many, twice the same, no amount, another organization.

    Raises InvalidInput, and NotFound for a resource of another organization.
    """
    if len(wanted) > REQUIREMENTS_MAX:
        raise InvalidInput(f"At most {REQUIREMENTS_MAX} requirements.", path=("input", "requirements"))
    seen: set[ResourceKey] = set()
    for position, requirement in enumerate(wanted):
        if requirement.resource.organization_id != organization_id:
            raise _unknown(position)
        if requirement.resource in seen:
            raise InvalidInput("A resource is required once.", path=_path(position, "resourceId"))
        seen.add(requirement.resource)
        for field, amount in (("perUnit", requirement.per_unit), ("perBooking", requirement.per_booking)):
            if not 0 <= amount <= AMOUNT_MAX:
                raise InvalidInput(f"{field} must be from 0 to {AMOUNT_MAX:,}.", path=_path(position, field))
        if requirement.per_unit + requirement.per_booking == 0:
            raise InvalidInput("perUnit or perBooking must be at least 1.", path=_path(position, "perUnit"))


async def write_requirements(session: WriteSession, resource: Resource, wanted: Sequence[RequirementRequest]) -> None:
    """Store these requirements in place of those that the resource has. They count for later bookings only.

    The caller has locked the resource and all that it is to require, so that the depth of one holds whatever is
    written at the same time, and has called `check_requirements`. Raises NotFound for a resource that is not there, and
    InvalidInput for one of another venue, for itself, for one that has requirements or choices of its own or that the
    resource chooses from, and for any at all if the resource is itself required, or chosen from.
    """
    await _check_targets(session, resource, wanted)
    if wanted and await is_of_another(session, resource):
        message = "Another resource requires this one, or chooses from it: it can not have requirements itself."
        raise InvalidInput(message, path=("input", "requirements"))
    await session.exec(
        delete(ResourceRequirement).where(
            col(ResourceRequirement.organization_id) == resource.organization_id,
            col(ResourceRequirement.resource_id) == resource.id,
        )
    )
    session.add_all(
        ResourceRequirement(
            organization_id=resource.organization_id,
            resource_id=resource.id,
            required_id=requirement.resource.id,
            per_unit=requirement.per_unit,
            per_booking=requirement.per_booking,
        )
        for requirement in wanted
    )
    await session.flush()


async def _check_targets(session: WriteSession, resource: Resource, wanted: Sequence[RequirementRequest]) -> None:
    ids = [requirement.resource.id for requirement in wanted]
    rows = await session.exec(
        select(Resource.id, Resource.venue_id).where(
            Resource.organization_id == resource.organization_id, col(Resource.id).in_(ids)
        )
    )
    venues = dict(rows.all())
    requiring = set(
        await session.exec(
            select(ResourceRequirement.resource_id).where(
                ResourceRequirement.organization_id == resource.organization_id,
                col(ResourceRequirement.resource_id).in_(ids),
            )
        )
    )
    choosing_ids = await choosing(session, resource.organization_id, ids)
    members = await members_of(session, ResourceKey(resource.organization_id, resource.id))
    for position, id_ in enumerate(ids):
        path = _path(position, "resourceId")
        if id_ not in venues:
            raise _unknown(position)
        if id_ == resource.id:
            raise InvalidInput("A resource can not require itself.", path=path)
        if venues[id_] != resource.venue_id:
            raise InvalidInput("A resource can only require resources of its own venue.", path=path)
        if id_ in requiring or id_ in choosing_ids:
            message = "This resource has requirements or choices itself: it can not be required."
            raise InvalidInput(message, path=path)
        if id_ in members:
            raise InvalidInput("What is chosen from can not be required as well.", path=path)


def _unknown(position: int) -> NotFound:
    return NotFound("There is no such resource.", path=_path(position, "resourceId"))


def _path(position: int, field: str) -> tuple[str, ...]:
    return ("input", "requirements", str(position), field)
