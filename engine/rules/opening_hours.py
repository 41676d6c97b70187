"""OPENING_HOURS: a request must lie in the weekly opening hours."""

from bisect import bisect_left, bisect_right
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from engine.rules import spans, weeks
from engine.rules.base import OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from models import civil
from models.interval import Interval

HOURS_MAX = 100

# (weekday, minute of that day at which it opens, minute counted from the same midnight at which it closes)
_Week = tuple[tuple[int, int, int], ...]


class Hours(BaseModel):
    """Open on one weekday from `opens` to `closes` (not included), in civil time.

    If `closes` is not after `opens` it is a time of the next day: 22:00 to 02:00 is four hours, 09:00 to 09:00 a day
    and night. All of one day is 00:00 to 24:00.
    """

    model_config = Rule.model_config

    weekday: weeks.Weekday
    opens: weeks.ClockTime
    closes: weeks.ClosingTime


class OpeningHours(Rule):
    """The request must lie in the opening hours from its first to its last instant, else OUTSIDE_OPENING_HOURS.

    Hours that overlap or meet, also over midnight, are one: with 00:00 to 24:00 on seven days it never closes. When
    the clocks change, hours are what the clocks on the wall show: they are an hour shorter or longer, and an opening
    or closing time that is skipped is the end of the gap. An empty list is never open.
    """

    type: ClassVar[str] = "OPENING_HOURS"
    summary: ClassVar[str] = "A booking lies within the weekly opening hours, else OUTSIDE_OPENING_HOURS."
    applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS})

    weekly: tuple[Hours, ...] = Field(max_length=HOURS_MAX)

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        interval, zone = request.interval, facts.zone
        if any(opening.contains(interval) for opening in self._openings(interval, zone)):
            return None
        day = civil.local_day(interval.starts_at, zone)
        opening = self.open_intervals(civil.civil_day(day, zone), zone)
        hours = " and ".join(_clock_text(open_interval, zone) for open_interval in opening[:5])
        return Refusal(
            code="OUTSIDE_OPENING_HOURS",
            message=f"{_clock_text(interval, zone)} is not within the opening hours: on {day:%A}, {day} "
            + (f"open {hours}." if hours else "closed."),
            rule=self.type,
            parameters={
                "day": day.isoformat(),
                "opening": [
                    {
                        "opens": civil.local_text(open_interval.starts_at, zone),
                        "closes": civil.local_text(open_interval.ends_at, zone),
                    }
                    for open_interval in opening
                ],
            },
        )

    def open_intervals(self, window: Interval, zone: ZoneInfo) -> list[Interval]:
        """The open time within the window: merged, in order. InvalidInput for a window without bounds (weeks.py)."""
        return [clipped for opening in self._openings(window, zone) if (clipped := opening.clip(window))]

    def _openings(self, window: Interval, zone: ZoneInfo) -> list[Interval]:
        """The openings that have a part in the window, merged, in order; at its ends they may not be complete."""
        openings = _open_in_weeks(self.week, zone, *weeks.weeks_around(window))
        first = bisect_right(openings, window.starts_at, key=attrgetter("ends_at"))
        end = bisect_left(openings, window.ends_at, lo=first, key=attrgetter("starts_at"))
        return list(openings[first:end])

    @cached_property
    def week(self) -> _Week:
        """The hours as numbers, in one form however they were written: the key under which weeks are kept."""
        return tuple(sorted({_minutes(hours) for hours in self.weekly}))


def _minutes(hours: Hours) -> tuple[int, int, int]:
    opens, closes = weeks.minute_of_day(hours.opens), weeks.minute_of_day(hours.closes)
    return hours.weekday, opens, closes if closes > opens else closes + weeks.DAY_MINUTES


# Kept, because a day of slots asks for the same weeks again and again, resources of one kind share their hours, and
# longer windows share their weeks.
@lru_cache(maxsize=2048)
def _open_in_weeks(week: _Week, zone: ZoneInfo, monday: date, count: int) -> tuple[Interval, ...]:
    return tuple(
        spans.merge(interval for day in weeks.mondays(monday, count) for interval in _open_in_week(week, zone, day))
    )


@lru_cache(maxsize=4096)
def _open_in_week(week: _Week, zone: ZoneInfo, monday: date) -> tuple[Interval, ...]:
    """What opens in one week, in no order."""
    intervals = []
    for weekday, opens, closes in week:
        day = monday + timedelta(days=weekday - 1)
        starts_at = civil.instant_or_next(*weeks.civil_time(day, opens), zone)
        ends_at = civil.instant_or_next(*weeks.civil_time(day, closes), zone, last=True)
        if starts_at < ends_at:  # all of it may lie in a gap
            intervals.append(Interval(starts_at, ends_at))
    return tuple(intervals)


def _clock_text(interval: Interval, zone: ZoneInfo) -> str:
    """An interval in words: with the day of the end if it is another one, and midnight as the end of a day."""
    starts_at, ends_at = interval.starts_at.astimezone(zone), interval.ends_at.astimezone(zone)
    until = "24:00" if ends_at.time() == time.min else f"{ends_at:%H:%M}"
    last_day = civil.local_day(interval.ends_at - datetime.resolution, zone)
    return f"{starts_at:%H:%M} to {until}" + (f" on {last_day}" if last_day != starts_at.date() else "")
