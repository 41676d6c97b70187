"""Which resource binds, when less is left than was asked for: the one that is booked, or one that it requires. Pure."""

from collections.abc import Mapping

from engine.facts import ResourceFacts
from engine.supply import left_of
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import TimelineView
from models.resource import Resource


def binding(
    facts: ResourceFacts,
    views: Mapping[ResourceKey, TimelineView],
    code: str,
    quantity: int,
    interval: Interval,
    claim: Interval,
    shared_as: str | None,
) -> ResourceKey:
    """The resource for which a booking of so many units is refused with this code of the capacity's.

    Of several the one with the smallest id, as `ledger_refusal` tells it (models/ledger/sql/40_admission.sql). Where
    too few are left of what is chosen from, and of nothing else, that is the booked resource.
    """

    def refuses(resource: Resource, view: TimelineView, wanted: int) -> bool:
        if code == "CLOSED":
            return any(step.closed for step in view.over(interval))
        left = (left_of(step, resource.sharing, shared_as) for step in view.over(claim))
        return any(each.in_use if code == "ACTIVITY_CONFLICT" else each.free < wanted for each in left)

    parts = [(facts.resource, quantity)]
    parts += [(need.resource, need.taken_by(quantity)) for need in facts.requirements]
    for resource, wanted in sorted(parts, key=lambda part: part[0].id):
        key = ResourceKey(resource.organization_id, resource.id)
        if refuses(resource, views[key], wanted):
            return key
    return facts.key
