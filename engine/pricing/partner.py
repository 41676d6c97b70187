"""PARTNER: what was agreed with who brings the guests."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from engine.pricing.base import Adjusting, Asked
from engine.pricing.parameters import Label
from engine.rules.parameters import distinct

PARTNERS_MAX = 100


class Partner(Adjusting):
    """When one of these partners asks; who is asked for by nobody in particular is no partner."""

    type: ClassVar[str] = "PARTNER"
    summary: ClassVar[str] = "When a partner asks."
    step: ClassVar[int] = 800
    example: ClassVar[Mapping[str, object]] = {"partners": ["partner:harbour-tours"], "percent": "-15"}

    partners: Annotated[tuple[Label, ...], Field(min_length=1, max_length=PARTNERS_MAX), AfterValidator(distinct)] = (
        Field(description='Role and subject of their tokens: "partner:harbour-tours".')
    )

    def matches(self, asked: Asked) -> bool:
        return asked.facts.partner in self.partners
