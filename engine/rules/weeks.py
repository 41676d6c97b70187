"""What rules that repeat every week share: clock times as parameters, and the weeks that a window touches."""

import re
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from models import civil
from models.errors import InvalidInput
from models.interval import Interval

DAY_MINUTES = 24 * 60

# Two years: a window and a duration of 366 days each, and what a look at the days around them needs.
WINDOW_MAX = timedelta(days=770)
# Before, zones are not what they are now; after, nobody books.
FIRST_YEAR, LAST_YEAR = 1970, 2200

_CLOCK_TIME = re.compile(r"[0-2][0-9]:[0-5][0-9]")
_WEEK = timedelta(days=7)
# A civil day begins up to a day after its last instants are shown (where clocks go back over midnight), and what
# begins on one day may end on the next.
_MARGIN = timedelta(days=2)


def minute_of_day(text: str) -> int:
    """The minutes from 00:00 to a clock time "HH:MM"; 1440 for "24:00"."""
    return int(text[:2]) * 60 + int(text[3:])


def civil_time(day: date, minute: int) -> tuple[date, time]:
    """The civil day and time that is `minute` minutes, one day or more included, after midnight of `day`."""
    days, minute = divmod(minute, DAY_MINUTES)
    return day + timedelta(days=days), time(minute // 60, minute % 60)


def mondays(window: Interval, zone: ZoneInfo) -> Iterator[date]:
    """The first day of each week that can have a part in the window, also by what began in it before.

    Raises InvalidInput at once if the window is longer than 770 days or starts outside the years 1970 to 2200.
    """
    if window.duration > WINDOW_MAX:
        raise InvalidInput(f"the window is longer than {WINDOW_MAX.days} days: ask for a shorter one")
    if not FIRST_YEAR <= window.starts_at.year <= LAST_YEAR:
        raise InvalidInput(f"the window does not start in the years {FIRST_YEAR} to {LAST_YEAR}")
    first = civil.local_day(window.starts_at, zone) - _MARGIN
    last = civil.local_day(window.ends_at, zone) + _MARGIN
    first -= timedelta(days=first.weekday())
    return (first + n * _WEEK for n in range((last - first) // _WEEK + 1))


def _clock_time(text: str, *, last: str) -> str:
    if _CLOCK_TIME.fullmatch(text) and text <= last:
        return text
    raise PydanticCustomError("clock_time", f"should be a time of day HH:MM from 00:00 to {last}")


Weekday = Annotated[int, Field(strict=True, ge=1, le=7, description="ISO 8601: 1 is Monday, 7 is Sunday")]
ClockTime = Annotated[str, AfterValidator(lambda text: _clock_time(text, last="23:59"))]
ClosingTime = Annotated[str, AfterValidator(lambda text: _clock_time(text, last="24:00"))]
