"""EVENT_DATES: a fair, a match, New Year's Eve."""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from engine.pricing.base import Adjusting, Asked
from engine.rules.parameters import Days


class EventDates(Adjusting):
    """On these dates."""

    type: ClassVar[str] = "EVENT_DATES"
    summary: ClassVar[str] = "On certain dates."
    step: ClassVar[int] = 300
    example: ClassVar[Mapping[str, object]] = {"dates": ["2026-12-31"], "amount": 5000}

    dates: Days = Field(min_length=1, description="Which, at most 400.")

    def matches(self, asked: Asked) -> bool:
        return asked.day in self._dates

    @cached_property
    def _dates(self) -> frozenset[object]:
        return frozenset(self.dates)
