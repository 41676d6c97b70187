"""What rules that repeat every week share: clock times as parameters, and the weeks that a window touches."""

import re
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from models.errors import InvalidInput
from models.interval import Interval

DAY_MINUTES = 24 * 60

# Two years: a window and a duration of 366 days each, and what a look at the days around them needs.
WINDOW_MAX = timedelta(days=770)
# Before, zones are not what they are now; after, nobody books.
FIRST_YEAR, LAST_YEAR = 1970, 2200

_CLOCK_TIME = re.compile(r"[0-2][0-9]:[0-5][0-9]")
_WEEK = timedelta(days=7)
# Civil days are up to a day off those of UTC, what begins on one day may end on the next, and where the clocks go
# back over midnight a day begins before the last instants of the day before.
_MARGIN = timedelta(days=3)


def minute_of_day(text: str) -> int:
    """The minutes from 00:00 to a clock time "HH:MM"; 1440 for "24:00"."""
    return int(text[:2]) * 60 + int(text[3:])


def civil_time(day: date, minute: int) -> tuple[date, time]:
    """The civil day and time that is `minute` minutes, one day or more included, after midnight of `day`."""
    days, minute = divmod(minute, DAY_MINUTES)
    return day + timedelta(days=days), time(minute // 60, minute % 60)


def weeks_around(window: Interval) -> tuple[date, int]:
    """The weeks, in any zone, in which something may begin that has a part in the window: the first Monday, how many.

    What begins must end on the same civil day or the next. Raises InvalidInput if the window is longer than 770 days
    or starts outside the years 1970 to 2200.
    """
    if window.duration > WINDOW_MAX:
        raise InvalidInput(f"the window is longer than {WINDOW_MAX.days} days: ask for a shorter one")
    if not FIRST_YEAR <= window.starts_at.year <= LAST_YEAR:
        raise InvalidInput(f"the window does not start in the years {FIRST_YEAR} to {LAST_YEAR}")
    first = window.starts_at.date() - _MARGIN
    monday = first - timedelta(days=first.weekday())
    return monday, (window.ends_at.date() + _MARGIN - monday) // _WEEK + 1


def mondays(first: date, count: int) -> Iterator[date]:
    """The first days of so many weeks."""
    return (first + n * _WEEK for n in range(count))


def _clock_time(text: str, *, last: str) -> str:
    if _CLOCK_TIME.fullmatch(text) and text <= last:
        return text
    raise PydanticCustomError("clock_time", f"should be a time of day HH:MM from 00:00 to {last}")


Weekday = Annotated[int, Field(strict=True, ge=1, le=7, description="ISO 8601: 1 is Monday, 7 is Sunday")]
ClockTime = Annotated[str, AfterValidator(lambda text: _clock_time(text, last="23:59"))]
ClosingTime = Annotated[str, AfterValidator(lambda text: _clock_time(text, last="24:00"))]
