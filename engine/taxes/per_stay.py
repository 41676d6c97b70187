"""PER_STAY: so much once for each item of a booking, or for each of its units or people."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from engine.taxes.amount import PersonTax
from engine.taxes.base import TaxedStay


class PerStay(PersonTax):
    """So much once for each stay or visit, however long it is: for the whole of it, for each unit, or for each person.

    The day on which it begins decides. `bands` and `exemptTypes` are about people, so only `per` PERSON looks at them.
    """

    type: ClassVar[str] = "PER_STAY"
    summary: ClassVar[str] = "So much for each stay or visit, or for each of its units or people."
    example: ClassVar[Mapping[str, object]] = {
        "code": "ISLAND_FEE",
        "amount": 500,
        "per": "PERSON",
        "bands": [{"maxAge": 11, "amount": 250}],
    }

    per: Literal["STAY", "UNIT", "PERSON"] = Field(
        default="STAY", description="For the STAY as a whole, for each UNIT of it, or for each PERSON."
    )

    def portions(self, stay: TaxedStay, days: Collection[date]) -> Counter[int]:
        if stay.starts_on not in days:
            return Counter()
        if self.per == "PERSON":
            return self.of_each(stay, self.amount)
        return Counter({self.amount: stay.quantity if self.per == "UNIT" else 1})
