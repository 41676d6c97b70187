"""OPENING_HOURS: a request must lie in the weekly opening hours, or those of a day that is an exception."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from engine.rules import spans, weeks
from engine.rules.base import OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parameters import DATES_MAX, Day, wrong
from engine.rules.parsing import Parameters
from models import civil
from models.interval import Interval

HOURS_MAX = 100
HOURS_OF_A_DAY_MAX = 20

_WEEK = timedelta(weeks=1)

# (weekday, minute of that day at which it opens, minute counted from the same midnight at which it closes)
_Week = tuple[tuple[int, int, int], ...]
# (date, and its openings in minutes as above)
_Exceptions = tuple[tuple[date, tuple[tuple[int, int], ...]], ...]


class Hours(Parameters):
    """Open on one weekday from `opens` to `closes` (not included), in civil time.

    If `closes` is not after `opens` it is a time of the next day: 22:00 to 02:00 is four hours, 09:00 to 09:00 a day
    and night. All of one day is 00:00 to 24:00.
    """

    weekday: weeks.Weekday
    opens: weeks.ClockTime = Field(description="HH:MM.")
    closes: weeks.ClosingTime = Field(description="HH:MM, not included; not after opens: on the next day.")


class HoursOfDay(Parameters):
    """Open from `opens` to `closes`, as in Hours, on the date of the exception."""

    opens: weeks.ClockTime = Field(description="HH:MM.")
    closes: weeks.ClosingTime = Field(description="HH:MM, not included; not after opens: on the next day.")


class HoursException(Parameters):
    """What opens on one date, in place of what opens on its weekday. An empty list: nothing."""

    date: Day = Field(description="YYYY-MM-DD.")
    hours: tuple[HoursOfDay, ...] = Field(
        max_length=HOURS_OF_A_DAY_MAX, description="What opens on it; an empty list: nothing. At most 20."
    )


def _each_date_once(exceptions: tuple[HoursException, ...]) -> tuple[HoursException, ...]:
    if len({exception.date for exception in exceptions}) < len(exceptions):
        raise wrong("should name each date only once")
    return exceptions


class OpeningHours(Rule):
    """The request must lie in the opening hours from its first to its last instant, else OUTSIDE_OPENING_HOURS.

    On the date of an exception its hours open in place of the weekly ones; what opened the day before and goes on past
    midnight stays open.

    Hours that overlap or meet, also over midnight, are one: with 00:00 to 24:00 on seven days it never closes. When
    the clocks change, hours are what the clocks on the wall show: they are an hour shorter or longer, and an opening
    or closing time that is skipped is the end of the gap. An empty list of hours is never open.
    """

    type: ClassVar[str] = "OPENING_HOURS"
    summary: ClassVar[str] = "A booking lies within the opening hours, else OUTSIDE_OPENING_HOURS."
    applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS})

    example: ClassVar[Mapping[str, object]] = {
        "weekly": [
            {"weekday": 1, "opens": "09:00", "closes": "18:00"},
            {"weekday": 5, "opens": "22:00", "closes": "02:00"},
        ],
        "exceptions": [{"date": "2026-12-25", "hours": []}],
    }

    weekly: tuple[Hours, ...] = Field(max_length=HOURS_MAX, description="What opens in every week, at most 100.")
    exceptions: Annotated[tuple[HoursException, ...], Field(max_length=DATES_MAX), AfterValidator(_each_date_once)] = (
        Field(default=(), description="Dates on which other hours open, at most 400.")
    )

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
        monday, count = weeks.weeks_around(window)
        openings = _open_in_weeks(self.week, self._exceptions_in(monday, count), zone, monday, count)
        first = bisect_right(openings, window.starts_at, key=attrgetter("ends_at"))
        end = bisect_left(openings, window.ends_at, lo=first, key=attrgetter("starts_at"))
        return list(openings[first:end])

    @cached_property
    def week(self) -> _Week:
        """The hours as numbers, in one form however they were written: the key under which weeks are kept."""
        return tuple(sorted({(hours.weekday, *_minutes(hours)) for hours in self.weekly}))

    @cached_property
    def _exceptions(self) -> _Exceptions:
        return tuple(
            sorted((one.date, tuple(sorted({_minutes(hours) for hours in one.hours}))) for one in self.exceptions)
        )

    def _exceptions_in(self, monday: date, count: int) -> _Exceptions:
        """Those of these weeks: most have none, and are kept together with those of other rules."""
        if not self._exceptions:
            return ()
        first = bisect_left(self._exceptions, monday, key=itemgetter(0))
        end = bisect_left(self._exceptions, monday + timedelta(weeks=count), lo=first, key=itemgetter(0))
        return self._exceptions[first:end]


def _minutes(hours: Hours | HoursOfDay) -> tuple[int, int]:
    opens, closes = weeks.minute_of_day(hours.opens), weeks.minute_of_day(hours.closes)
    return opens, closes if closes > opens else closes + weeks.DAY_MINUTES


# Kept, because a day of slots asks for the same weeks again and again, resources of one kind share their hours, and
# longer windows share their weeks.
@lru_cache(maxsize=2048)
def _open_in_weeks(
    week: _Week, exceptions: _Exceptions, zone: ZoneInfo, monday: date, count: int
) -> tuple[Interval, ...]:
    by_week = {day: tuple(one for one in exceptions if day <= one[0] < day + _WEEK) for day in _mondays_of(exceptions)}
    return tuple(
        spans.merge(
            interval
            for day in weeks.mondays(monday, count)
            for interval in _open_in_week(week, by_week.get(day, ()), zone, day)
        )
    )


def _mondays_of(exceptions: _Exceptions) -> set[date]:
    return {day - timedelta(days=day.weekday()) for day, _ in exceptions}


@lru_cache(maxsize=4096)
def _open_in_week(week: _Week, exceptions: _Exceptions, zone: ZoneInfo, monday: date) -> tuple[Interval, ...]:
    """What opens in one week, in no order."""
    excepted = {day for day, _ in exceptions}
    days = [(monday + timedelta(days=weekday - 1), opens, closes) for weekday, opens, closes in week]
    days = [one for one in days if one[0] not in excepted]
    days += [(day, opens, closes) for day, hours in exceptions for opens, closes in hours]
    intervals = []
    for day, opens, closes in days:
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
