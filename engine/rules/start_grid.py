"""START_GRID: a request must start at a time of day that is a multiple of so many minutes."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from engine.rules.base import OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.weeks import DAY_MINUTES
from models import civil
from models.interval import Interval

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = datetime.resolution
# With one start a day, a midnight that the clocks skip, in a zone that skips a day, is as far as the next one can be.
_NEAREST_MAX = timedelta(days=4)


def _dividing_the_day(minutes: int) -> int:
    if DAY_MINUTES % minutes:
        raise PydanticCustomError("start_grid", f"should divide a day of {DAY_MINUTES} minutes into equal parts")
    return minutes


class StartGrid(Rule):
    """The request must start a multiple of `minutes` after local midnight by the clocks on the wall, else OFF_GRID.

    The clocks count, not the time gone by: with 60, every full hour that is shown is on the grid on every day, also
    after a shift of 30 minutes, and both showings of a repeated hour are.
    """

    type: ClassVar[str] = "START_GRID"
    summary: ClassVar[str] = "A booking starts at a time of the grid, counted from midnight, else OFF_GRID."
    applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS})

    example: ClassVar[Mapping[str, object]] = {"minutes": 30}

    minutes: Annotated[int, Field(strict=True, ge=1, le=DAY_MINUTES), AfterValidator(_dividing_the_day)] = Field(
        description="So far apart are the starts; must divide a day of 1,440 minutes."
    )

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        starts_at, zone = request.interval.starts_at, facts.zone
        local = starts_at.astimezone(zone)
        if (local.hour * 60 + local.minute) % self.minutes == 0 and not (local.second or local.microsecond):
            return None
        earlier = _last_start(Interval(starts_at - _NEAREST_MAX, starts_at), self.minutes, zone)
        later = next(starts(Interval(starts_at, starts_at + _NEAREST_MAX), self.minutes, zone), None)
        return Refusal(
            code="OFF_GRID",
            message=f"{local:%H:%M} is not a start time: they are every {self.minutes} minutes from midnight.",
            rule=self.type,
            parameters={
                "minutes": self.minutes,
                "earlier": civil.local_text(earlier, zone) if earlier else None,
                "later": civil.local_text(later, zone) if later else None,
            },
        )


def starts(window: Interval, minutes: int, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants in the window at which the time of day is a multiple of `minutes`, in order, one by one.

    `minutes` must divide the day.
    """
    step = timedelta(minutes=minutes)
    for stretch in civil.stretches(window, zone):
        at = _first_start(stretch, step)
        while at < stretch.ends_at:
            yield at
            at += step


def _last_start(window: Interval, minutes: int, zone: ZoneInfo) -> datetime | None:
    step = timedelta(minutes=minutes)
    for stretch in reversed(list(civil.stretches(window, zone))):
        first = _first_start(stretch, step)
        if first < stretch.ends_at:
            return first + (stretch.ends_at - _INSTANT - first) // step * step
    return None


def _first_start(stretch: civil.Stretch, step: timedelta) -> datetime:
    # While the offset stands still, midnights are whole days from the first of 1970, so multiples of the step of day
    # are multiples of the step from there.
    since_midnight = stretch.starts_at + stretch.offset - _EPOCH
    return stretch.starts_at + -since_midnight % step
