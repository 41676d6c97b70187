"""PER_PERSON_NIGHT: so much for each person and night."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import ClassVar

from engine.taxes.amount import PersonTax
from engine.taxes.base import TaxedStay
from engine.taxes.nights import NightTax


class PerPersonNight(NightTax, PersonTax):
    """So much for each person and night. Nothing for what is not booked by the night."""

    type: ClassVar[str] = "PER_PERSON_NIGHT"
    summary: ClassVar[str] = "So much for each person and night."
    example: ClassVar[Mapping[str, object]] = {
        "code": "TMT",
        "collect": "AT_VENUE",
        "amount": 400,
        "maxNights": 7,
        "bands": [{"maxAge": 12, "amount": 0}],
        "exemptTypes": ["MEDICAL"],
    }

    def portions(self, stay: TaxedStay, days: Collection[date]) -> Counter[int]:
        owed: Counter[int] = Counter()
        for amount, nights in Counter(amount for _, amount in self.counted(stay, days)).items():
            for each, count in self.of_each(stay, amount).items():
                owed[each] += count * nights
        return owed
