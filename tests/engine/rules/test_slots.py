import time
from datetime import date, timedelta
from math import lcm
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules import slots
from engine.rules.base import NIGHTLY, OPENING_HOURS, START_TIME, Rule
from engine.rules.opening_hours import Hours, OpeningHours
from engine.rules.session_times import Session, SessionTimes
from engine.rules.start_grid import StartGrid
from models import civil
from models.errors import InvalidInput
from models.interval import Interval
from tests.engine.rules import oracles
from tests.engine.rules.examples import (
    ALGIERS,
    LISBON,
    LORD_HOWE,
    MINUTE,
    NEW_YORK,
    codes,
    facts_at,
    interval,
    minutes,
    wall,
)


def every_day(opens: str, closes: str) -> OpeningHours:
    return OpeningHours(weekly=tuple(Hours(weekday=n, opens=opens, closes=closes) for n in range(1, 8)))


def starts(found: list[Interval], zone: ZoneInfo) -> list[str]:
    return [f"{slot.starts_at.astimezone(zone):%H:%M%z}"[:-2] for slot in found]


SUNDAY = civil.civil_day(date(2026, 11, 22), ALGIERS)
MORNING = every_day("09:00", "12:00")


@pytest.mark.parametrize(
    ("rules", "duration", "expected"),
    [
        # A grid of 30 minutes, and slots as long as its step, unless told.
        ([MORNING], None, "09:00 09:30 10:00 10:30 11:00 11:30"),
        ([MORNING, StartGrid(minutes=60)], None, "09:00 10:00 11:00"),
        ([MORNING, StartGrid(minutes=60)], 30, "09:00 10:00 11:00"),
        ([MORNING, StartGrid(minutes=60)], 61, "09:00 10:00"),
        ([MORNING], 180, "09:00"),
        ([MORNING], 181, ""),
        ([every_day("09:10", "10:40")], None, "09:30 10:00"),
        # Of several rules of a type all must agree.
        ([MORNING, every_day("10:00", "14:00")], 60, "10:00 10:30 11:00"),
        ([MORNING, StartGrid(minutes=20), StartGrid(minutes=30)], 20, "09:00 10:00 11:00"),
        # Rules that have no say on this kind.
        ([MORNING, SessionTimes(weekly=())], 90, "09:00 09:30 10:00 10:30"),
        # No hours at all: always open; hours that are empty: never.
        ([StartGrid(minutes=480)], None, "00:00 08:00 16:00"),
        ([OpeningHours(weekly=())], None, ""),
        # Past the end of the window, as long as it starts in it.
        ([every_day("23:00", "01:00")], 60, "00:00 23:00 23:30"),
        ([every_day("23:00", "01:00")], 120, "23:00"),
    ],
)
def test_slots_of_opening_hours(rules: list[Rule], duration: int | None, expected: str) -> None:
    found = slots.slot_intervals(rules, OPENING_HOURS, SUNDAY, duration, ALGIERS)
    assert starts(found, ALGIERS) == [f"{text}+01" for text in expected.split()]


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        (LISBON, date(2026, 3, 29), "00:00+00 00:30+00 02:00+01 02:30+01"),
        (LISBON, date(2026, 10, 25), "00:00+01 00:30+01 01:00+01 01:30+01 01:00+00 01:30+00 02:00+00 02:30+00"),
        (LORD_HOWE, date(2026, 10, 4), "00:00+10 00:30+10 01:00+10 01:30+10 02:30+11"),
        (LORD_HOWE, date(2026, 4, 5), "00:00+11 00:30+11 01:00+11 01:30+11 01:30+10 02:00+10 02:30+10"),
        (NEW_YORK, date(2026, 3, 8), "00:00-05 00:30-05 01:00-05 01:30-05"),
        (NEW_YORK, date(2026, 11, 1), "00:00-04 00:30-04 01:00-04 01:30-04 01:00-05 01:30-05 02:00-05 02:30-05"),
    ],
)
def test_slots_when_the_clocks_change(zone: ZoneInfo, day: date, expected: str) -> None:
    found = slots.slot_intervals([every_day("00:00", "03:00")], OPENING_HOURS, civil.civil_day(day, zone), 30, zone)
    assert starts(found, zone) == expected.split()


def test_slots_of_sessions() -> None:
    rule = SessionTimes(
        weekly=(
            Session(weekday=7, starts="18:00", duration_minutes=75),
            Session(weekday=7, starts="08:00", duration_minutes=60),
            Session(weekday=7, starts="23:30", duration_minutes=60),
            Session(weekday=1, starts="08:00", duration_minutes=60),
        )
    )
    found = slots.slot_intervals([rule, MORNING], START_TIME, SUNDAY, None, ALGIERS)
    assert found == [
        interval("2026-11-22T08:00+01:00", "2026-11-22T09:00+01:00"),
        interval("2026-11-22T18:00+01:00", "2026-11-22T19:15+01:00"),
        interval("2026-11-22T23:30+01:00", "2026-11-23T00:30+01:00"),
    ]
    assert starts(slots.slot_intervals([rule], START_TIME, SUNDAY, 60, ALGIERS), ALGIERS) == ["08:00+01", "23:30+01"]
    other = SessionTimes(weekly=(Session(weekday=7, starts="08:00", duration_minutes=60),))
    assert starts(slots.slot_intervals([rule, other], START_TIME, SUNDAY, None, ALGIERS), ALGIERS) == ["08:00+01"]
    assert slots.slot_intervals([], START_TIME, SUNDAY, None, ALGIERS) == []


