"""What was looked at costs: priced when that is asked for, from the reading that answered whether it can be booked."""

from dataclasses import dataclass

from engine.costs import Cost, CostItem, cost_of
from engine.facts import ResourceFacts
from engine.occupancy import facts_for_price
from engine.pricing.charges import PriceFacts
from engine.pricing.price import price_item
from engine.reading import Reading
from engine.rules.base import RuleRequest
from models import civil
from models.errors import BookingError


@dataclass(frozen=True, slots=True)
class AskedPrices:
    """The prices of one request that was answered. Nothing more is read for them."""

    reading: Reading
    request: RuleRequest

    @property
    def facts(self) -> ResourceFacts:
        """By which it was answered."""
        return self.reading.facts

    def cost(self, partner: str | None, plan: str | None = None) -> Cost | None:
        """What it costs by the plan of this code, or by the one that holds, with taxes and terms.

        None: it has no price, or one that can not be told; a hold of it says why.
        """
        try:
            priced = price_item(self.facts.prices, self.request, self._known(partner), plan=plan)
            if priced is None:
                return None
            return cost_of([CostItem(self.facts, self.request, priced)], booked_at=self.reading.rule_facts.now)
        except BookingError:
            return None

    def cost_from(self, partner: str | None) -> Cost | None:
        """What it costs by the cheapest of the plans that it can be had by; None: it has no price."""
        request, zone = self.request, self.facts.zone
        start = request.stay[0] if request.stay is not None else civil.local_day(request.interval.starts_at, zone)
        found = (self.cost(partner, plan.code) for plan in self.facts.prices.plans_on(start))
        return min((cost for cost in found if cost is not None), key=lambda cost: cost.total, default=None)

    def _known(self, partner: str | None) -> PriceFacts:
        now = self.reading.rule_facts.now
        return facts_for_price(self.facts, self.request, self.reading.taken, now=now, partner=partner)
