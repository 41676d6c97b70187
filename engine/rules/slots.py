"""The times that can be offered under a set of rules; whether there is room at them is another question."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from math import lcm
from zoneinfo import ZoneInfo

from engine.rules import limits, spans, start_grid, weeks
from engine.rules.base import OPENING_HOURS, START_TIME, Rule, violation
from engine.rules.duration import Duration
from engine.rules.opening_hours import OpeningHours
from engine.rules.session_times import SessionTimes
from engine.rules.start_grid import StartGrid
from models.errors import InvalidInput
from models.interval import Interval

SLOTS_MAX = 2_000
GRID_MINUTES_DEFAULT = 30
DURATION_MINUTES_MAX = limits.DURATION_DAYS_MAX * weeks.DAY_MINUTES


def slot_intervals(
    rules: Sequence[Rule],
    availability_type: str,
    window: Interval,
    duration_minutes: int | None,
    zone: ZoneInfo,
    limit: int = SLOTS_MAX,
) -> list[Interval]:
    """The times that start in the window and that these rules know, in order; they may end after it.

    That the *start* counts makes windows add up: the slots of two days are those of the first and those of the
    second, also for a class that ends after midnight.

    OPENING_HOURS: every start on the grid (every 30 minutes if no rule tells) from which `duration_minutes` lie within
    the opening hours; with no such rule it is always open. If None: the shortest time that DURATION allows, or with no
    such rule a step of the grid; a time that DURATION refuses is offered if it is asked for, and refused then. Of
    several rules of a type all must agree. START_TIME: the sessions, of `duration_minutes` if that is given. NIGHTLY:
    none, nights have a calendar.

    Times in the past are included: only who knows the time can refuse them. Raises InvalidInput if there would be
    more than `limit` slots, found out without making them, if the window is longer than 366 days or starts in no
    year from 1970 to 2200, or if the duration is not from 1 minute to 366 days.
    """
    refusal = limits.window(window)
    if refusal is not None:
        raise violation(refusal, path=("window",))
    if duration_minutes is not None and not 1 <= duration_minutes <= DURATION_MINUTES_MAX:
        message = f"a duration is from 1 to {DURATION_MINUTES_MAX} minutes"
        raise InvalidInput(message, path=("durationMinutes",))
    found = list(islice(_slots(rules, availability_type, window, duration_minutes, zone), limit + 1))
    if len(found) > limit:
        raise InvalidInput(f"more than {limit} slots: ask for a shorter window", path=("window",))
    return found


def _slots(
    rules: Sequence[Rule], availability_type: str, window: Interval, duration_minutes: int | None, zone: ZoneInfo
) -> Iterator[Interval]:
    if availability_type == OPENING_HOURS:
        yield from _opening_hours_slots(rules, window, duration_minutes, zone)
    elif availability_type == START_TIME:
        yield from _session_slots(rules, window, duration_minutes, zone)


def _opening_hours_slots(
    rules: Sequence[Rule], window: Interval, duration_minutes: int | None, zone: ZoneInfo
) -> Iterator[Interval]:
    grids = [rule.minutes for rule in rules if isinstance(rule, StartGrid)]
    # All grids count from midnight, so what is on each of them is on the grid of their common multiple.
    minutes = lcm(*grids) if grids else GRID_MINUTES_DEFAULT
    duration = timedelta(minutes=duration_minutes or _shortest(rules, minutes))
    reach = Interval(window.starts_at, window.ends_at + duration)
    open_time = [reach]
    for rule in rules:
        if isinstance(rule, OpeningHours):
            open_time = spans.intersect(open_time, rule.open_intervals(reach, zone))
    for open_interval in open_time:
        end = min(open_interval.ends_at - duration + datetime.resolution, window.ends_at)
        if open_interval.starts_at < end:
            for starts_at in start_grid.starts(Interval(open_interval.starts_at, end), minutes, zone):
                yield Interval(starts_at, starts_at + duration)


def _shortest(rules: Sequence[Rule], grid_minutes: int) -> int:
    lengths = [rule.shortest_minutes(grid_minutes) for rule in rules if isinstance(rule, Duration)]
    return max(lengths, default=grid_minutes)


def _session_slots(
    rules: Sequence[Rule], window: Interval, duration_minutes: int | None, zone: ZoneInfo
) -> Iterator[Interval]:
    schedules = [set(rule.sessions(window, zone)) for rule in rules if isinstance(rule, SessionTimes)]
    for session in sorted(set.intersection(*schedules)) if schedules else ():
        if duration_minutes is None or session.duration == timedelta(minutes=duration_minutes):
            yield session
