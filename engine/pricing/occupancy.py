"""OCCUPANCY: the fuller it is, the dearer; or the emptier, the cheaper."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from engine.pricing.base import Adjusting, Asked
from engine.rules.parameters import wrong

_Percentage = Annotated[int, Field(strict=True, ge=0, le=100)]


class Occupancy(Adjusting):
    """When at least `minPercent`, and less than `belowPercent`, of the capacity is taken at the time of asking.

    Taken is the peak over the night or the time that is asked for, without the request itself.
    """

    type: ClassVar[str] = "OCCUPANCY"
    summary: ClassVar[str] = "When so much of the capacity is taken, at the time of asking."
    step: ClassVar[int] = 400
    example: ClassVar[Mapping[str, object]] = {"minPercent": 80, "percent": "20"}
    asks_occupancy: ClassVar[bool] = True

    min_percent: _Percentage = Field(default=0, description="At least so much is taken, in whole percent.")
    below_percent: _Percentage | None = Field(default=None, description="And less than this.")

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.min_percent == 0 and self.below_percent is None:
            raise wrong("should have minPercent or belowPercent")
        if self.below_percent is not None and self.below_percent <= self.min_percent:
            raise wrong("belowPercent should be more than minPercent")
        return self

    def matches(self, asked: Asked) -> bool:
        taken = asked.facts.occupancy.get(asked.day, 0)
        return self.min_percent * 100 <= taken and (self.below_percent is None or taken < self.below_percent * 100)
