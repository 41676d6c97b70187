"""What a booking costs in all: prices, the taxes on them, what is due when, and what comes back if it is cancelled.

One pure function puts them together, for a preview, a quote and a hold alike: so they can not differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from engine.cancellation.deadlines import When
from engine.cancellation.payments import Due, Payments, all_payments, payments
from engine.cancellation.terms import ItemTerms, Priced, Terms, item_terms
from engine.facts import ResourceFacts
from engine.money import allocate
from engine.pricing.charges import PricedItem, PriceRequest
from engine.taxes.assess import Assessment, TaxedItem, assess
from engine.taxes.base import TaxCollection, TaxedStay, TaxLine
from engine.taxes.provided import ProvidedTaxes


@dataclass(frozen=True, slots=True)
class CostItem:
    """One item of a booking: where it is, what is asked for, and what it costs before taxes."""

    facts: ResourceFacts
    request: PriceRequest
    priced: PricedItem


@dataclass(frozen=True, slots=True)
class Cost:
    """All of it, in minor units. `total` is what is due now, later and at the venue."""

    currency: str
    items: tuple[PricedItem, ...]
    taxes: Assessment
    payments: Payments
    terms: Terms

    @property
    def subtotal(self) -> int:
        """What the items cost; taxes that their prices include are in it."""
        return sum(item.subtotal for item in self.items)

    @property
    def tax(self) -> int:
        """What taxes add to the subtotal."""
        return self.taxes.added_now + self.taxes.added_at_venue

    @property
    def total(self) -> int:
        """What the guest pays in the end, to whomever."""
        return self.subtotal + self.tax

    @property
    def due_now(self) -> int:
        """With the booking."""
        return self.payments.now

    @property
    def due_later(self) -> tuple[Due, ...]:
        """The balance of deposits."""
        return self.payments.later

    @property
    def due_at_venue(self) -> int:
        """Balances that no day was set for, and taxes that are collected there."""
        return self.payments.at_venue + self.taxes.added_at_venue


def cost_of(items: Sequence[CostItem], *, booked_at: datetime, provided: ProvidedTaxes | None = None) -> Cost:
    """What a booking of these items costs that is made at this instant; they are of one currency.

    `provided` is what the tax provider has counted of them; whoever does not ask it gets what `assess` says without.
    Raises NotPriced where a tax or a policy is set that can not be read.
    """
    currency = items[0].facts.venue.currency
    stays = taxed_items(items)
    taxes = assess(stays, currency, provided)
    agreed: list[ItemTerms] = []
    due: list[Payments] = []
    for position, (item, stay) in enumerate(zip(items, (one.stay for one in stays), strict=True)):
        policy = item.facts.policies.on(stay.starts_on, item.priced.plan)
        priced = paid_with_booking(item.priced, taxes.lines, position, stay.nights)
        when = When(item.request.interval.starts_at, booked_at, item.facts.zone)
        agreed.append(item_terms(policy, priced, when))
        due.append(payments(policy, priced, when))
    return Cost(
        currency, tuple(item.priced for item in items), taxes, all_payments(due), Terms(currency, tuple(agreed))
    )


def taxed_items(items: Sequence[CostItem]) -> list[TaxedItem]:
    """The items as taxes are counted of them."""
    return [
        TaxedItem(TaxedStay.of(item.request, item.facts.zone), item.priced.charges, item.facts.taxes) for item in items
    ]


def paid_with_booking(item: PricedItem, taxes: Sequence[TaxLine], position: int, nights: Sequence[date]) -> Priced:
    """What of an item is not left to be paid at the venue as a tax: its price with the taxes on it, and levies.

    The price is parted over its nights in proportion to what is charged for each; what is charged once, on arrival,
    counts for the first.
    """
    price, levies = taxed(item.subtotal, taxes, position)
    days = item.by_day()
    parts = allocate(price, [max(days.get(night, 0), 0) for night in nights]) if nights else []
    return Priced(price, levies, tuple(parts))


def taxed(subtotal: int, taxes: Sequence[TaxLine], position: int) -> tuple[int, int]:
    """What an item costs that comes to so much, with the taxes that are added to it now; and its levies."""
    price, levies = subtotal, 0
    for line in taxes:
        if line.included or line.collect is TaxCollection.AT_VENUE:
            continue
        if line.is_owed_for_the_stay:
            levies += line.by_item[position]
        else:
            price += line.by_item[position]
    return price, levies
