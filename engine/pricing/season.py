"""SEASON: a part of every year has prices of its own."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.pricing.base import Adjusting, Asked
from engine.rules.parameters import wrong

_LEAP_YEAR = 2000


def _day_of_year(text: str) -> str:
    try:
        date(_LEAP_YEAR, *(int(part) for part in text.split("-")))
    except ValueError:
        raise wrong("should be a day that exists, MM-DD") from None
    return text


DayOfYear = Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$"), AfterValidator(_day_of_year)]


class Season(Adjusting):
    """From one day of the year to another, the latter not included; over New Year if that comes first in a year."""

    type: ClassVar[str] = "SEASON"
    summary: ClassVar[str] = "On days of a part of every year."
    step: ClassVar[int] = 100
    example: ClassVar[Mapping[str, object]] = {"from": "07-01", "until": "09-01", "percent": "40"}

    first: DayOfYear = Field(alias="from", description="The first day, MM-DD.")
    until: DayOfYear = Field(description="The first day after, MM-DD.")

    @model_validator(mode="after")
    def _is_a_part(self) -> Self:
        if self.first == self.until:
            raise wrong("from and until should be two days")
        return self

    def matches(self, asked: Asked) -> bool:
        day = asked.day.isoformat()[-5:]  # MM-DD, in a tenth of strftime's time
        if self.first < self.until:
            return self.first <= day < self.until
        return day >= self.first or day < self.until
