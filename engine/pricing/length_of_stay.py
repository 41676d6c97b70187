"""LENGTH_OF_STAY: a week costs less by the night, and a whole day less by the hour."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Self

from pydantic import Field, model_validator

from engine.pricing.base import Adjusting, Asked
from engine.rules.parameters import Minutes, Nights, at_most, wrong


class LengthOfStay(Adjusting):
    """Stays of at least `minNights` and at most `maxNights`; of what is not sold by the night, times of at least
    `minMinutes` and at most `maxMinutes`. Where only one of the two kinds is told, it has no say on the other.
    """

    type: ClassVar[str] = "LENGTH_OF_STAY"
    summary: ClassVar[str] = "For long stays or times, or short ones."
    step: ClassVar[int] = 600
    example: ClassVar[Mapping[str, object]] = {"minNights": 7, "percent": "-10"}

    min_nights: Nights | None = Field(default=None, description="At least so many nights.")
    max_nights: Nights | None = Field(default=None, description="At most so many nights.")
    min_minutes: Minutes | None = Field(default=None, description="At least so many minutes.")
    max_minutes: Minutes | None = Field(default=None, description="At most so many minutes.")

    @model_validator(mode="after")
    def _says_how_long(self) -> Self:
        if all(one is None for one in (self.min_nights, self.max_nights, self.min_minutes, self.max_minutes)):
            raise wrong("should have a least or a most number of nights or minutes")
        at_most(self.min_nights, self.max_nights, "minNights", "maxNights")
        at_most(self.min_minutes, self.max_minutes, "minMinutes", "maxMinutes")
        return self

    def matches(self, asked: Asked) -> bool:
        request = asked.request
        if request.stay is not None:
            return _lies(request.nights, self.min_nights, self.max_nights)
        return _lies(request.interval.duration, _minutes(self.min_minutes), _minutes(self.max_minutes))


def _minutes(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(minutes=count)


def _lies(length: int | timedelta, least: int | timedelta | None, most: int | timedelta | None) -> bool:
    if least is None and most is None:
        return False
    return (least is None or least <= length) and (most is None or length <= most)  # type: ignore[operator]
