"""Which resource binds, when less is left than was asked for: the one that is booked, or one that it requires. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from engine.facts import ResourceFacts
from engine.vacancies import free_of, is_in_use
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, TimelineView
from models.resource import Resource

_BEGINS = attrgetter("starts_at")


@dataclass(frozen=True, slots=True)
class Taking:
    """What a booking would take: `claim` with its buffers, in which the guest is there over `interval`.

    `shared_as`: by what its party shares with others.
    """

    interval: Interval
    claim: Interval
    quantity: int
    shared_as: str | None


def binding(facts: ResourceFacts, views: Mapping[ResourceKey, TimelineView], taking: Taking, code: str) -> ResourceKey:
    """The resource for which a booking of this is refused with this code of the capacity's.

    Of several the one with the smallest id, as `ledger_refusal` tells it (models/ledger/sql/40_admission.sql). Where
    too few are left of what is chosen from, and of nothing else, that is the booked resource.
    """
    parts = [(facts.resource, taking.quantity)]
    parts += [(need.resource, need.taken_by(taking.quantity)) for need in facts.requirements]
    for resource, quantity in sorted(parts, key=lambda part: part[0].id):
        key = ResourceKey(resource.organization_id, resource.id)
        if _refuses(resource, quantity, views[key], taking, code):
            return key
    return facts.key


def _refuses(resource: Resource, quantity: int, view: TimelineView, taking: Taking, code: str) -> bool:
    if code == "CLOSED":
        return any(step.closed for step in _over(view, taking.interval))
    if code == "ACTIVITY_CONFLICT":
        return any(is_in_use(step, resource.sharing, taking.shared_as) for step in _over(view, taking.claim))
    return any(
        free_of(step, resource.sharing, taking.shared_as, joining=True) < quantity for step in _over(view, taking.claim)
    )


def _over(view: TimelineView, interval: Interval) -> Iterator[Step]:
    position = bisect_right(view.steps, interval.starts_at, key=_BEGINS) - 1
    while position < len(view.steps) and view.steps[position].starts_at < interval.ends_at:
        yield view.steps[position]
        position += 1
