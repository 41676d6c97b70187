from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules import registry, start_grid
from engine.rules.base import NIGHTLY, START_TIME, Refusal
from engine.rules.start_grid import StartGrid
from models.errors import InvalidInput
from models.interval import Interval
from tests.engine.rules import oracles
from tests.engine.rules.examples import (
    ALGIERS,
    APIA,
    CAIRO,
    LISBON,
    LORD_HOWE,
    MINUTE,
    NEW_YORK,
    codes,
    facts,
    facts_at,
    interval,
    minutes,
    request,
    wall,
)

DIVISORS = [minutes for minutes in range(1, 1441) if 1440 % minutes == 0]


def from_time(starts_at: str) -> Interval:
    starts = interval(starts_at, "9999-12-31T00:00+00:00").starts_at
    return Interval(starts, starts + 20 * MINUTE)


@pytest.mark.parametrize(
    ("zone", "minutes", "starts_at", "accepted"),
    [
        (ALGIERS, 30, "2026-11-22T09:30+01:00", True),
        (ALGIERS, 30, "2026-11-22T09:29+01:00", False),
        (ALGIERS, 30, "2026-11-22T09:31+01:00", False),
        (ALGIERS, 30, "2026-11-22T09:30:01+01:00", False),
        (ALGIERS, 30, "2026-11-22T09:30:00.000001+01:00", False),
        (ALGIERS, 1, "2026-11-22T09:31+01:00", True),
        (ALGIERS, 1, "2026-11-22T09:31:30+01:00", False),
        (ALGIERS, 1440, "2026-11-22T00:00+01:00", True),
        (ALGIERS, 1440, "2026-11-22T00:00+00:00", False),
        (ALGIERS, 1440, "2026-11-22T12:00+01:00", False),
        (ALGIERS, 90, "2026-11-22T10:30+01:00", True),
        (ALGIERS, 90, "2026-11-22T10:00+01:00", False),
        # After a change of the clocks it is still they who count, not the hours since midnight.
        (LISBON, 120, "2026-03-29T02:00+01:00", True),
        (LISBON, 120, "2026-03-29T04:00+01:00", True),
        (LISBON, 120, "2026-03-29T03:00+01:00", False),
        (LISBON, 30, "2026-10-25T01:30+01:00", True),
        (LISBON, 30, "2026-10-25T01:30+00:00", True),
        (LISBON, 120, "2026-10-25T04:00+00:00", True),
        (LISBON, 120, "2026-10-25T03:00+00:00", False),
        (LORD_HOWE, 60, "2026-10-04T03:00+11:00", True),
        (LORD_HOWE, 60, "2026-10-04T02:30+11:00", False),
        (LORD_HOWE, 60, "2026-04-05T02:00+10:30", True),
        (LORD_HOWE, 60, "2026-04-05T01:30+10:30", False),
        (NEW_YORK, 60, "2026-03-08T03:00-04:00", True),
        (NEW_YORK, 180, "2026-03-08T04:00-04:00", False),
        (NEW_YORK, 60, "2026-11-01T01:00-05:00", True),
        (NEW_YORK, 60, "2026-11-01T01:30-05:00", False),
    ],
)
def test_start_grid(zone: ZoneInfo, minutes: int, starts_at: str, accepted: bool) -> None:
    asked = from_time(starts_at)
    found = codes([StartGrid(minutes=minutes)], asked, facts_at(asked, zone))
    assert found == ([] if accepted else ["OFF_GRID"])


