"""What a booking is made of: what is booked, what that requires and what it chooses from, looked at together. Pure.

The same order of reasons, and the same arithmetic, as `ledger_refusal` (models/ledger/sql/40_admission.sql): what is
shown as bookable at a version is what the ledger admits at it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from engine.facts import Requirement, ResourceFacts
from engine.vacancies import Vacancies, may_join, status_of
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, TimelineView
from models.resource import Resource, Sharing

UNITS_MAX: Final = 2**31 - 1
"""No resource has more: the ledger counts in integers of PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What there is for parties that share by one key, from each of `starts` on until the next; all lists are as long.

    `units`: the most that can be booked if it is open. `in_use`: another activity goes on, which they may not join.
    Each of the `members` to choose from is a bit: of `full` while no unit of it is free for them, of `shut` while it is
    closed.
    """

    starts: list[datetime] = field(default_factory=list)
    capacity: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    in_use: list[bool] = field(default_factory=list)
    members: int = 0
    full: list[int] = field(default_factory=list)
    shut: list[int] = field(default_factory=list)

    def over(self, interval: Interval, claim: Interval) -> Vacancies:
        """What is left for a booking of the interval that takes the claim, both within what was read.

        Vacancies are capacity minus the peak of what is taken, never minus a sum; what is required limits them at its
        own fullest instant. Closed matters in the interval alone. Of members those count that are free over all of the
        claim (`ledger_choose`, 45_choices.sql).
        """
        there = self._touched(interval)
        taken = there if claim == interval else self._touched(claim)
        capacity, closed = min(self.capacity[there]), any(self.closed[there])
        units = min(self.units[taken])
        if self.members:
            gone = reduce(or_, self.full[taken]) | reduce(or_, self.shut[there])
            units = min(units, self.members - gone.bit_count())
        vacancies = 0 if closed else max(0, units)
        return Vacancies(capacity, vacancies, status_of(capacity, vacancies, closed), any(self.in_use[taken]))

    def _touched(self, interval: Interval) -> slice:
        first = bisect_right(self.starts, interval.starts_at) - 1
        return slice(first, bisect_left(self.starts, interval.ends_at, lo=first))


def supply_of(facts: ResourceFacts, views: Mapping[ResourceKey, TimelineView], shared_as: str | None) -> Supply:
    """What there is, by the views of `facts.needed`, all over one window, for parties that share by this key."""
    if facts.requirements or facts.choices:
        return _of_many(facts, views, shared_as)
    supply, sharing = Supply(), facts.resource.sharing
    for step in views[facts.key].steps:
        left = left_of(step, sharing, shared_as)
        supply.starts.append(step.starts_at)
        supply.capacity.append(step.capacity)
        supply.units.append(left.free)
        supply.closed.append(step.closed)
        supply.in_use.append(left.in_use)
    return supply


class Left(NamedTuple):
    """Of one resource during a step: the units that are free for a party, and whether it may not join who is there."""

    free: int
    in_use: bool


def left_of(step: Step, sharing: str, shared_as: str | None) -> Left:
    """What is left during the step for a party that shares by this key; where it may not join, nothing is."""
    if may_join(step, sharing, shared_as):
        return Left(step.capacity - step.taken, False)
    return Left(0, sharing == Sharing.SAME_ACTIVITY)


def _of_many(facts: ResourceFacts, views: Mapping[ResourceKey, TimelineView], shared_as: str | None) -> Supply:
    """All parts walked through together: a change of any begins a step. A bit of the masks stands for each part."""
    supply = Supply(members=len(facts.choices))
    units = [UNITS_MAX] * (1 + len(facts.requirements))
    capacity = closed = in_use = full = shut = 0
    for at, changes in _changes(facts, views):
        for part, step in changes:
            left = left_of(step, part.resource.sharing, shared_as)
            bit = 1 << part.number
            if part.is_member:
                full = full & ~bit | bit * (left.free < 1)
                shut = shut & ~bit | bit * step.closed
                continue
            units[part.number] = part.units(left.free)
            closed = closed & ~bit | bit * step.closed
            in_use = in_use & ~bit | bit * left.in_use
            capacity = step.capacity if part.number == 0 else capacity
        supply.starts.append(at)
        supply.capacity.append(capacity)
        supply.units.append(min(units))
        supply.closed.append(closed > 0)
        supply.in_use.append(in_use > 0)
        supply.full.append(full)
        supply.shut.append(shut)
    return supply


@dataclass(frozen=True, slots=True)
class _Part:
    """The booked resource, number 0; one that it requires, counted on from there; or one that it chooses from."""

    number: int
    resource: Resource
    requirement: Requirement | None = None
    is_member: bool = False

    def units(self, free: int) -> int:
        """How many can be booked while so many of it are free."""
        if self.requirement is None:
            return free
        units = self.requirement.units(free)
        return UNITS_MAX if units is None else units


def _changes(
    facts: ResourceFacts, views: Mapping[ResourceKey, TimelineView]
) -> Iterator[tuple[datetime, list[tuple[_Part, Step]]]]:
    """When any part changes, in order, with those that do; at first all."""
    parts = [_Part(0, facts.resource)]
    parts += [_Part(number, need.resource, need) for number, need in enumerate(facts.requirements, start=1)]
    parts += [_Part(number, member, is_member=True) for number, member in enumerate(facts.choices)]
    changes: dict[datetime, list[tuple[_Part, Step]]] = defaultdict(list)
    for part in parts:
        for step in views[ResourceKey(part.resource.organization_id, part.resource.id)].steps:
            changes[step.starts_at].append((part, step))
    return iter(sorted(changes.items()))
