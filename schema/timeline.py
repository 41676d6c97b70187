"""The step function of what is free."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from engine.timeline import EffectiveStep
from schema.enums import AvailabilityStatus
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.resource import Resource


@strawberry.type(description="[startsAt, endsAt), in which nothing changes.")
class TimelineStep:
    """One step."""

    starts_at: datetime = strawberry.field(description="First instant.")
    ends_at: datetime = strawberry.field(description="First instant after it.")
    capacity: int = strawberry.field(description="Units there are.")
    vacancies: int = strawberry.field(description="Units left, after what the resource requires; 0 while closed.")
    status: AvailabilityStatus = strawberry.field(description="The same in one word.")
    activity: str | None = strawberry.field(
        description="What goes on there, where parties may join only the same activity (Sharing.SAME_ACTIVITY)."
    )

    @classmethod
    def all_of(cls, steps: Iterable[EffectiveStep]) -> "list[TimelineStep]":
        """The engine's steps, for clients."""
        return [
            cls(
                starts_at=step.starts_at,
                ends_at=step.ends_at,
                capacity=step.capacity,
                vacancies=step.vacancies,
                status=step.status,
                activity=step.activity,
            )
            for step in steps
        ]


@strawberry.type(description="How the capacity of a resource goes over a window, as of one version.")
class Timeline:
    """Steps that cover the window."""

    resource: Annotated["Resource", strawberry.lazy("schema.resource")] = strawberry.field(description="Whose it is.")
    version: Long = strawberry.field(description="The resource's version that this shows.")
    starts_at: datetime = strawberry.field(description="First instant of the window.")
    ends_at: datetime = strawberry.field(description="First instant after the window.")
    steps: list[TimelineStep] = strawberry.field(
        description="Sorted; they cover the window without gap or overlap, and neighbours differ."
    )
