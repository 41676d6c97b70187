"""What resourceCreate and resourceUpdate have in common: the parts of a schedule, requirements, choices."""

from collections.abc import Sequence
from datetime import time

import strawberry

from engine.requirements import RequirementRequest
from engine.schedules import Hours, Session
from models.keys import ResourceKey
from schema.global_id import resource_key


@strawberry.input(description="Open on one weekday, in the venue's civil time.")
class OpeningHoursInput:
    """From one time of the clocks to another."""

    weekday: int = strawberry.field(description="ISO 8601: 1 is Monday, 7 is Sunday; else INVALID_INPUT.")
    opens: time = strawberry.field(description="From this time on.")
    closes: time = strawberry.field(
        description=(
            "Until this time, not included. If it is not after `opens` it is a time of the next day: from 22:00 to "
            "02:00 is four hours, until 00:00 is until midnight, from 00:00 to 00:00 is day and night."
        )
    )


@strawberry.input(description="A session of every week, in the venue's civil time.")
class SessionInput:
    """When, and how long."""

    weekday: int = strawberry.field(description="ISO 8601: 1 is Monday, 7 is Sunday; else INVALID_INPUT.")
    starts: time = strawberry.field(description="When it starts.")
    duration_minutes: int = strawberry.field(description="1 minute to 7 days; else INVALID_INPUT.")


@strawberry.input(description="A booking of n units also takes perUnit × n + perBooking units of another resource.")
class RequirementInput:
    """How much of what."""

    resource_id: strawberry.ID = strawberry.field(
        description="A resource of the same venue that requires none itself; NOT_FOUND or INVALID_INPUT otherwise."
    )
    per_unit: int = strawberry.field(
        default=0, description="Units of it for each unit that is booked: 0 to 10,000; else INVALID_INPUT."
    )
    per_booking: int = strawberry.field(
        default=0, description="Units of it for the booking as a whole: 0 to 10,000; else INVALID_INPUT."
    )


def hours_of(weekly: Sequence[OpeningHoursInput] | None) -> tuple[Hours, ...] | None:
    """As the engine has them."""
    return None if weekly is None else tuple(Hours(h.weekday, h.opens, h.closes) for h in weekly)


def sessions_of(weekly: Sequence[SessionInput] | None) -> tuple[Session, ...] | None:
    """As the engine has them."""
    return None if weekly is None else tuple(Session(s.weekday, s.starts, s.duration_minutes) for s in weekly)


def requirements_of(requirements: Sequence[RequirementInput] | None) -> tuple[RequirementRequest, ...]:
    """As the engine has them; NotFound for what is no id of a resource."""
    return tuple(
        RequirementRequest(
            resource=resource_key(need.resource_id, ("input", "requirements", str(position), "resourceId")),
            per_unit=need.per_unit,
            per_booking=need.per_booking,
        )
        for position, need in enumerate(requirements or ())
    )


def choices_of(choices: Sequence[strawberry.ID] | None) -> tuple[ResourceKey, ...]:
    """As the engine has them; NotFound for what is no id of a resource."""
    return tuple(resource_key(text, ("input", "choices", str(n))) for n, text in enumerate(choices or ()))
