"""Civil (wall clock) time and the instants that it names in an IANA zone.

Rules, opening hours and nights are civil: "Sunday 09:00 in Lisbon". Capacity is kept over instants. This
module is the only bridge between the two. Twice a year, and where a country has moved the date line, the
bridge has holes:

* a *gap*: the clocks jump forward, and some civil times never exist (once a whole day: Apia, 2011-12-30);
* a *repeat*: the clocks go back, and some civil times are shown twice.

What a person asks for is refused when it falls into a gap (`instant`); what follows from a rule moves on to
the end of the gap (`instant_or_next`). All instants returned are aware and in UTC. The offsets are those of
PEP 495: of a civil time, `fold=0` has the offset before the change of the clocks and `fold=1` the one after
it.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.errors import InvalidInput, InvalidTime
from models.interval import Interval

DAYS_MAX = 1_100  # the furthest arrival (730 days ahead) and the longest stay (366 days) fit in

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_NONE = timedelta(0)

# Only names that start with a capital: leaves out the files "localtime" and "posixrules", which mean another
# zone on another machine, and the trees "posix/" and "right/" (the latter counts leap seconds). No dots: no
# way out of the zone directory. "Factory" is tzdata's word for "nobody has set this".
_ZONE_NAME = re.compile(r"(?!Factory\Z)[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
_ZONE_NAME_LENGTH_MAX = 64


def zone(name: str, *, path: Sequence[str] = ()) -> ZoneInfo:
    """The zone of an IANA name, such as "Africa/Algiers", always the same object; InvalidInput if unknown."""
    found = None
    if len(name) <= _ZONE_NAME_LENGTH_MAX and _ZONE_NAME.fullmatch(name):
        found = _load_zone(name)
    if found is None:
        raise InvalidInput(f"unknown time zone: {name[:_ZONE_NAME_LENGTH_MAX]!r}", path=path)
    return found


def instant(day: date, at: time, zone: ZoneInfo, *, path: Sequence[str] = ()) -> datetime:
    """The instant at which the clocks of the zone show `at` on `day`: the first one, if they show it twice.

    Raises InvalidTime if they never do, or if the instant lies outside the years 1 to 9999.
    """
    first, second = _showings(day, at, zone, path)
    if second < first:
        raise InvalidTime(f"{day} {at:%H:%M} does not exist in {zone.key}: the clocks skip over it", path=path)
    return first


def instant_or_next(day: date, at: time, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The instant for a time that a rule makes, such as an opening hour; one exists for every civil time.

    By default, for a start: the first instant at which the clocks show that time or a later one. In a gap
    that is the end of the gap; of a repeated time it is the first showing.

    With `last`, for a (not included) end: the instant from which the clocks never again show an earlier time.
    In a gap that is again the end of the gap; of a repeated time it is the second showing, but of a time to
    which the clocks are set back exactly, it is the first: no earlier time of that day follows. So a venue
    open from 00:00 to 01:30 in the night in which the hour from 01:00 is repeated closes at the second 01:30,
    and one that is open until 01:00 closes at the first 01:00, before the repeat begins.

    Raises InvalidTime if the instant lies outside the years 1 to 9999.
    """
    first, second = _showings(day, at, zone)
    if second < first:
        return _change(second, first, zone)
    if last and first < second and _change(first, second, zone) < second:
        return second
    return first


def local_text(instant: datetime, zone: ZoneInfo) -> str:
    """What the clocks show at an instant, as ISO 8601 with the offset: "2026-11-22T18:00:00+01:00"."""
    if instant.tzinfo is None:
        raise ValueError("an instant is aware")
    return instant.astimezone(zone).isoformat()


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The civil date in the zone at an instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant is aware")
    return instant.astimezone(zone).date()


