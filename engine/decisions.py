"""What the rules say to a request to hold, all of its items together, and what is left for the ledger to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.availability import hull
from engine.conditions import AskedItem, added, for_ledger, looked_at
from engine.facts import ResourceFacts
from engine.reading import asked_item, rule_facts
from engine.rules.base import Condition, Refusal, RuleRequest, violation
from engine.rules.deciding import Terms
from engine.rules.guests import guests_as_stored
from models.errors import BookingError, Refused
from models.interval import Interval
from models.ledger.calls import Unmet
from models.ledger.requests import HoldItem


@dataclass(frozen=True, slots=True)
class Decision:
    """What to ask the ledger for. `conditions` are those of each item, of which it tells the numbers.

    `requests`: what was decided about, each with the facts by which it was.
    """

    items: tuple[HoldItem, ...]
    asked: tuple[AskedItem, ...]
    conditions: tuple[tuple[Condition, ...], ...]
    approval_seconds: int | None
    looks_at: Interval | None
    requests: tuple[tuple[ResourceFacts, RuleRequest], ...] = ()

    def refused(self, unmet: Unmet) -> Refused:
        """Every reason of the ledger in words: of the conditions that are not met, and then of the capacity."""
        errors: list[BookingError] = []
        for found in unmet.measured:
            condition = self.conditions[found.item][found.index]
            refusal = condition.refuse(found.measure + added(condition, self.asked))
            errors.append(violation(refusal, path=_path(found.item)))
        return Refused([*errors, unmet.capacity] if unmet.capacity else errors)


def decide(
    requests: Sequence[tuple[ResourceFacts, RuleRequest]], *, customer_id: str | None, now: datetime
) -> Decision:
    """What the rules make of these items. Raises every RuleViolation of every item at once (`Refused`)."""
    refusals: list[tuple[int, Refusal]] = []
    conditions: list[tuple[Condition, ...]] = []
    for position, (facts, request) in enumerate(requests):
        found, asks = facts.rules.judge(request, rule_facts(facts, now, customer_id))
        refusals += [(position, refusal) for refusal in found]
        conditions.append(asks)
    if refusals:
        raise Refused([violation(refusal, path=_path(position)) for position, refusal in refusals])
    terms = [facts.rules.terms(request, facts.zone) for facts, request in requests]
    asked = tuple(asked_item(facts, request, each) for (facts, request), each in zip(requests, terms, strict=True))
    seen = [seen for asks in conditions for each in asks if (seen := looked_at(each)) is not None]
    times = [each.approval_seconds for each in terms if each.approval_seconds is not None]
    return Decision(
        items=tuple(
            _hold_item(facts, request, each, asks, asked)
            for (facts, request), each, asks in zip(requests, terms, conditions, strict=True)
        ),
        asked=asked,
        conditions=tuple(conditions),
        approval_seconds=max(times, default=None),
        requests=tuple(requests),
        looks_at=hull(seen) if seen else None,
    )


def _hold_item(
    facts: ResourceFacts,
    request: RuleRequest,
    terms: Terms,
    conditions: Sequence[Condition],
    asked: Sequence[AskedItem],
) -> HoldItem:
    return HoldItem(
        resource_id=facts.resource.id,
        interval=request.interval,
        quantity=request.quantity,
        activity=request.activity,
        guests=guests_as_stored(request.guests),
        catalog_version=facts.catalog_version,
        claim=None if terms.claim == request.interval else terms.claim,
        shared_as=None if terms.shared_as == request.activity else terms.shared_as,
        conditions=tuple(for_ledger(condition, asked) for condition in conditions),
    )


def _path(position: int) -> tuple[str, ...]:
    return ("input", "items", str(position))
