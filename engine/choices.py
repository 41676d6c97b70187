"""What a resource chooses from: any k of these."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import col, or_, select

from models.database import WriteSession
from models.errors import InvalidInput, NotFound
from models.keys import ResourceKey
from models.resource import Resource, ResourceChoice, ResourceRequirement

CHOICES_MAX = 50


def check_choices(organization_id: uuid.UUID, wanted: Sequence[ResourceKey]) -> None:
    """What can be refused without a look at the database: too many, twice the same, another organization.

    Raises InvalidInput, and NotFound for a resource of another organization.
    """
    if len(wanted) > CHOICES_MAX:
        raise InvalidInput(f"At most {CHOICES_MAX} resources to choose from.", path=("input", "choices"))
    for position, member in enumerate(wanted):
        if member.organization_id != organization_id:
            raise _unknown(position)
        if member in wanted[:position]:
            raise InvalidInput("A resource is named once.", path=_path(position))


async def write_choices(session: WriteSession, resource: Resource, wanted: Sequence[ResourceKey]) -> None:
    """Store these members in place of those that the resource has. They count for later bookings only.

    The caller has locked the resource and all members, so that the depth of one holds whatever is written at the same
    time, has called `check_choices`, and has written the resource's requirements. Raises NotFound for a member that is
    not there; InvalidInput for one of another venue, for itself, for one that has requirements or members of its own or
    that the resource requires, and for any at all if another resource requires this one or chooses from it.
    """
    await _check_members(session, resource, [member.id for member in wanted])
    if wanted and await is_of_another(session, resource):
        message = "Another resource requires this one, or chooses from it: it can not choose itself."
        raise InvalidInput(message, path=("input", "choices"))
    await session.exec(
        delete(ResourceChoice).where(
            col(ResourceChoice.organization_id) == resource.organization_id,
            col(ResourceChoice.resource_id) == resource.id,
        )
    )
    session.add_all(
        ResourceChoice(organization_id=resource.organization_id, resource_id=resource.id, member_id=member.id)
        for member in wanted
    )
    await session.flush()


async def choosing(session: WriteSession, organization_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these resources that have members."""
    found = select(ResourceChoice.resource_id).where(
        ResourceChoice.organization_id == organization_id, col(ResourceChoice.resource_id).in_(ids)
    )
    return set(await session.exec(found))


async def members_of(session: WriteSession, key: ResourceKey) -> set[uuid.UUID]:
    """What this resource chooses from."""
    found = select(ResourceChoice.member_id).where(
        ResourceChoice.organization_id == key.organization_id, ResourceChoice.resource_id == key.id
    )
    return set(await session.exec(found))


async def is_of_another(session: WriteSession, resource: Resource) -> bool:
    """Whether another resource requires this one, or chooses from it: then it is a part, and has none itself."""
    required = await session.exec(
        select(ResourceRequirement.resource_id)
        .where(
            ResourceRequirement.organization_id == resource.organization_id,
            ResourceRequirement.required_id == resource.id,
        )
        .limit(1)
    )
    key = ResourceKey(resource.organization_id, resource.id)
    return required.first() is not None or bool(await chosen_from_by(session, key))


async def chosen_from_by(session: WriteSession, key: ResourceKey) -> set[uuid.UUID]:
    """The resources of which this one is a member."""
    found = select(ResourceChoice.resource_id).where(
        ResourceChoice.organization_id == key.organization_id, ResourceChoice.member_id == key.id
    )
    return set(await session.exec(found))


async def _check_members(session: WriteSession, resource: Resource, ids: Sequence[uuid.UUID]) -> None:
    rows = await session.exec(
        select(Resource.id, Resource.venue_id).where(
            Resource.organization_id == resource.organization_id, col(Resource.id).in_(ids)
        )
    )
    venues = dict(rows.all())
    requirements = (
        await session.exec(
            select(ResourceRequirement).where(
                ResourceRequirement.organization_id == resource.organization_id,
                or_(col(ResourceRequirement.resource_id).in_(ids), col(ResourceRequirement.resource_id) == resource.id),
            )
        )
    ).all()
    requiring = {each.resource_id for each in requirements} - {resource.id}
    required = {each.required_id for each in requirements if each.resource_id == resource.id}
    deeper = await choosing(session, resource.organization_id, ids)
    for position, id_ in enumerate(ids):
        if id_ not in venues:
            raise _unknown(position)
        if id_ == resource.id:
            raise InvalidInput("A resource can not choose from itself.", path=_path(position))
        if venues[id_] != resource.venue_id:
            raise InvalidInput("A resource can only choose from resources of its own venue.", path=_path(position))
        if id_ in requiring or id_ in deeper:
            message = "This resource has requirements or choices itself: it can not be chosen."
            raise InvalidInput(message, path=_path(position))
        if id_ in required:
            raise InvalidInput("What is required anyway can not be chosen from.", path=_path(position))


def _unknown(position: int) -> NotFound:
    return NotFound("There is no such resource.", path=_path(position))


def _path(position: int) -> tuple[str, ...]:
    return ("input", "choices", str(position))
