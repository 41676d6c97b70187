"""A stored price rule that can not be read any more: its package is gone, or its parameters are not what they were."""

from typing import ClassVar

from engine.pricing.base import Asked, DaySum, PriceRule
from models.errors import NotPriced


class MissingPriceRule(PriceRule):
    """Lets nothing be priced: nobody knows what it would have charged. No rule of this type is ever stored."""

    type: ClassVar[str] = "MISSING"
    summary: ClassVar[str] = "This rule can not be read, so nothing can be priced."
    step: ClassVar[int] = 0

    missing: str
    """The stored type."""

    def matches(self, asked: Asked) -> bool:
        return True

    def change(self, day: DaySum) -> int:
        raise NotPriced(f"A price rule of type {self.missing} is set, which this installation can not read.")
