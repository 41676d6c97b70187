"""The taxes of a booking: its charges, stays and parties go in, lines that say why come out.

1. Percentages that the price includes are taken out of each charge, all together and exactly, and then rounded as each
   tax says; what remains is the price without tax.
2. Then come the taxes that are added, each after those that it is on. A percentage is taken of the price without tax,
   and of the whole minor units that the taxes it is on have become: all of it can be checked with a pencil.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.pricing.charges import Charge
from engine.taxes.base import TaxCollection, TaxedStay, TaxLine
from engine.taxes.count import Count
from engine.taxes.deciding import TaxSet
from engine.taxes.provided import ProvidedTaxes
from models.errors import NotPriced


@dataclass(frozen=True, slots=True)
class TaxedItem:
    """One item of a booking: who stays and when, what it costs, and the taxes that are set where it is."""

    stay: TaxedStay
    charges: tuple[Charge, ...]
    taxes: TaxSet


@dataclass(frozen=True, slots=True)
class Assessment:
    """All taxes of a booking, as lines; in minor units."""

    lines: tuple[TaxLine, ...] = ()

    @property
    def included(self) -> int:
        """What the price holds of them."""
        return sum(line.amount for line in self.lines if line.included)

    @property
    def added_now(self) -> int:
        """What comes on top of the price, with the booking."""
        return self._added(TaxCollection.NOW)

    @property
    def added_at_venue(self) -> int:
        """What the guest pays at the venue."""
        return self._added(TaxCollection.AT_VENUE)

    def _added(self, collect: TaxCollection) -> int:
        return sum(line.amount for line in self.lines if not line.included and line.collect is collect)


def assess(items: Sequence[TaxedItem], currency: str, provided: ProvidedTaxes | None = None) -> Assessment:
    """What is owed for these items, which are one booking in one currency.

    A charge is taxed by the rules of its day; a night by those of the day on which it begins; what is owed once, by
    those of the day on which its item begins. Lines that come to nothing are left out; the others are in the order in
    which they were counted. Raises NotPriced where a tax is set that can not be read: what is owed is not known.

    `provided` is what the tax provider has counted (`engine.taxes.bill`). Where it was not asked, a tax of its that is
    included is not told, and one that is added, or decides over another, raises NotPriced.
    """
    for item in items:
        if item.taxes.unreadable:
            missing = item.taxes.unreadable[0]
            raise NotPriced(f"A tax of type {missing} is set, which this installation can not read.")
    if not any(item.taxes.taxes for item in items):
        return Assessment()
    count = Count([(item.stay, item.taxes) for item in items], currency, provided)
    return Assessment(count.lines_of([item.charges for item in items]))
