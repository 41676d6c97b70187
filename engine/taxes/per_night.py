"""PER_NIGHT: so much for each unit and night."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import ClassVar

from engine.taxes.base import TaxedStay
from engine.taxes.nights import NightTax


class PerNight(NightTax):
    """So much for each unit that is booked, a room say, and each night. Nothing for what is not booked by the night."""

    type: ClassVar[str] = "PER_NIGHT"
    summary: ClassVar[str] = "So much for each unit and night."
    example: ClassVar[Mapping[str, object]] = {
        "code": "CITY_TAX",
        "amount": 150,
        "tiers": [{"fromPrice": 10_000, "amount": 300}],
        "skipNights": 1,
        "maxNights": 10,
    }

    def portions(self, stay: TaxedStay, days: Collection[date]) -> Counter[int]:
        owed: Counter[int] = Counter()
        for _, amount in self.counted(stay, days):
            owed[amount] += stay.quantity
        return owed
