"""LEAD_TIME: early birds, and last minutes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from engine.pricing.base import Adjusting, Asked
from engine.rules.limits import HORIZON_DAYS_MAX
from engine.rules.parameters import wrong

_Hours = Annotated[int, Field(strict=True, ge=0, le=HORIZON_DAYS_MAX * 24)]


class LeadTime(Adjusting):
    """When it is asked for at least `minHours`, and less than `belowHours`, before it begins; a stay at check-in."""

    type: ClassVar[str] = "LEAD_TIME"
    summary: ClassVar[str] = "When it is asked for early, or late."
    step: ClassVar[int] = 500
    example: ClassVar[Mapping[str, object]] = {"minHours": 1440, "percent": "-10"}

    min_hours: _Hours = Field(default=0, description="At least so many hours ahead.")
    below_hours: _Hours | None = Field(default=None, description="And fewer than this.")

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.min_hours == 0 and self.below_hours is None:
            raise wrong("should have minHours or belowHours")
        if self.below_hours is not None and self.below_hours <= self.min_hours:
            raise wrong("belowHours should be more than minHours")
        return self

    def matches(self, asked: Asked) -> bool:
        ahead = max(asked.request.interval.starts_at - asked.facts.now, timedelta(0))
        if ahead < timedelta(hours=self.min_hours):
            return False
        return self.below_hours is None or ahead < timedelta(hours=self.below_hours)
