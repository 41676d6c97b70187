"""Refusing at sight: what is plainly sold out is not asked of the ledger.

A refusal must be explained by what was so between the question and its answer, and a repetition of what was done must
get the first answer. What a process keeps tells neither. So it only raises the suspicion; then PostgreSQL is asked, for
many suspects at once, for what takes it least (`models.ledger.sight`): whether the timelines are still those, and
whether the key is new. If so they refuse, as the ledger would; in any other case the ledger decides. Nothing is ever
admitted here.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from engine.facts import ResourceFacts
from models.blocks import blocks_of, view_of
from models.database import Database
from models.errors import BookingError, SoldOut
from models.interval import Interval
from models.kept_timelines import KeptTimelines
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.failures import TOO_SLOW, TRY_AGAIN
from models.ledger.records import BookingRecord
from models.ledger.requests import Hold, HoldItem
from models.ledger.sight import look
from models.queries.kept import read_kept_timelines
from models.queries.timelines import TimelineView
from models.resource import Resource, Sharing

NO_ANSWER: Final[tuple[type[BaseException], ...]] = (BookingError, *TRY_AGAIN, *TOO_SLOW)
"""Of the look alone: the ledger's call has its own patience."""

OWN: Final = "#"
"""Stands for the sharing key of a party by itself, which nobody has yet: a stored one goes on with a booking's id."""


async def hold_unless_sold_out(database: Database, request: Hold) -> BookingRecord:
    """As `calls.hold`; SoldOut also where that is known without it. What it refuses so is kept for the next."""
    facts = _plain_facts(database, request)
    if facts is not None:
        refusal = await _sold_out_now(database, request, facts)
        if refusal is not None:
            raise refusal
    try:
        return await calls.hold(database, request)
    except SoldOut:
        if facts is not None:
            await _learn(database, request, facts)
        raise


def sold_out(facts: ResourceFacts, item: HoldItem, views: Mapping[ResourceKey, TimelineView]) -> BookingError | None:
    """What `ledger_refusal` (models/ledger/sql/40_admission.sql) says to the item alone, if that is SOLD_OUT.

    None where it fits, and where something harder to mend is in the way. The views are those of
    `facts.needed`, over what the item takes.
    """
    refused = []
    for resource, quantity in _takes(facts, item):
        key = _sharing_key(resource, item)
        free = []
        for step in views[ResourceKey(resource.organization_id, resource.id)].steps:
            # Closed matters while the guest is there, and not in buffers.
            is_there = Interval(step.starts_at, step.ends_at).overlaps(item.interval)
            in_use = step.taken > 0 and step.sharing_key != key
            if (step.closed and is_there) or (in_use and resource.sharing == Sharing.SAME_ACTIVITY):
                return None
            free.append(0 if in_use else step.capacity - step.taken)
        if quantity > min(free):
            refused.append((resource.id, min(free)))
    if not refused:
        return None
    resource_id, vacancies = min(refused)
    return calls.sold_out(resource_id, vacancies)


def _plain_facts(database: Database, request: Hold) -> ResourceFacts | None:
    """The facts by which the request was decided, if all that can refuse it here is capacity.

    That is one item, without conditions and without members to choose from, for nobody who waited for it.
    """
    if database.timelines is None or len(request.items) != 1 or request.offer is not None:
        return None
    (item,) = request.items
    facts: ResourceFacts | None = database.catalog.get(ResourceKey(request.command.organization_id, item.resource_id))
    if facts is None or facts.catalog_version != item.catalog_version or facts.choices or item.conditions:
        return None
    return facts


async def _sold_out_now(database: Database, request: Hold, facts: ResourceFacts) -> BookingError | None:
    """The refusal, if what is kept says that it is sold out, and that is so now."""
    assert database.timelines is not None, "its facts are plain"
    (item,) = request.items
    known = _last_known(database.timelines, facts, item)
    if known is None:
        return None
    refusal = sold_out(facts, item, {key: view for key, (_, view) in known.items()})
    if refusal is None:
        return None
    try:
        sight = await look(database, request.command, [key.id for key in known])
    except NO_ANSWER:
        return None
    now = [sight.versions.get(key) for key in known]
    is_true = all(about and about.state == state for about, (state, _) in zip(now, known.values(), strict=True))
    if not is_true:
        database.timelines.forget(block for key in known for block in blocks_of(key, _claim(item)))
    is_so = is_true and not sight.is_remembered and not any(about and about.is_over for about in now)
    is_so = is_so and sight.versions[facts.key].catalog == facts.catalog_version
    database.observer.looked(is_so)
    return refusal if is_so else None


async def _learn(database: Database, request: Hold, facts: ResourceFacts) -> None:
    """Read what refused it, and keep that; of one resource only so often. Nobody is told if it fails."""
    assert database.timelines is not None, "its facts are plain"
    if not database.timelines.may_learn(facts.key):
        return
    claim = _claim(request.items[0])
    with suppress(*NO_ANSWER):
        await read_kept_timelines(
            database,
            [(key, claim) for key in facts.needed],
            own={request.command.organization_id},  # the guest was let in; what is kept is shown to nobody here
            fill=True,
        )


def _last_known(
    kept: KeptTimelines, facts: ResourceFacts, item: HoldItem
) -> dict[ResourceKey, tuple[str, TimelineView]] | None:
    """Of each timeline that decides, the last that this process has seen, and its state; None: not of all."""
    claim = _claim(item)
    known = {}
    for key in facts.needed:
        blocks = blocks_of(key, claim)
        found = kept.last_known(blocks) if blocks else None
        if found is None:
            return None
        state, parts = found
        known[key] = state, view_of(parts, claim)
    return known


def _takes(facts: ResourceFacts, item: HoldItem) -> Iterator[tuple[Resource, int]]:
    """What a booking of the item takes, of which resource."""
    yield facts.resource, item.quantity
    for requirement in facts.requirements:
        yield requirement.resource, requirement.taken_by(item.quantity)


def _claim(item: HoldItem) -> Interval:
    return item.claim or item.interval


def _sharing_key(resource: Resource, item: HoldItem) -> str | None:
    """By what the party would share there, as `ledger_sharing_key` has it."""
    if resource.sharing == Sharing.SHARED:
        return None
    activity = item.activity if item.shared_as is None else item.shared_as
    return activity if resource.sharing == Sharing.SAME_ACTIVITY and activity is not None else OWN
