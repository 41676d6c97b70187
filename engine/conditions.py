"""Conditions, measured by who only looks: the same numbers as `ledger_measure` (models/ledger/sql/35_conditions.sql).

A number has two parts: what the request itself adds, all of its items together (`added`), and what is booked
(`stored`). The first is known before anything is asked, so the ledger is asked for the second alone (`for_ledger`).
"""

import uuid
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from engine.rules.base import Condition, ConditionKind, GuestCount, Refusal
from models.interval import Interval
from models.ledger.requests import HoldCondition
from models.queries.measures import Arrivals, CustomerItem
from models.queries.timelines import TimelineView

HUNDREDTHS = 100

Night = tuple[datetime, datetime]

_STARTS = attrgetter("starts_at")


@dataclass(frozen=True, slots=True)
class AskedItem:
    """One item of a request: when the guest is there, and what it takes."""

    resource_id: uuid.UUID
    venue_id: uuid.UUID
    interval: Interval
    claim: Interval
    quantity: int
    guests: tuple[GuestCount, ...] | None = None

    @property
    def people(self) -> int:
        """The guests that were told, else one for each unit."""
        return self.quantity if self.guests is None else sum(guest.count for guest in self.guests)


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of one resource, and of the customer who looks: all that its conditions are measured from.

    Arrivals are in order.
    """

    view: TimelineView
    arrivals: tuple[Arrivals, ...] = ()
    customer_items: tuple[CustomerItem, ...] = ()


def refusal_of(condition: Condition, items: Sequence[AskedItem], known: Known) -> Refusal | None:
    """Why the condition refuses a request of these items, or None."""
    measure = added(condition, items) + stored(condition, items, known)
    return condition.refuse(measure) if measure > condition.max else None


def for_ledger(condition: Condition, items: Sequence[AskedItem]) -> HoldCondition:
    """What the ledger is asked for a request of these items: its part of the number, and the most that it may be."""
    arguments = dict(condition.arguments)
    if condition.kind is ConditionKind.ORPHANS:
        arguments["taken"] = [
            {"starts_at": item.claim.starts_at, "ends_at": item.claim.ends_at, "quantity": item.quantity}
            for item in _of_resource(condition, items)
        ]
    return HoldCondition(condition.kind.value, arguments, condition.max - added(condition, items))


def looked_at(condition: Condition) -> Interval | None:
    """What the condition looks at of the resource's timeline and arrivals beside the request, if it does."""
    if condition.kind is ConditionKind.ARRIVALS:
        return _interval(condition.arguments)
    if condition.kind is ConditionKind.ORPHANS:
        nights = [night for side in condition.arguments["sides"] for night in (side["edge"], *side["nights"])]
        return Interval(min(night[0] for night in nights), max(night[1] for night in nights))
    return None


def added(condition: Condition, items: Sequence[AskedItem]) -> int:
    """What a request of these items adds to the number."""
    match condition.kind:
        case ConditionKind.CUSTOMER_ACTIVE:
            return sum(item.interval.ends_at > condition.arguments["after"] for item in _in_scope(condition, items))
        case ConditionKind.CUSTOMER_OVERLAP:
            at = _interval(condition.arguments)
            return sum(item.interval.overlaps(at) for item in _in_scope(condition, items))
        case ConditionKind.ARRIVALS:
            part = _interval(condition.arguments)
            return sum(
                item.people if condition.arguments["of_guests"] else item.quantity
                for item in _of_resource(condition, items)
                if part.starts_at <= item.interval.starts_at < part.ends_at
            )
        case ConditionKind.CAPACITY:
            at = _interval(condition.arguments)
            return HUNDREDTHS * sum(
                item.quantity for item in _of_resource(condition, items) if item.interval.overlaps(at)
            )
        case ConditionKind.ORPHANS:
            return 0


def stored(condition: Condition, items: Sequence[AskedItem], known: Known) -> int:
    """The part of the number that the ledger measures, for a request of these items."""
    arguments = condition.arguments
    match condition.kind:
        case ConditionKind.CUSTOMER_ACTIVE:
            return sum(
                item.interval.ends_at > arguments["after"] for item in _in_scope(condition, known.customer_items)
            )
        case ConditionKind.CUSTOMER_OVERLAP:
            at = _interval(arguments)
            return sum(item.interval.overlaps(at) for item in _in_scope(condition, known.customer_items))
        case ConditionKind.ARRIVALS:
            first = bisect_left(known.arrivals, arguments["starts_at"], key=_STARTS)
            end = bisect_left(known.arrivals, arguments["ends_at"], lo=first, key=_STARTS)
            return sum(each.guests if arguments["of_guests"] else each.quantity for each in known.arrivals[first:end])
        case ConditionKind.CAPACITY:
            at = _interval(arguments)
            return -int(arguments["percent"]) * min(step.capacity for step in known.view.over(at))
        case ConditionKind.ORPHANS:
            taken = list(_of_resource(condition, items))
            return sum(_leaves_orphans(known.view, taken, side["edge"], side["nights"]) for side in arguments["sides"])


def _leaves_orphans(view: TimelineView, taken: Sequence[AskedItem], edge: Night, nights: Sequence[Night]) -> bool:
    if _free_of_night(view, taken, edge) > 0:
        return False
    for left, night in enumerate(nights):
        if _free_of_night(view, taken, night) <= 0:
            return left > 0
    return False


def _free_of_night(view: TimelineView, taken: Sequence[AskedItem], night: Night) -> int:
    """What is left of the whole night after what the request takes; 0 where it is closed."""
    at = Interval(*night)
    more = [item for item in taken if item.claim.overlaps(at)]
    free = []
    for step in view.over(at):
        starts_at, ends_at = max(step.starts_at, at.starts_at), min(step.ends_at, at.ends_at)
        points = [starts_at, *(i.claim.starts_at for i in more if starts_at < i.claim.starts_at < ends_at)]
        most = max(sum(i.quantity for i in more if i.claim.starts_at <= point < i.claim.ends_at) for point in points)
        free.append(0 if step.closed else step.capacity - step.taken - most)
    return min(free)


def _interval(arguments: Mapping[str, Any]) -> Interval:
    return Interval(arguments["starts_at"], arguments["ends_at"])


def _in_scope(
    condition: Condition, items: Sequence[AskedItem] | Sequence[CustomerItem]
) -> Sequence[AskedItem | CustomerItem]:
    resource_id, venue_id = condition.arguments.get("resource_id"), condition.arguments.get("venue_id")
    if resource_id is None and venue_id is None:
        return items
    return [item for item in items if resource_id in (None, item.resource_id) and venue_id in (None, item.venue_id)]


def _of_resource(condition: Condition, items: Iterable[AskedItem]) -> Iterable[AskedItem]:
    return (item for item in items if item.resource_id == condition.arguments["resource_id"])
