"""What taxes of so much for each share: amounts, and who is exempt."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from engine.rules.parameters import Age, at_most, wrong
from engine.rules.parsing import Parameters
from engine.taxes.base import Guests, Tax, TaxedStay
from engine.taxes.parameters import BANDS_MAX, GuestTypeNames, MinorUnits


class AmountTax(Tax):
    """A tax of so much for each of something. It comes on top of the price, and is whole: nothing is rounded."""

    is_owed_for_the_stay: ClassVar[bool] = True

    amount: MinorUnits = Field(description="So much for each, in minor units of the venue's currency.")

    @abstractmethod
    def portions(self, stay: TaxedStay, days: Collection[date]) -> Counter[int]:
        """How many times which amount is owed for an item; `days`: those on which this rule decides. Pure."""


class AgeBand(Parameters):
    """Who is of these ages owes another amount."""

    min_age: Age | None = Field(default=None, description="From this age on, in whole years.")
    max_age: Age | None = Field(default=None, description="Up to this age, included.")
    amount: MinorUnits = Field(description="So much for each, in minor units; 0: exempt. Goes before any tier.")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.min_age is None and self.max_age is None:
            raise wrong("should have a minAge or a maxAge")
        at_most(self.min_age, self.max_age, "minAge", "maxAge")
        return self

    def includes(self, age: int) -> bool:
        """Whether this is one of the ages."""
        return (self.min_age or 0) <= age and (self.max_age is None or age <= self.max_age)


class PersonTax(AmountTax):
    """A tax of each person. Whose age was not told, and whose type is not exempt, owes the whole amount."""

    bands: Annotated[tuple[AgeBand, ...], Field(max_length=BANDS_MAX)] = Field(
        default=(), description="Other amounts by age; the first that fits decides."
    )
    exempt_types: GuestTypeNames = Field(
        default=(), description="Guests of these types owe nothing, such as RESIDENT or INFANT."
    )

    def amount_of(self, guests: Guests, amount: int) -> int:
        """What each of them owes where others owe `amount`."""
        if guests.type in self.exempt_types:
            return 0
        if guests.age is None:
            return amount
        return next((band.amount for band in self.bands if band.includes(guests.age)), amount)

    def of_each(self, stay: TaxedStay, amount: int) -> Counter[int]:
        """What all of them owe, once, where others owe `amount`."""
        owed: Counter[int] = Counter()
        for guests in stay.groups():
            owed[self.amount_of(guests, amount)] += guests.count
        return owed
