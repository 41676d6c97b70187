"""PARTY_SIZE: groups pay less each, or a small party more."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from engine.pricing.base import Adjusting, Asked
from engine.rules.limits import QUANTITY_MAX
from engine.rules.parameters import at_most, wrong

_Count = Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]


class PartySizePrice(Adjusting):
    """Parties of at least `min` people and at most `max`; where no guests were told, the quantity counts."""

    type: ClassVar[str] = "PARTY_SIZE"
    summary: ClassVar[str] = "For large parties, or small ones."
    step: ClassVar[int] = 700
    example: ClassVar[Mapping[str, object]] = {"min": 10, "percent": "-12.5"}

    min: _Count | None = Field(default=None, description="At least so many people.")
    max: _Count | None = Field(default=None, description="At most so many people.")

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if self.min is None and self.max is None:
            raise wrong("should have a minimum or a maximum")
        at_most(self.min, self.max, "min", "max")
        return self

    def matches(self, asked: Asked) -> bool:
        told = asked.request.guest_count
        people = asked.request.quantity if told is None else told
        return (self.min is None or self.min <= people) and (self.max is None or people <= self.max)
