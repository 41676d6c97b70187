"""What taxes by the night share: which nights count, and what a night costs."""

from collections.abc import Collection, Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.rules.limits import DURATION_DAYS_MAX
from engine.rules.parameters import Nights, wrong
from engine.rules.parsing import Parameters
from engine.taxes.amount import AmountTax
from engine.taxes.base import TaxedStay
from engine.taxes.parameters import TIERS_MAX, MinorUnits


class Tier(Parameters):
    """What is owed from a price on."""

    from_price: MinorUnits = Field(description="For a night of this price or more, in minor units.")
    amount: MinorUnits = Field(description="So much, in minor units.")


class NightTax(AmountTax):
    """A tax by the night.

    Nights are counted from arrival, whatever the season: with `maxNights` 7 a stay that runs into a season with another
    amount pays for its first seven nights, each by the amount of its own day. What a night costs is told without
    the taxes that are included in it.
    """

    skip_nights: Annotated[int, Field(strict=True, ge=0, le=DURATION_DAYS_MAX)] = Field(
        default=0, description="So many nights of a stay, from arrival, are free."
    )
    max_nights: Nights | None = Field(default=None, description="And of those after them only so many are taxed.")
    tiers: Annotated[tuple[Tier, ...], Field(max_length=TIERS_MAX)] = Field(
        default=(), description="Other amounts by what the night costs, from low to high; below the first, `amount`."
    )
    tiers_by: Literal["UNIT", "PERSON"] = Field(
        default="UNIT", description="Whose price is looked up: that of the UNIT, or its share for each PERSON."
    )

    @model_validator(mode="after")
    def _has_tiers_in_order(self) -> Self:
        prices = [tier.from_price for tier in self.tiers]
        if any(low >= high for low, high in pairwise(prices)):
            raise wrong("tiers should go from low to high")
        return self

    def counted(self, stay: TaxedStay, days: Collection[date]) -> Iterator[tuple[date, int]]:
        """The nights that are taxed, of those on which this rule decides, each with the amount for its price."""
        end = None if self.max_nights is None else self.skip_nights + self.max_nights
        for night in stay.nights[self.skip_nights : end]:
            if night in days:
                yield night, self._amount_by_price(stay, night)

    def _amount_by_price(self, stay: TaxedStay, night: date) -> int:
        price = stay.night_prices.get(night, 0)
        shares = stay.quantity if self.tiers_by == "UNIT" else max(stay.people, 1)
        # A price of three for 100.00 is not 33.33 each: so the tier is multiplied, and nothing is divided.
        return next((tier.amount for tier in reversed(self.tiers) if price >= tier.from_price * shares), self.amount)
