"""How capacity goes: the effective step function of a resource, after what it requires and chooses from. Pure.

It is for people to look at. Whether a certain booking can be had is told by `engine.vacancies`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from engine.facts import Requirement, ResourceFacts
from engine.vacancies import AvailabilityStatus, may_join, status_of
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, TimelineView
from models.resource import Resource, Sharing

_SHOWN = 2  # of a step, what comes after its times


class EffectiveStep(NamedTuple):
    """What can be had of a resource over an interval in which nothing changes.

    `vacancies` are units of the resource that can be booked, after its requirements; 0 while closed. `activity` is
    what goes on there, where parties may join only the same activity: they are what that activity leaves.
    """

    starts_at: datetime
    ends_at: datetime
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    activity: str | None


@dataclass(frozen=True, slots=True)
class EffectiveTimeline:
    """Steps that cover the window, sorted, without gap or overlap; neighbours differ.

    A step has no more vacancies than members that are free then; over several steps fewer may be free all the time.
    """

    version: int
    window: Interval
    steps: tuple[EffectiveStep, ...]


def effective_timeline(
    facts: ResourceFacts, views: Mapping[ResourceKey, TimelineView], window: Interval
) -> EffectiveTimeline:
    """The step function of what can be had, from the views of `facts.needed`, each of which must cover the window."""
    timeline = _timeline(facts.resource, facts.requirements, views, window)
    if not facts.choices:
        return timeline
    return _limited(timeline, [_timeline(member, (), views, window) for member in facts.choices])


def _timeline(
    resource: Resource,
    requirements: Sequence[Requirement],
    views: Mapping[ResourceKey, TimelineView],
    window: Interval,
) -> EffectiveTimeline:
    """The step function of the resource after its requirements, whatever it chooses from."""
    needed = (resource, *(need.resource for need in requirements))
    found = [views[ResourceKey(each.organization_id, each.id)] for each in needed]
    cursors = [_Cursor(view, each) for view, each in zip(found, needed, strict=True)]
    steps: list[EffectiveStep] = []
    at = window.starts_at
    while at < window.ends_at:
        current = [cursor.move(at) for cursor in cursors]
        ends_at = min(window.ends_at, *(step.ends_at for step in current))
        _append(steps, _effective(requirements, cursors, current, at, ends_at))
        at = ends_at
    return EffectiveTimeline(found[0].version, window, tuple(steps))


def _limited(timeline: EffectiveTimeline, members: Sequence[EffectiveTimeline]) -> EffectiveTimeline:
    """The timeline with no more vacancies at any time than members are free then."""
    changes = _free_members(members)
    starts = sorted({*changes, *(step.starts_at for step in timeline.steps)})
    steps: list[EffectiveStep] = []
    position = free = 0
    for starts_at, ends_at in zip(starts, [*starts[1:], timeline.window.ends_at], strict=True):
        free += changes.get(starts_at, 0)
        position += timeline.steps[position].ends_at <= starts_at
        own = timeline.steps[position]
        vacancies = min(own.vacancies, free)
        status = status_of(own.capacity, vacancies, own.status is AvailabilityStatus.CLOSED)
        _append(steps, own._replace(starts_at=starts_at, ends_at=ends_at, vacancies=vacancies, status=status))
    return EffectiveTimeline(timeline.version, timeline.window, tuple(steps))


def _free_members(members: Sequence[EffectiveTimeline]) -> dict[datetime, int]:
    """When members come to have a unit, or have none any more: how many more have one from then on."""
    changes: dict[datetime, int] = {}
    for member in members:
        was_free = False
        for step in member.steps:
            is_free = step.vacancies > 0
            if is_free != was_free:
                changes[step.starts_at] = changes.get(step.starts_at, 0) + is_free - was_free
                was_free = is_free
    return changes


class _Cursor:
    """Walks the steps of one view from left to right."""

    def __init__(self, view: TimelineView, resource: Resource) -> None:
        self.steps = view.steps
        self.sharing = resource.sharing
        self.position = 0

    def move(self, at: datetime) -> Step:
        while self.steps[self.position].ends_at <= at:
            self.position += 1
        return self.steps[self.position]


def _effective(
    requirements: Sequence[Requirement],
    cursors: Sequence[_Cursor],
    current: Sequence[Step],
    starts_at: datetime,
    ends_at: datetime,
) -> EffectiveStep:
    own = current[0]
    vacancies, closed = _left(own, cursors[0].sharing), own.closed
    for requirement, step, cursor in zip(requirements, current[1:], cursors[1:], strict=True):
        units = requirement.units(_left(step, cursor.sharing))
        vacancies = vacancies if units is None else min(vacancies, units)
        closed = closed or step.closed
    shown = own.sharing_key if own.sharing_key and not own.sharing_key.startswith("#") else None
    vacancies = 0 if closed else max(0, vacancies)
    return EffectiveStep(starts_at, ends_at, own.capacity, vacancies, status_of(own.capacity, vacancies, closed), shown)


def _left(step: Step, sharing: str) -> int:
    """What is left for whoever has not said what for: what an activity leaves, and nothing of a party's own."""
    if sharing == Sharing.EXCLUSIVE and not may_join(step, sharing, None):
        return 0
    is_alone = step.sharing_key is not None and step.sharing_key.startswith("#")
    return 0 if is_alone else step.capacity - step.taken


def _append(steps: list[EffectiveStep], step: EffectiveStep) -> None:
    """Add the step; one that shows the same as the last makes that one longer."""
    if steps and steps[-1][_SHOWN:] == step[_SHOWN:]:
        step = steps.pop()._replace(ends_at=step.ends_at)
    steps.append(step)
