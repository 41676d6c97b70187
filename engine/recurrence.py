"""Recurrence rules (RFC 5545, RRULE): the civil days on which something happens again.

Days are looked at period by period (year, month, week, day) and never past a last one, so that the work is bounded by
the calendar that is looked at, and not by what the rule matches (docs/adr/0015). `engine.recurrence_text` reads rules.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.errors import InvalidInput

OCCURRENCES_MAX = 100

_DAY = timedelta(days=1)


class Frequency(StrEnum):
    """How long a period is. What recurs within a day is no series of bookings, but many bookings a day."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One rule. Of each kind of condition that is given (the tuples that are not empty) one must hold.

    `until`: a date, that whole day included; a naive time of the venue's clocks; or an aware instant. `weekdays`: from
    0 (Monday), each with which one of the month or year it is, from the end if negative, 0: each of them. `positions`:
    of a period's days that are left, these, from the end if negative. Numbers of months, days and weeks are RFC 5545's.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    week_start: int = 0
    months: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    positions: tuple[int, ...] = ()


def occurrences(rule: Recurrence, first: datetime, *, zone: ZoneInfo, last: date) -> list[date]:
    """The days of the series that begins at `first`, a time of the clocks of `zone` (naive), in order.

    Every occurrence begins at the same time of the clocks, which decides about an `until` on that day. Raises
    InvalidInput if `first` is none of them, if they are more than 100, and if they may go on after `last`.
    """
    until = _until(rule, zone)
    if not rule.count and (until is None or until.date() > last):
        raise InvalidInput(f"The series goes too far: let it end by {last}, with UNTIL or COUNT.")
    found: list[date] = []
    for day in _days(_with_defaults(rule, first.date()), first.date(), last):
        if until is not None and datetime.combine(day, first.time()) > until:
            break
        if not found and day != first.date():
            break
        if len(found) == OCCURRENCES_MAX:
            raise InvalidInput(f"A series has at most {OCCURRENCES_MAX} occurrences: let it end earlier.")
        found.append(day)
        if len(found) == rule.count:
            break
    if not found:
        raise InvalidInput("The first occurrence is none of the recurrence rule's days.")
    if rule.count is not None and len(found) < rule.count:
        raise InvalidInput(f"The series goes too far: let it end by {last}, with UNTIL or COUNT.")
    return found


def _until(rule: Recurrence, zone: ZoneInfo) -> datetime | None:
    """As a time of the clocks of the zone."""
    if not isinstance(rule.until, datetime):
        return None if rule.until is None else datetime.combine(rule.until, time.max)
    return rule.until if rule.until.tzinfo is None else rule.until.astimezone(zone).replace(tzinfo=None)


def _with_defaults(rule: Recurrence, first: date) -> Recurrence:
    """What the rule leaves open is as on the first day: the day of the year, of the month or of the week."""
    if rule.weeks or rule.year_days or rule.month_days or rule.weekdays:
        return rule
    match rule.frequency:
        case Frequency.YEARLY:
            return replace(rule, months=rule.months or (first.month,), month_days=(first.day,))
        case Frequency.MONTHLY:
            return replace(rule, month_days=(first.day,))
        case Frequency.WEEKLY:
            return replace(rule, weekdays=((first.weekday(), 0),))
    return rule


def _days(rule: Recurrence, first: date, last: date) -> Iterator[date]:
    """The days that the rule matches in [first, last], in order, whatever its count and its end say."""
    for starts, ends in _periods(rule, first, last):
        days = [starts + n * _DAY for n in range((ends - starts).days)]
        chosen = [day for day in days if _matches(rule, day)]
        if rule.positions:
            numbers = {n - 1 if n > 0 else len(chosen) + n for n in rule.positions}
            chosen = [day for n, day in enumerate(chosen) if n in numbers]
        yield from (day for day in chosen if first <= day <= last)


def _periods(rule: Recurrence, first: date, last: date) -> Iterator[tuple[date, date]]:
    """Each period [starts, ends) that the rule looks at, from that of `first` to that of `last`."""
    number = 0
    starts, ends = _period(rule, first, number)
    while starts <= last:
        yield starts, ends
        number += rule.interval
        starts, ends = _period(rule, first, number)


def _period(rule: Recurrence, first: date, number: int) -> tuple[date, date]:
    """The period so many after that of `first`."""
    match rule.frequency:
        case Frequency.YEARLY:
            return date(first.year + number, 1, 1), date(first.year + number + 1, 1, 1)
        case Frequency.MONTHLY:
            return _month(first.year * 12 + first.month - 1 + number), _month(first.year * 12 + first.month + number)
        case Frequency.WEEKLY:
            starts = first - (first.weekday() - rule.week_start) % 7 * _DAY + 7 * number * _DAY
            return starts, starts + 7 * _DAY
        case Frequency.DAILY:
            return first + number * _DAY, first + (number + 1) * _DAY


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _matches(rule: Recurrence, day: date) -> bool:
    return (
        (not rule.months or day.month in rule.months)
        and (not rule.weeks or _is_one_of(rule.weeks, *_week(day, rule.week_start)))
        and (not rule.year_days or _is_one_of(rule.year_days, day.timetuple().tm_yday, _year_length(day.year)))
        and (not rule.month_days or _is_one_of(rule.month_days, day.day, _month_length(day)))
        and (not rule.weekdays or _is_weekday(rule, day))
    )


def _is_one_of(wanted: tuple[int, ...], number: int, count: int) -> bool:
    """Whether the `number`-th of `count` is wanted, counted from either end."""
    return number in wanted or number - count - 1 in wanted


def _is_weekday(rule: Recurrence, day: date) -> bool:
    if (day.weekday(), 0) in rule.weekdays:
        return True
    if rule.frequency is Frequency.YEARLY and not rule.months:
        number, count = day.timetuple().tm_yday, _year_length(day.year)
    else:
        number, count = day.day, _month_length(day)
    from_start, from_end = (number - 1) // 7 + 1, -((count - number) // 7 + 1)
    return (day.weekday(), from_start) in rule.weekdays or (day.weekday(), from_end) in rule.weekdays


def _week(day: date, week_start: int) -> tuple[int, int]:
    """The number of the day's week, and how many its year has. A week is of the year that has four of its days."""
    starts = day - (day.weekday() - week_start) % 7 * _DAY
    year = (starts + 3 * _DAY).year
    return (starts - _first_week(year, week_start)).days // 7 + 1, (
        _first_week(year + 1, week_start) - _first_week(year, week_start)
    ).days // 7


def _first_week(year: int, week_start: int) -> date:
    """The day on which the week of January 4 begins, which is the first to have four days of the year."""
    fourth = date(year, 1, 4)
    return fourth - (fourth.weekday() - week_start) % 7 * _DAY


def _year_length(year: int) -> int:
    return 366 if calendar.isleap(year) else 365


def _month_length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