@lru_cache(maxsize=8192)
def civil_day(day: date, zone: ZoneInfo) -> Interval:
    """The instants of a civil day: mostly 24 hours, but 23, 23.5, 24.5 or 25 when the clocks change.

    It goes from the first instant that shows this day or a later one, to the same of the next day. So
    consecutive days always meet, also where the clocks are set back over midnight. Raises InvalidTime if the
    zone skipped the day, or for the last day of the calendar.
    """
    if day == date.max:
        raise InvalidTime(f"{day} is outside the calendar")
    starts_at = instant_or_next(day, _MIDNIGHT, zone)
    ends_at = instant_or_next(day + _DAY, _MIDNIGHT, zone)
    if starts_at == ends_at:
        raise InvalidTime(f"{day} does not exist in {zone.key}: the calendar skips it")
    return Interval(starts_at, ends_at)


def night(
    arrival: date, departure: date, check_in: time, check_out: time, zone: ZoneInfo, path: Sequence[str] = ()
) -> Interval:
    """The instants of a stay of one night or more: from check-in on `arrival` to check-out on `departure`.

    Raises InvalidInput unless `departure` is after `arrival`, and InvalidTime if the check-in or check-out
    time does not exist on its day; `path` is the stay's place in the input.
    """
    if departure <= arrival:
        raise InvalidInput("a stay ends on a later day than it begins", path=(*path, "departure"))
    return Interval(
        instant(arrival, check_in, zone, path=(*path, "arrival")),
        instant(departure, check_out, zone, path=(*path, "departure")),
    )


def days(first: date, end: date) -> Iterator[date]:
    """The civil days of [first, end), the end not included; none if it is not after the first.

    Raises InvalidInput at once if they are more than DAYS_MAX.
    """
    count = (end - first).days
    if count > DAYS_MAX:
        raise InvalidInput(f"{count} days are more than {DAYS_MAX}: ask for fewer")
    return (first + timedelta(days=n) for n in range(count))


class Stretch(NamedTuple):
    """[starts_at, ends_at), in which the clocks run evenly, at one `offset` from UTC."""

    starts_at: datetime
    ends_at: datetime
    offset: timedelta


def stretches(interval: Interval, zone: ZoneInfo) -> Iterator[Stretch]:
    """The interval, cut where the clocks change, in order.

    The clocks are looked at once a day: two changes that undo each other within a day would be missed; no
    zone has had any since 1970.
    """
    starts_at = at = interval.starts_at
    offset = _offset(at, zone)
    while at < interval.ends_at:
        seen, at = at, at + min(_DAY, interval.ends_at - at)
        offset_then = _offset(at, zone)
        if offset_then != offset:
            at = _change(seen, at, zone)
            yield Stretch(starts_at, at, offset)
            starts_at, offset = at, offset_then
    if starts_at < interval.ends_at:
        yield Stretch(starts_at, interval.ends_at, offset)


@lru_cache(maxsize=1024)
def _load_zone(name: str) -> ZoneInfo | None:
    # A folder ("America") is an OSError, a file that is no zone a ValueError.
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _showings(day: date, at: time, zone: ZoneInfo, path: Sequence[str] = ()) -> tuple[datetime, datetime]:
    """The instants of a civil time by the offsets before and after a change of the clocks that it lies in.

    Ordinary times: the same instant twice. A repeated time: its two showings. In a gap the second is the
    *earlier* one, the change lies between the two, and the clocks show the time at neither (PEP 495).
    """
    civil = datetime.combine(day, at.replace(fold=0) if at.fold else at, zone)
    try:
        return civil.astimezone(UTC), civil.replace(fold=1).astimezone(UTC)
    except OverflowError:
        raise InvalidTime(f"{day} {at:%H:%M} is outside the calendar", path=path) from None


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or _NONE  # a ZoneInfo always has one: `or` is for the type checker


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The whole second in (before, after] from which the offset is no longer that of `before`."""
    # Zones change at whole seconds, and instants since 1970 differ from a whole second only by their
    # microseconds.
    lower, upper = before.replace(microsecond=0), after.replace(microsecond=0)
    offset = _offset(lower, zone)
    while upper - lower > timedelta(seconds=1):
        middle = (lower + (upper - lower) / 2).replace(microsecond=0)
        if _offset(middle, zone) == offset:
            lower = middle
        else:
            upper = middle
    return upper
