"""What is read to answer wishes about one resource, and the answers: rules, conditions and capacity together.

The same is decided as when something is held (engine/holds.py, models/ledger/sql/40_admission.sql). The statements
are few, whatever the number of wishes: one for timelines, one more where a rule counts arrivals, and one where a rule
counts what the customer has. Facts and timelines are of one version (`engine.current`). Timelines come first: what is
counted can be newer than the version that is told, never older.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Protocol

from engine.binding import binding
from engine.conditions import AskedItem, Known, refusal_of
from engine.current import check_current
from engine.facts import ResourceFacts
from engine.rules.base import ConditionKind, Refusal, RuleFacts, RuleRequest
from engine.rules.deciding import Terms
from engine.supply import Supply, supply_of
from engine.taken import Taken
from engine.vacancies import Vacancies
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

    async def turn(self) -> None:
        """Wait for a turn: all is read, and what is computed from it takes long."""


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

    async def turn(self) -> None:
        """Nobody else waits."""


NOBODY: Final = Nobody()


@dataclass(frozen=True)
class Reading:
    """What was read, as of `version` of the resource; it answers requests that lie in its window."""

    facts: ResourceFacts
    views: Mapping[ResourceKey, TimelineView]
    rule_facts: RuleFacts
    known: Known
    _supplies: dict[str | None, Supply] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def taken(self) -> Taken:
        """How much of the resource itself is taken, for prices that depend on it."""
        return Taken(self.known.view)

    @property
    def version(self) -> int:
        """The version of which the timeline and the facts are; what rules count beside them may be newer."""
        return self.known.view.version

    def left(self, request: RuleRequest) -> Vacancies:
        """What is left for it."""
        terms = self._terms(request)
        supply = self._supplies.get(terms.shared_as)
        if supply is None:
            supply = self._supplies[terms.shared_as] = supply_of(self.facts, self.views, terms.shared_as)
        return supply.over(request.interval, terms.claim)

    def free_at_most(self, interval: Interval) -> int:
        """What is left nowhere in the interval exceeds this: the most units of the resource itself that are free."""
        return max(step.capacity - step.taken for step in self.known.view.over(interval))

    def refusals(self, request: RuleRequest, left: Vacancies) -> tuple[Refusal, ...]:
        """Every reason against it: of the rules, of their conditions, and last of the capacity: `left` is left."""
        refusals, conditions = self.facts.rules.judge(request, self.rule_facts)
        found = [*refusals]
        if conditions:
            items = [asked_item(self.facts, request, self._terms(request))]
            found += [refusal for each in conditions if (refusal := refusal_of(each, items, self.known)) is not None]
        refusal = left.refusal(request.quantity)
        return (*found, self._bound(refusal, request)) if refusal else tuple(found)

    def _bound(self, refusal: Refusal, request: RuleRequest) -> Refusal:
        """The capacity's refusal with the resource that binds."""
        terms = self._terms(request)
        key = binding(
            self.facts,
            self.views,
            refusal.code,
            request.quantity,
            request.interval,
            terms.claim,
            terms.shared_as,
        )
        return replace(refusal, resource=key)

    def _terms(self, request: RuleRequest) -> Terms:
        return self.facts.rules.terms(request, self.facts.zone)


async def read(
    facts: ResourceFacts, window: Interval, *, load: TimelineLoader, counts: CountsLoader, now: datetime
) -> Reading:
    """Read what decides over requests that lie in the window. Raises FactsMoved if the facts do not any more."""
    reach = facts.rules.reach
    seen = window.widened(reach, reach)
    views = await current_views(facts, seen, load)
    customer_id = counts.customer_in(facts.key.organization_id)
    measures = facts.rules.measures
    arrivals: tuple[Arrivals, ...] = ()
    customer_items: tuple[CustomerItem, ...] = ()
    if ConditionKind.ARRIVALS in measures:
        (arrivals,) = await counts.arrivals([(facts.key, seen)])
    if customer_id is not None and measures & CUSTOMER_KINDS:
        customer_items = await counts.customer_items(facts.key.organization_id, customer_id, now - PAST)
    # Not before: whoever goes on alone shares no statement with the others.
    await counts.turn()
    known = Known(views[facts.key], arrivals, customer_items)
    return Reading(facts, views, rule_facts(facts, now, customer_id), known)


async def current_views(
    facts: ResourceFacts, window: Interval, load: TimelineLoader
) -> Mapping[ResourceKey, TimelineView]:
    """The timelines that decide over the resource. Raises FactsMoved if the facts are not of their version any more."""
    views = dict(zip(facts.needed, await load([(key, window) for key in facts.needed]), strict=True))
    check_current(facts, views[facts.key])
    return views


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