def test_nights_have_no_slots() -> None:
    assert slots.slot_intervals([MORNING], NIGHTLY, SUNDAY, None, ALGIERS) == []


rule_sets = st.tuples(
    st.lists(oracles.opening_hours, max_size=2),
    st.lists(st.sampled_from([10, 15, 30, 60, 90, 180, 720]).map(lambda m: StartGrid(minutes=m)), max_size=2),
)


@given(rules=rule_sets, place=oracles.places_and_windows(), duration=st.none() | st.integers(1, 1500))
@settings(deadline=None)
def test_slots_agree_with_a_walk_over_the_clocks_and_are_accepted(
    rules: tuple[list[OpeningHours], list[StartGrid]], place: tuple[ZoneInfo, Interval], duration: int | None
) -> None:
    hours, grids = rules
    zone, window = place
    step = lcm(*(grid.minutes for grid in grids)) if grids else slots.GRID_MINUTES_DEFAULT
    length = (duration or step) * MINUTE
    reach = Interval(window.starts_at, window.ends_at + length)
    open_minutes = set(minutes(reach)).intersection(*(oracles.open_minutes(rule.weekly, reach, zone) for rule in hours))
    expected = [
        Interval(at, at + length)
        for at in minutes(window)
        if (wall(at, zone).hour * 60 + wall(at, zone).minute) % step == 0
        and all(minute in open_minutes for minute in minutes(Interval(at, at + length)))
    ]
    all_rules = [*hours, *grids]
    assert slots.slot_intervals(all_rules, OPENING_HOURS, window, duration, zone) == expected
    for slot in expected:
        assert codes(all_rules, slot, facts_at(slot, zone)) == []


@given(schedule=oracles.schedules, place=oracles.places_and_windows(days_max=9))
@settings(deadline=None)
def test_session_slots_are_accepted(schedule: list[Session], place: tuple[ZoneInfo, Interval]) -> None:
    zone, window = place
    rule = SessionTimes(weekly=tuple(schedule))
    found = slots.slot_intervals([rule], START_TIME, window, None, zone)
    assert found == rule.sessions(window, zone)
    for slot in found:
        assert codes([rule], slot, facts_at(slot, zone, START_TIME)) == []


@given(rule=oracles.opening_hours, place=oracles.places_and_windows(), cut=st.floats(0.01, 0.99))
@settings(deadline=None)
def test_the_slots_of_two_windows_are_those_of_both(
    rule: OpeningHours, place: tuple[ZoneInfo, Interval], cut: float
) -> None:
    zone, window = place
    middle = window.starts_at + window.duration * cut
    whole, first, second = (
        slots.slot_intervals([rule], OPENING_HOURS, part, 45, zone)
        for part in (window, Interval(window.starts_at, middle), Interval(middle, window.ends_at))
    )
    assert first + second == whole


def test_the_limit_is_exact() -> None:
    assert len(slots.slot_intervals([MORNING], OPENING_HOURS, SUNDAY, None, ALGIERS, limit=6)) == 6
    with pytest.raises(InvalidInput, match="more than 5 slots: ask for a shorter window") as caught:
        slots.slot_intervals([MORNING], OPENING_HOURS, SUNDAY, None, ALGIERS, limit=5)
    assert caught.value.path == ("window",)


def test_too_many_slots_are_refused_before_they_are_made() -> None:
    year = Interval(SUNDAY.starts_at, SUNDAY.starts_at + timedelta(days=366))
    before = time.perf_counter()
    with pytest.raises(InvalidInput, match="more than 2000 slots"):
        slots.slot_intervals([StartGrid(minutes=1)], OPENING_HOURS, year, None, ALGIERS)  # 527,040
    assert time.perf_counter() - before < 0.2


@pytest.mark.parametrize("duration", [0, -1, slots.DURATION_MINUTES_MAX + 1, 10**12])
def test_durations_without_bounds_are_refused(duration: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        slots.slot_intervals([MORNING], OPENING_HOURS, SUNDAY, duration, ALGIERS)
    assert caught.value.path == ("durationMinutes",)


def test_the_longest_window_and_duration_are_answered() -> None:
    last = interval("2200-01-01T00:00+00:00", "2201-01-02T00:00+00:00")
    assert slots.slot_intervals([MORNING], OPENING_HOURS, last, slots.DURATION_MINUTES_MAX, ALGIERS) == []


@pytest.mark.parametrize("availability_type", [OPENING_HOURS, START_TIME, NIGHTLY])
@pytest.mark.parametrize(
    "window",
    [
        interval("2026-01-01T00:00+00:00", "2027-01-02T00:01+00:00"),
        interval("0001-01-01T00:00+00:00", "0001-01-01T00:01+00:00"),
        interval("9999-12-31T23:00+00:00", "9999-12-31T23:59+00:00"),
    ],
)
def test_windows_without_bounds_are_refused(window: Interval, availability_type: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        slots.slot_intervals([], availability_type, window, None, ALGIERS)
    assert caught.value.path == ("window",)
