"""The contract's scalars. What does not fit is an error of the request, before anything is done.

Years are 1970 to 2199, as in `engine.rules.weeks`: what lies outside is a mistake, and arithmetic with it may leave the
calendar.
"""

import re
from datetime import UTC, date, datetime, time
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from engine.rules.weeks import FIRST_YEAR, LAST_YEAR

Long = NewType("Long", int)
"""A whole number that a JSON number carries without loss."""

LONG_MAX = 2**53 - 1

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"\d\d:\d\d", re.ASCII)


def parse_instant(value: Any) -> datetime:
    """An aware instant, in UTC, of RFC 3339 text with an offset. Of a finer fraction, microseconds are kept."""
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise GraphQLError('DateTime must be RFC 3339 text with an offset, such as "2026-11-22T18:00:00+01:00".')
    day, clock, fraction, offset = found.groups()
    microseconds = (fraction or "").ljust(6, "0")[:6]
    try:
        instant = datetime.fromisoformat(f"{day}T{clock}.{microseconds}{'+00:00' if offset == 'Z' else offset}")
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("DateTime names no instant of the calendar.") from None
    _check_year(instant, "DateTime")
    return instant


def show_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with Z; a fraction only where there is one."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_day(value: Any) -> date:
    """A civil date of ISO 8601 text."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise GraphQLError('Date must be ISO 8601 text, such as "2026-11-22".')
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise GraphQLError("Date names no day of the calendar.") from None
    _check_year(day, "Date")
    return day


def parse_clock(value: Any) -> time:
    """A civil wall-clock time of HH:MM text."""
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        try:
            return time.fromisoformat(value)
        except ValueError:
            pass
    raise GraphQLError('Time must be a wall-clock time from "00:00" to "23:59".')


def parse_long(value: Any) -> int:
    """A whole number within ±(2^53 - 1), which JSON carries without loss."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LONG_MAX:
        return value
    raise GraphQLError("Long must be a whole number within ±(2^53 - 1).")


def show_long(value: int) -> int:
    """The number itself. One that does not fit is a defect."""
    assert abs(value) <= LONG_MAX, "a Long is beyond what a JSON number carries"
    return value


def _check_year(day: date, name: str) -> None:
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise GraphQLError(f"{name} must lie in the years {FIRST_YEAR} to {LAST_YEAR - 1}.")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description=(
            'An instant: RFC 3339 with an offset, such as "2026-11-22T18:00:00+01:00"; always answered in UTC with Z. '
            "Years 1970 to 2199, microseconds at the finest. Anything else is refused as an error of the request."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        parse_value=parse_instant,
        serialize=show_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description='A civil date in the venue\'s zone, ISO 8601: "2026-11-22". Years 1970 to 2199.',
        parse_value=parse_day,
        serialize=date.isoformat,
    ),
    time: strawberry.scalar(
        name="Time",
        description='A wall-clock time in the venue\'s zone, from "00:00" to "23:59".',
        parse_value=parse_clock,
        serialize=lambda clock: clock.strftime("%H:%M"),
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A whole number within ±(2^53 - 1), as a JSON number.",
        parse_value=parse_long,
        serialize=show_long,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description=(
            "Any JSON value: parameters of what is set and of refusals, the JSON Schemas of these, and lines of "
            "histories."
        ),
        parse_value=lambda value: value,
        serialize=lambda value: value,
    ),
}
"""What the schema is to be built with (`StrawberryConfig(scalar_map=...)`)."""
