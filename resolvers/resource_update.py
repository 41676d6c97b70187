"""resourceUpdate."""

from typing import cast

import strawberry

from engine import resources
from engine.schedules import Schedule
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.changes import changed
from resolvers.resource_inputs import (
    OpeningHoursInput,
    RequirementInput,
    SessionInput,
    choices_of,
    hours_of,
    requirements_of,
    sessions_of,
)
from schema.access import Access
from schema.context import Info
from schema.enums import Sharing
from schema.global_id import resource_key
from schema.resource_payload import ResourcePayload


@strawberry.input(
    description=(
        "What to change of a resource: what is left out stays, and null stays too unless it is said that it removes. "
        "Each field is refused with INVALID_INPUT as in ResourceCreateInput. What is booked already stays as it is. "
        "The availability type never changes; for capacity there is capacitySet."
    )
)
class ResourceUpdateInput:
    """Only what is to change."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    resource_id: strawberry.ID = strawberry.field(description="Which resource; NOT_FOUND if there is none.")
    slug: str | None = strawberry.field(default=strawberry.UNSET, description="As in ResourceCreateInput.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="As in ResourceCreateInput.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="Null removes it.")
    sharing: Sharing | None = strawberry.field(
        default=strawberry.UNSET,
        description="INVALID_INPUT while what is held or booked has not ended: it was admitted by the old one.",
    )
    hold_minutes: int | None = strawberry.field(
        default=strawberry.UNSET, description="As in ResourceCreateInput; for later holds."
    )
    hold_ceiling_minutes: int | None = strawberry.field(
        default=strawberry.UNSET, description="As in ResourceCreateInput; for later holds."
    )
    opening_hours: list[OpeningHoursInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All of them, in place of what was. Null removes them: always open."
    )
    start_grid_minutes: int | None = strawberry.field(
        default=strawberry.UNSET, description="Null removes it: bookings start at any time."
    )
    sessions: list[SessionInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All of them, in place of what was; START_TIME needs at least one."
    )
    requirements: list[RequirementInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All of them, in place of what was. Null removes them. INVALID_INPUT if another resource requires this one "
            "or chooses from it."
        ),
    )
    choices: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All of them, in place of what was; as in ResourceCreateInput. Null removes them. INVALID_INPUT if another "
            "resource requires this one or chooses from it. What is booked keeps what was chosen."
        ),
    )


@mutation(
    Access.MANAGER,
    description="Change a resource. Refused with INVALID_INPUT also if its new slug is taken in this venue.",
)
async def resource_update(info: Info, input: ResourceUpdateInput) -> ResourcePayload:
    """Once per key."""
    context = info.context
    request = resources.UpdateResource(
        key=input.idempotency_key,
        request_hash=input_hash("resourceUpdate", input),
        resource=resource_key(input.resource_id, ("input", "resourceId")),
        changes=_changes(input),
        schedule=_schedule(input),
    )
    key = await resources.update_resource(context.database, context.viewer, request)
    return await ResourcePayload.of(context, key)


def _changes(input: ResourceUpdateInput) -> resources.ResourceChanges:
    changes = cast(
        "resources.ResourceChanges",
        changed(
            input,
            replaced=("slug", "name", "sharing", "hold_minutes", "hold_ceiling_minutes"),
            removable=("description",),
        ),
    )
    if input.requirements is not strawberry.UNSET:
        changes["requirements"] = requirements_of(input.requirements)
    if input.choices is not strawberry.UNSET:
        changes["choices"] = choices_of(input.choices)
    return changes


def _schedule(input: ResourceUpdateInput) -> Schedule:
    schedule = Schedule()
    if input.opening_hours is not strawberry.UNSET:
        schedule["opening_hours"] = hours_of(input.opening_hours)
    if input.start_grid_minutes is not strawberry.UNSET:
        schedule["start_grid_minutes"] = input.start_grid_minutes
    if input.sessions is not strawberry.UNSET:
        schedule["sessions"] = sessions_of(input.sessions)
    return schedule
