"""PROMO_CODE: for who has the word."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from engine.pricing.base import Adjusting, Asked
from engine.pricing.parameters import Code
from engine.rules.parameters import distinct

CODES_MAX = 100


class PromoCode(Adjusting):
    """When one of these codes was entered and holds; how often and until when a code does is told by itself."""

    type: ClassVar[str] = "PROMO_CODE"
    summary: ClassVar[str] = "When a promo code was entered."
    step: ClassVar[int] = 900
    example: ClassVar[Mapping[str, object]] = {"codes": ["SUMMER26"], "percent": "-20"}

    codes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=CODES_MAX), AfterValidator(distinct)] = Field(
        description="Which codes, in capitals."
    )

    def matches(self, asked: Asked) -> bool:
        return asked.facts.promo in self.codes
