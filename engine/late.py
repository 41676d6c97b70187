"""What rules ask of a booking that was paid when its hold had ended, before it is admitted once more.

Its guest was promised the places under the rules of then, so no rule has another say. But what rules count (how much a
customer may have, how many arrive at once, which nights are left) is counted again with what has been booked since.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.availability import hull, request_of, wish_of
from engine.bookings import customer_of
from engine.conditions import for_ledger, looked_at
from engine.facts import ResourceFacts, load_facts
from engine.holds import ItemRequest
from engine.reading import asked_item, rule_facts
from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger.records import BookingRecord, ItemSnapshot


async def conditions_of(database: Database, record: BookingRecord, *, now: datetime) -> dict[str, Any] | None:
    """The conditions of the booking's items, as the ledger wants them in `late`; None if rules have none."""
    facts = await _facts_of(database, record)
    requests = [
        (facts[key], request_of(wish_of(facts[key], item), Interval(item.starts_at, item.ends_at)))
        for item in record.items
        if (key := _key(item)) in facts
    ]
    asked = tuple(asked_item(found, request, found.rules.terms(request, found.zone)) for found, request in requests)
    conditions: list[dict[str, Any]] = []
    windows: list[Interval] = []
    for position, (found, request) in enumerate(requests):
        _, asks = found.rules.judge(request, rule_facts(found, now, customer_of(record.booking)))
        for index, condition in enumerate(asks):
            told = for_ledger(condition, asked)
            conditions.append({"item": position, "index": index, "kind": told.kind, "max": told.max, **told.arguments})
            if (seen := looked_at(condition)) is not None:
                windows.append(seen)
    if not conditions:
        return None
    if not windows:
        return {"conditions": conditions}
    looks = hull(windows)
    return {"conditions": conditions, "looks_from": looks.starts_at, "looks_to": looks.ends_at}


async def asked_again(database: Database, record: BookingRecord) -> list[ItemRequest]:
    """What the booking was of, as somebody would ask for it: so that alternatives can be told."""
    facts = await _facts_of(database, record)
    return [ItemRequest(key, wish_of(facts[key], item)) for item in record.items if (key := _key(item)) in facts]


async def _facts_of(database: Database, record: BookingRecord) -> Mapping[ResourceKey, ResourceFacts]:
    return await load_facts(database, list(dict.fromkeys(_key(item) for item in record.items)))


def _key(item: ItemSnapshot) -> ResourceKey:
    return ResourceKey(item.organization_id, item.resource_id)
