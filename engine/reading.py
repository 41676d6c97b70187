"""What is read to answer wishes about one resource, and the answers: rules, conditions and capacity together.

The same is decided as when something is held (engine/holds.py, models/ledger/sql/40_admission.sql). The statements
are few, whatever the number of wishes: one for timelines, one more where a rule counts arrivals, and one where a rule
counts what the customer has. Timelines come first: what is counted can be newer than the version that is told, never
older.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Protocol

from engine.conditions import AskedItem, Known, refusal_of
from engine.facts import ResourceFacts
from engine.rules.base import ConditionKind, Refusal, RuleFacts, RuleRequest
from engine.rules.deciding import Terms
from engine.taken import Taken
from engine.vacancies import EffectiveTimeline, Vacancies, effective_timeline, vacancies_over, views_needed
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.measures import Arrivals, CustomerItem
from models.queries.timelines import TimelineView

TimelineLoader = Callable[[Sequence[tuple[ResourceKey, Interval]]], Awaitable[Sequence[TimelineView]]]

CUSTOMER_KINDS: Final = frozenset({ConditionKind.CUSTOMER_ACTIVE, ConditionKind.CUSTOMER_OVERLAP})

PAST: Final = timedelta(days=2)
"""A stay may begin before now, on the same day in its zone: so old may be what it still overlaps with."""


class CountsLoader(Protocol):
    """Who looks, and what rules count; asked only where a rule needs it."""

    def customer_in(self, organization_id: uuid.UUID) -> str | None:
        """The customer, as in Booking.customer_id; None for everybody who is none in that organization."""

    async def arrivals(self, questions: Sequence[tuple[ResourceKey, Interval]]) -> Sequence[tuple[Arrivals, ...]]:
        """What starts in each window."""

    async def customer_items(
        self, organization_id: uuid.UUID, customer_id: str, after: datetime
    ) -> tuple[CustomerItem, ...]:
        """What the customer has that ends after an instant."""


class Nobody:
    """A guest who looks, for who knows that no rule counts arrivals."""

    def customer_in(self, organization_id: uuid.UUID) -> str | None:
        """A guest is no customer."""
        return None

    async def arrivals(self, questions: Sequence[tuple[ResourceKey, Interval]]) -> Sequence[tuple[Arrivals, ...]]:
        """Not without a way to read: what is not counted must not be taken for nothing."""
        raise LookupError("a rule counts arrivals: hand in a loader of counts")

    async def customer_items(
        self, organization_id: uuid.UUID, customer_id: str, after: datetime
    ) -> tuple[CustomerItem, ...]:
        """Nobody has nothing."""
        return ()


NOBODY: Final = Nobody()


@dataclass(frozen=True)
class Reading:
    """What was read, as of `version` of the resource's timeline; it answers requests that lie in its window."""

    facts: ResourceFacts
    views: Mapping[ResourceKey, TimelineView]
    window: Interval
    rule_facts: RuleFacts
    known: Known
    _timelines: dict[str | None, EffectiveTimeline] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def taken(self) -> Taken:
        """How much of the resource itself is taken, for prices that depend on it."""
        return Taken(self.known.view)

    @property
    def version(self) -> int:
        return self.known.view.version

    def left(self, request: RuleRequest) -> Vacancies:
        """What is left for it."""
        return self._left(request, self._terms(request))

    def refusals(self, request: RuleRequest, left: Vacancies) -> tuple[Refusal, ...]:
        """Every reason against it: of the rules, of their conditions, and last of the capacity: `left` is left."""
        refusals, conditions = self.facts.rules.judge(request, self.rule_facts)
        found = [*refusals]
        if conditions:
            items = [asked_item(self.facts, request, self._terms(request))]
            found += [refusal for each in conditions if (refusal := refusal_of(each, items, self.known)) is not None]
        refusal = left.refusal(request.quantity)
        return (*found, refusal) if refusal else tuple(found)

    def _terms(self, request: RuleRequest) -> Terms:
        return self.facts.rules.terms(request, self.facts.zone)

    def _left(self, request: RuleRequest, terms: Terms) -> Vacancies:
        timeline = self._timelines.get(terms.shared_as)
        if timeline is None:
            timeline = effective_timeline(self.facts, self.views, self.window, activity=terms.shared_as, joining=True)
            self._timelines[terms.shared_as] = timeline
        return vacancies_over(timeline, request.interval, terms.claim)


async def read(
    facts: ResourceFacts, window: Interval, *, load: TimelineLoader, counts: CountsLoader, now: datetime
) -> Reading:
    """Read what decides over requests that lie in the window."""
    reach = facts.rules.reach
    seen = window.widened(reach, reach)
    keys = views_needed(facts)
    views = dict(zip(keys, await load([(key, seen) for key in keys]), strict=True))
    customer_id = counts.customer_in(facts.key.organization_id)
    measures = facts.rules.measures
    arrivals: tuple[Arrivals, ...] = ()
    customer_items: tuple[CustomerItem, ...] = ()
    if ConditionKind.ARRIVALS in measures:
        (arrivals,) = await counts.arrivals([(facts.key, seen)])
    if customer_id is not None and measures & CUSTOMER_KINDS:
        customer_items = await counts.customer_items(facts.key.organization_id, customer_id, now - PAST)
    known = Known(views[facts.key], arrivals, customer_items)
    return Reading(facts, views, seen, rule_facts(facts, now, customer_id), known)


def rule_facts(facts: ResourceFacts, now: datetime, customer_id: str | None = None) -> RuleFacts:
    """What rules may know; `customer_id` only of a customer with an account."""
    return RuleFacts(
        zone=facts.zone,
        now=now,
        availability_type=facts.resource.availability_type,
        resource_id=facts.resource.id,
        venue_id=facts.resource.venue_id,
        customer_id=customer_id,
        check_in=facts.venue.check_in_time,
        check_out=facts.venue.check_out_time,
    )


def asked_item(facts: ResourceFacts, request: RuleRequest, terms: Terms) -> AskedItem:
    """The request as one item of a booking."""
    return AskedItem(
        resource_id=facts.resource.id,
        venue_id=facts.resource.venue_id,
        interval=request.interval,
        claim=terms.claim,
        quantity=request.quantity,
        guests=request.guests,
    )