@pytest.mark.parametrize(
    ("zone", "minutes", "starts_at", "earlier", "later"),
    [
        (ALGIERS, 30, "2026-11-22T09:31+01:00", "2026-11-22T09:30:00+01:00", "2026-11-22T10:00:00+01:00"),
        (ALGIERS, 1, "2026-11-22T23:59:30+01:00", "2026-11-22T23:59:00+01:00", "2026-11-23T00:00:00+01:00"),
        (ALGIERS, 1440, "2026-11-22T09:31+01:00", "2026-11-22T00:00:00+01:00", "2026-11-23T00:00:00+01:00"),
        (LISBON, 60, "2026-03-29T00:30+00:00", "2026-03-29T00:00:00+00:00", "2026-03-29T02:00:00+01:00"),
        (LISBON, 60, "2026-10-25T01:30+01:00", "2026-10-25T01:00:00+01:00", "2026-10-25T01:00:00+00:00"),
        (LORD_HOWE, 60, "2026-10-04T01:30+10:30", "2026-10-04T01:00:00+10:30", "2026-10-04T03:00:00+11:00"),
        (LORD_HOWE, 60, "2026-04-05T01:45+10:30", "2026-04-05T01:00:00+11:00", "2026-04-05T02:00:00+10:30"),
        (NEW_YORK, 60, "2026-11-01T01:30-05:00", "2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"),
        (CAIRO, 1440, "2026-04-24T05:00+03:00", "2026-04-23T00:00:00+02:00", "2026-04-25T00:00:00+03:00"),
        (APIA, 1440, "2011-12-29T09:00-10:00", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"),
    ],
)
def test_a_refusal_tells_the_nearest_starts(
    zone: ZoneInfo, minutes: int, starts_at: str, earlier: str, later: str
) -> None:
    refusal = StartGrid(minutes=minutes).evaluate(request(from_time(starts_at)), facts(zone))
    assert refusal is not None
    assert refusal.parameters == {"minutes": minutes, "earlier": earlier, "later": later}


def test_a_refusal() -> None:
    refusal = StartGrid(minutes=15).evaluate(request(from_time("2026-11-22T09:31+01:00")), facts(ALGIERS))
    assert refusal == Refusal(
        code="OFF_GRID",
        message="09:31 is not a start time: they are every 15 minutes from midnight.",
        rule="START_GRID",
        parameters={
            "minutes": 15,
            "earlier": "2026-11-22T09:30:00+01:00",
            "later": "2026-11-22T09:45:00+01:00",
        },
    )


@given(step=st.sampled_from(DIVISORS), place=oracles.places_and_windows())
@settings(deadline=None)
def test_starts_agree_with_a_walk_over_the_clocks(step: int, place: tuple[ZoneInfo, Interval]) -> None:
    zone, window = place
    expected = [at for at in minutes(window) if (wall(at, zone).hour * 60 + wall(at, zone).minute) % step == 0]
    assert list(start_grid.starts(window, step, zone)) == expected


@given(step=st.sampled_from(DIVISORS), place=oracles.places_and_windows(), second=st.integers(0, 59))
@settings(deadline=None)
def test_the_nearest_starts_are_the_nearest(step: int, place: tuple[ZoneInfo, Interval], second: int) -> None:
    zone, window = place
    at = window.starts_at + timedelta(seconds=second)
    rule = StartGrid(minutes=step)
    refusal = rule.evaluate(request(Interval(at, at + MINUTE)), facts(zone))
    before = list(start_grid.starts(Interval(at - timedelta(days=4), at), step, zone))
    after = list(start_grid.starts(Interval(at, at + timedelta(days=4)), step, zone))
    if refusal is None:
        assert after[0] == at
    else:
        assert refusal.parameters["earlier"] == before[-1].astimezone(zone).isoformat()
        assert refusal.parameters["later"] == after[0].astimezone(zone).isoformat()


def test_starts_are_made_one_by_one() -> None:
    centuries = interval("1970-01-02T00:00+00:00", "9999-12-01T00:00+00:00")
    assert next(start_grid.starts(centuries, 1, LISBON)) == centuries.starts_at


def test_it_has_no_say_on_sessions_and_nights() -> None:
    asked = from_time("2026-11-22T09:31+01:00")
    assert codes([StartGrid(minutes=30)], asked, facts_at(asked, ALGIERS, NIGHTLY)) == []
    assert StartGrid.applies_to.isdisjoint({NIGHTLY, START_TIME})


@pytest.mark.parametrize("minutes", [None, 0, -30, 7, 1441, 2880, 30.5, 30.0, "30", True, [], 10**30])
def test_invalid_parameters_are_refused(minutes: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        registry.parse("START_GRID", {"minutes": minutes})
    assert caught.value.path == ("parameters", "minutes")


@pytest.mark.parametrize("minutes", DIVISORS)
def test_every_equal_part_of_a_day_is_a_grid(minutes: int) -> None:
    assert registry.parse("START_GRID", {"minutes": minutes}) == StartGrid(minutes=minutes)
