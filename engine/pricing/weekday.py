"""WEEKDAY: some days of the week have prices of their own."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from engine.pricing.base import Adjusting, Asked
from engine.rules.parameters import Weekdays


class Weekday(Adjusting):
    """On these weekdays; a night is of the day on which it begins."""

    type: ClassVar[str] = "WEEKDAY"
    summary: ClassVar[str] = "On some days of the week."
    step: ClassVar[int] = 200
    example: ClassVar[Mapping[str, object]] = {"weekdays": [5, 6], "percent": "15"}

    weekdays: Weekdays = Field(min_length=1, description="1 is Monday, 7 is Sunday.")

    def matches(self, asked: Asked) -> bool:
        return asked.day.isoweekday() in self.weekdays
