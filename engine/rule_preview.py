"""What a change of a rule would do: who decides, what a guest would be answered, which bookings would not fit any more.

Nothing here writes. No rule ever ends a booking: what breaks a rule stays as it was admitted.
"""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID

from engine.availability import Wish, availability, request_of, wish_of
from engine.counts import Counts
from engine.current import while_current
from engine.facts import ResourceFacts, facts_anew, load_facts
from engine.reading import TimelineLoader
from engine.rule_changes import RuleChange, facts_after, facts_before
from engine.rules.base import Refusal, RuleFacts
from models import civil
from models.booking import BookingItem
from models.database import Database
from models.errors import InvalidInput, NotFound
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.rules import ItemToCome, read_items_to_come, read_touched
from models.resource import BookingRule

RESOURCES_MAX = 100
"""Of a venue, by slug, of which it is told which rules decide."""

ITEMS_MAX = 2_000
"""Of bookings to come, the next ones, that are compared with a rule."""

REFERENCES_MAX = 20
_ITEMS_PER_TURN = 100  # some milliseconds, after which other requests of the process get a turn


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a dry run: who decides on a day (None: today, at the venue), and one request as a sample."""

    day: date | None = None
    resource: ResourceKey | None = None
    wish: Wish | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The stored rules that decide over what begins on a day at one resource, before the change and after."""

    facts: ResourceFacts
    before: tuple[BookingRule, ...]
    after: tuple[BookingRule, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Every reason why a request can not be booked now, before the change and after; none: it can be."""

    facts: ResourceFacts
    before: tuple[Refusal, ...]
    after: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Of `resource_count` resources at most `RESOURCES_MAX` have a decision, as of `day`."""

    day: date
    resource_count: int
    decisions: tuple[Decision, ...]
    sample: Sample | None


@dataclass(frozen=True, slots=True)
class Breaks:
    """How many bookings to come break the changed rule, and the references of the first of them.

    Only the next `ITEMS_MAX` items are looked at; `is_complete` says whether these are all.
    """

    count: int
    references: tuple[str, ...]
    is_complete: bool


async def preview(
    database: Database, change: RuleChange, question: Question, *, load: TimelineLoader, now: datetime
) -> Preview:
    """What the change would do.

    Raises NotFound for a sample of a resource that is not in the change's scope, and what `availability` raises for one
    that makes no sense, with the path of the input's `sample`.
    """
    organization_id = change.scope.organization_id
    async with database.reading(organization_id) as session:
        touched = await read_touched(session, change.scope, limit=RESOURCES_MAX)
    day = question.day or civil.local_day(now, civil.zone(touched.venue.time_zone))
    keys = [ResourceKey(organization_id, id_) for id_ in touched.resource_ids]
    facts = await load_facts(database, keys)
    return Preview(
        day=day,
        resource_count=touched.count,
        decisions=tuple(_decision(facts[key], change, day) for key in keys if key in facts),
        sample=await _sample(database, change, question, load, now),
    )


async def breaks(database: Database, change: RuleChange, *, now: datetime) -> Breaks:
    """The live bookings that begin after `now` and that a rule refuses which decides because of this change.

    Each item is judged as if it was asked for when it was booked: that its notice has gone by since breaks no rule. A
    rule that decided over it before in the same words is not asked, whether the item keeps it or not. What depends on
    other bookings is not judged.
    """
    async with database.reading(change.scope.organization_id) as session:
        found = await read_items_to_come(session, change.scope, now=now, limit=ITEMS_MAX + 1)
    items = found[:ITEMS_MAX]
    facts = await load_facts(database, list(dict.fromkeys(_resource_of(one.item) for one in items)))
    pairs = {key: (facts_before(one, change), facts_after(one, change)) for key, one in facts.items()}
    broken: dict[UUID, str] = {}
    for position, one in enumerate(items):
        if position % _ITEMS_PER_TURN == _ITEMS_PER_TURN - 1:
            await asyncio.sleep(0)
        if one.item.booking_id not in broken and _breaks(*pairs[_resource_of(one.item)], one):
            broken[one.item.booking_id] = one.reference
    return Breaks(len(broken), tuple(broken.values())[:REFERENCES_MAX], is_complete=len(found) <= ITEMS_MAX)


def _decision(facts: ResourceFacts, change: RuleChange, day: date) -> Decision:
    return Decision(facts, _deciding(facts_before(facts, change), day), _deciding(facts_after(facts, change), day))


def _deciding(facts: ResourceFacts, day: date) -> tuple[BookingRule, ...]:
    by_age = {row.id.int: row for row in facts.stored_rules}
    return tuple(by_age[found.age] for found in facts.rules.deciding_on(day))


async def _sample(
    database: Database, change: RuleChange, question: Question, load: TimelineLoader, now: datetime
) -> Sample | None:
    if question.resource is None or question.wish is None:
        return None
    path = ("input", "sample")
    facts = (await load_facts(database, [question.resource])).get(question.resource)
    if facts is None or not facts.is_in(change.scope):
        raise NotFound("The rule has no say on such a resource.", path=(*path, "resourceId"))
    ask = partial(availability, wish=question.wish, load=load, counts=Counts(database), now=now)

    async def look(facts: ResourceFacts) -> Sample:
        before, after = await ask(facts_before(facts, change)), await ask(facts_after(facts, change))
        return Sample(facts, before.refusals, after.refusals)

    try:
        return await while_current(facts, look, partial(facts_anew, database))
    except InvalidInput as error:
        error.path = (*path, *error.path)
        raise


def _breaks(before: ResourceFacts, after: ResourceFacts, one: ItemToCome) -> bool:
    request = request_of(wish_of(after, one.item), Interval(one.item.starts_at, one.item.ends_at))
    known = RuleFacts(after.zone, one.booked_at, after.resource.availability_type)
    decided = before.rules.for_request(request, after.zone)
    return any(
        rule.evaluate(request, known) is not None
        for rule in after.rules.for_request(request, after.zone)
        if rule not in decided
    )


def _resource_of(item: BookingItem) -> ResourceKey:
    return ResourceKey(item.organization_id, item.resource_id)
