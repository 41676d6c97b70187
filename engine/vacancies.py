"""How much is free: the effective step function of a resource, after what it requires. Pure.

The same order of reasons, and the same arithmetic, as `ledger_refusal` (models/ledger/sql/40_admission.sql): what is
shown as bookable at a version is what the ledger admits at it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from engine.facts import Requirement, ResourceFacts
from engine.rules.base import Refusal
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, TimelineView
from models.resource import Resource, Sharing

_SHOWN = attrgetter("capacity", "vacancies", "status", "activity", "in_use", "free")


class AvailabilityStatus(StrEnum):
    """LIMITED: less than half of capacity is left (as OCTO has it)."""

    AVAILABLE = "AVAILABLE"
    LIMITED = "LIMITED"
    SOLD_OUT = "SOLD_OUT"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class EffectiveStep:
    """What can be had of a resource over an interval in which nothing changes.

    `vacancies` are units of the resource that can be booked, after its requirements; 0 while closed. `activity` is
    what goes on there, where parties may join only the same activity. For a party that asks, `free` are the vacancies
    as if it were open: during buffers it need not be.
    """

    starts_at: datetime
    ends_at: datetime
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    activity: str | None
    in_use: bool = False
    free: int = 0


@dataclass(frozen=True)
class EffectiveTimeline:
    """Steps that cover the window, sorted, without gap or overlap; neighbours differ.

    `members`: those of the resources to choose from, if it has any. A step has no more vacancies than members that are
    free then; over several steps fewer may be free all the time.
    """

    version: int
    window: Interval
    steps: tuple[EffectiveStep, ...]
    members: tuple["EffectiveTimeline", ...] = ()

    @cached_property
    def _starts(self) -> list[datetime]:
        return [step.starts_at for step in self.steps]

    def over(self, interval: Interval) -> Iterator[EffectiveStep]:
        """The steps that the interval touches. It must lie in the window."""
        position = bisect_right(self._starts, interval.starts_at) - 1
        while position < len(self.steps) and self.steps[position].starts_at < interval.ends_at:
            yield self.steps[position]
            position += 1


@dataclass(frozen=True, slots=True)
class Vacancies:
    """What can be had over one whole interval: the scarcest of its steps."""

    capacity: int
    vacancies: int
    status: AvailabilityStatus
    in_use: bool

    def refusal(self, quantity: int) -> Refusal | None:
        """Why `quantity` units can not be had, the reason that is hardest to mend first; None if they can."""
        if self.status is AvailabilityStatus.CLOSED:
            return Refusal("CLOSED", "It is closed at some time of this interval.")
        if self.in_use:
            return Refusal("ACTIVITY_CONFLICT", "It is in use for another activity at some time of this interval.")
        if quantity > self.vacancies:
            left = "Sold out." if self.vacancies == 0 else f"Only {self.vacancies} left at some time of this interval."
            return Refusal("SOLD_OUT", left, parameters={"vacancies": self.vacancies})
        return None


def views_needed(facts: ResourceFacts) -> tuple[ResourceKey, ...]:
    """The timelines that decide over this resource: its own, then those of what it requires and chooses from."""
    others = (*(requirement.resource for requirement in facts.requirements), *facts.choices)
    return (facts.key, *(ResourceKey(other.organization_id, other.id) for other in others))


def effective_timeline(
    facts: ResourceFacts,
    views: Mapping[ResourceKey, TimelineView],
    window: Interval,
    *,
    activity: str | None = None,
    joining: bool = False,
) -> EffectiveTimeline:
    """The step function of what can be had, from the views of `views_needed`, each of which must cover the window.

    For somebody who has not said what they want (`joining` False), what another party's activity leaves is shown with
    that activity. With `joining`, a party of `activity` (None: of its own) asks: what it may not join is in use.
    """
    timeline = _timeline(facts.resource, facts.requirements, views, window, activity, joining)
    if not facts.choices:
        return timeline
    members = tuple(_timeline(member, (), views, window, activity, joining) for member in facts.choices)
    return _limited(timeline, members)


def vacancies_over(timeline: EffectiveTimeline, interval: Interval, claim: Interval | None = None) -> Vacancies:
    """The scarcest step decides: vacancies are capacity minus the peak of what is taken, never minus a sum.

    `claim` is what a booking of the interval takes, if that is longer; closed matters in the interval alone. Of members
    count those that are free over all of it (`ledger_choose`, 45_choices.sql).
    """
    steps = list(timeline.over(interval))
    taken = steps if claim is None or claim == interval else list(timeline.over(claim))
    capacity = min(step.capacity for step in steps)
    closed = any(step.status is AvailabilityStatus.CLOSED for step in steps)
    vacancies = 0 if closed else min(step.free for step in taken)
    if timeline.members:
        whole = (vacancies_over(member, interval, claim).refusal(1) is None for member in timeline.members)
        vacancies = min(vacancies, sum(whole))
    return Vacancies(capacity, vacancies, status_of(capacity, vacancies, closed), any(step.in_use for step in taken))


def status_of(capacity: int, vacancies: int, closed: bool) -> AvailabilityStatus:
    """The status that is shown for these numbers."""
    if closed:
        return AvailabilityStatus.CLOSED
    if vacancies <= 0:
        return AvailabilityStatus.SOLD_OUT
    return AvailabilityStatus.LIMITED if 2 * vacancies < capacity else AvailabilityStatus.AVAILABLE


def _timeline(
    resource: Resource,
    requirements: Sequence[Requirement],
    views: Mapping[ResourceKey, TimelineView],
    window: Interval,
    activity: str | None,
    joining: bool,
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
        step = _effective(requirements, cursors, current, at, ends_at, activity, joining)
        _append(steps, step)
        at = ends_at
    return EffectiveTimeline(found[0].version, window, tuple(steps))


def _limited(timeline: EffectiveTimeline, members: tuple[EffectiveTimeline, ...]) -> EffectiveTimeline:
    """The timeline with no more vacancies at any time than members are free then."""
    starts = sorted({step.starts_at for each in (timeline, *members) for step in each.steps})
    steps: list[EffectiveStep] = []
    for starts_at, ends_at in zip(starts, [*starts[1:], timeline.window.ends_at], strict=True):
        part = Interval(starts_at, ends_at)
        own, *others = (next(each.over(part)) for each in (timeline, *members))
        vacancies = min(own.vacancies, sum(step.vacancies > 0 for step in others))
        free = min(own.free, sum(step.free > 0 for step in others))
        status = status_of(own.capacity, vacancies, own.status is AvailabilityStatus.CLOSED)
        _append(
            steps,
            replace(own, starts_at=starts_at, ends_at=ends_at, vacancies=vacancies, free=free, status=status),
        )
    return EffectiveTimeline(timeline.version, timeline.window, tuple(steps), members)


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
    cursors: list[_Cursor],
    current: list[Step],
    starts_at: datetime,
    ends_at: datetime,
    activity: str | None,
    joining: bool,
) -> EffectiveStep:
    free = [
        free_of(step, cursor.sharing, activity, joining=joining) for step, cursor in zip(current, cursors, strict=True)
    ]
    vacancies = free[0]
    for requirement, left in zip(requirements, free[1:], strict=True):
        units = requirement.units(left)
        vacancies = vacancies if units is None else min(vacancies, units)
    closed = any(step.closed for step in current)
    in_use = joining and any(
        is_in_use(step, cursor.sharing, activity) for step, cursor in zip(current, cursors, strict=True)
    )
    own = current[0]
    shown = own.sharing_key if own.sharing_key and not own.sharing_key.startswith("#") else None
    if_open = max(0, vacancies)
    vacancies = 0 if closed else if_open
    status = status_of(own.capacity, vacancies, closed)
    # What is free while it is closed is shown to nobody.
    return EffectiveStep(
        starts_at, ends_at, own.capacity, vacancies, status, shown, in_use, if_open if joining else vacancies
    )


def free_of(step: Step, sharing: str, activity: str | None, *, joining: bool) -> int:
    """The units of the resource itself that are free during the step, for a party of this activity if one asks."""
    left = step.capacity - step.taken
    if joining or sharing == Sharing.EXCLUSIVE:
        return left if _may_join(step, sharing, activity) else 0
    return 0 if step.sharing_key is not None and step.sharing_key.startswith("#") else left


def is_in_use(step: Step, sharing: str, activity: str | None) -> bool:
    """Whether another activity goes on there, which a party of this one may not join."""
    return sharing == Sharing.SAME_ACTIVITY and not _may_join(step, sharing, activity)


def _may_join(step: Step, sharing: str, activity: str | None) -> bool:
    if step.taken == 0 or sharing == Sharing.SHARED:
        return True
    return sharing == Sharing.SAME_ACTIVITY and activity is not None and step.sharing_key == activity


def _append(steps: list[EffectiveStep], step: EffectiveStep) -> None:
    """Add the step; one that shows the same as the last makes that one longer."""
    if steps and _SHOWN(steps[-1]) == _SHOWN(step):
        step = replace(steps.pop(), ends_at=step.ends_at)
    steps.append(step)
