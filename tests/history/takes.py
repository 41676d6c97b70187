"""What a booking takes of which resource, worked out anew from its items and the requirements."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from tests.history.dump import Claim, Dump, Item, Requirement, Resource

OURSELVES = "(asking)"
"""Stands for the id of a booking that was refused, and so never had one."""

_Take = tuple[str, datetime, datetime, str | None]


def claims_of(items: Sequence[Item], dump: Dump) -> list[Claim]:
    """The claims of one booking with these items: of each resource itself, of all that it requires, of what was chosen.

    Items of one resource, interval and activity count as one booking of it.
    """
    booking_id = items[0].booking_id
    needs = _needs(dump.requirements)
    sharing = {resource.id: resource for resource in dump.resources}
    asked: Counter[_Take] = Counter()
    for item in items:
        asked[item.resource_id, item.starts_at, item.ends_at, item.activity] += item.quantity
    taken: Counter[_Take] = Counter()
    for (resource_id, starts_at, ends_at, activity), quantity in asked.items():
        own = sharing_key(sharing[resource_id], activity, booking_id)
        taken[resource_id, starts_at, ends_at, own] += quantity
        for need in needs.get(resource_id, ()):
            key = sharing_key(sharing[need.required_id], activity, booking_id)
            taken[need.required_id, starts_at, ends_at, key] += need.per_unit * quantity + need.per_booking
    for item in items:
        for member_id in item.chosen:
            key = sharing_key(sharing[member_id], item.activity, booking_id)
            taken[member_id, item.starts_at, item.ends_at, key] += 1
    return [
        Claim(booking_id, resource_id, starts_at, ends_at, quantity, key)
        for (resource_id, starts_at, ends_at, key), quantity in taken.items()
    ]


def claims_of_all(dump: Dump) -> dict[str, list[Claim]]:
    """The claims of each booking, whether it is live or has ended."""
    items: defaultdict[str, list[Item]] = defaultdict(list)
    for item in dump.items:
        items[item.booking_id].append(item)
    return {booking_id: claims_of(its, dump) for booking_id, its in items.items()}


def sharing_key(resource: Resource, activity: str | None, booking_id: str) -> str | None:
    """Only claims with one and the same key may be on a resource at an instant."""
    if resource.sharing == "SHARED":
        return None
    if resource.sharing == "SAME_ACTIVITY" and activity is not None:
        return activity
    return f"#{booking_id}"


def _needs(requirements: Iterable[Requirement]) -> Mapping[str, list[Requirement]]:
    needs: defaultdict[str, list[Requirement]] = defaultdict(list)
    for requirement in requirements:
        needs[requirement.resource_id].append(requirement)
    return needs
