"""PER_BOOKING: so much once for the booking as a whole."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import ClassVar

from engine.taxes.amount import AmountTax
from engine.taxes.base import TaxedStay


class PerBooking(AmountTax):
    """So much once for a booking, however many items it has: told with the first of them for which it is owed."""

    type: ClassVar[str] = "PER_BOOKING"
    summary: ClassVar[str] = "So much for the booking as a whole."
    example: ClassVar[Mapping[str, object]] = {"code": "STAMP_DUTY", "amount": 100}

    def portions(self, stay: TaxedStay, days: Collection[date]) -> Counter[int]:
        return Counter({self.amount: 1}) if stay.starts_on in days else Counter()
