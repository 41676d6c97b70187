from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from engine.rules import registry
from engine.rules.base import NIGHTLY, OPENING_HOURS, START_TIME, Refusal
from engine.rules.session_times import DURATION_MINUTES_MAX, SESSIONS_MAX, Session, SessionTimes
from models.errors import InvalidInput
from models.interval import Interval
from tests.engine.rules import oracles
from tests.engine.rules.examples import (
    ALGIERS,
    APIA,
    LISBON,
    LORD_HOWE,
    NEW_YORK,
    codes,
    facts,
    facts_at,
    interval,
    request,
)


def sessions(*weekly: tuple[int, str, int]) -> SessionTimes:
    rule = registry.parse(
        "SESSION_TIMES",
        {"weekly": [{"weekday": day, "starts": s, "durationMinutes": d} for day, s, d in weekly]},
    )
    assert isinstance(rule, SessionTimes)
    return rule


YOGA = sessions((1, "18:00", 75), (4, "07:30", 60), (4, "18:00", 75), (4, "18:00", 90))
FERRY = sessions((6, "23:30", 120), (7, "02:15", 30), (7, "01:45", 45))


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "accepted"),
    [
        ("2026-11-26T18:00+01:00", "2026-11-26T19:15+01:00", True),
        ("2026-11-26T18:00+01:00", "2026-11-26T19:30+01:00", True),
        ("2026-11-23T18:00+01:00", "2026-11-23T19:15+01:00", True),
        ("2026-11-23T17:00+00:00", "2026-11-23T18:15+00:00", True),  # the same, said in UTC
        ("2026-11-23T18:00+01:00", "2026-11-23T19:30+01:00", False),  # no long one on Mondays
        ("2026-11-26T18:00+01:00", "2026-11-26T19:14+01:00", False),
        ("2026-11-26T18:00+01:00", "2026-11-26T19:16+01:00", False),
        ("2026-11-26T17:59+01:00", "2026-11-26T19:15+01:00", False),
        ("2026-11-26T18:00:00.000001+01:00", "2026-11-26T19:15:00.000001+01:00", False),
        ("2026-11-26T07:30+01:00", "2026-11-26T08:30+01:00", True),
        ("2026-11-23T07:30+01:00", "2026-11-23T08:30+01:00", False),
        ("2026-11-26T07:30+01:00", "2026-11-26T19:15+01:00", False),  # from one to another
    ],
)
def test_session_times(starts_at: str, ends_at: str, accepted: bool) -> None:
    asked = interval(starts_at, ends_at)
    found = codes([YOGA], asked, facts_at(asked, ALGIERS, START_TIME))
    assert found == ([] if accepted else ["OFF_GRID"])


@pytest.mark.parametrize(
    ("zone", "window", "expected"),
    [
        (
            LISBON,  # no 01:45 on 2026-03-29; 23:30 takes its two hours over the change
            ("2026-03-28T12:00+00:00", "2026-03-29T12:00+01:00"),
            [
                ("2026-03-28T23:30+00:00", "2026-03-29T02:30+01:00"),
                ("2026-03-29T02:15+01:00", "2026-03-29T02:45+01:00"),
            ],
        ),
        (
            LISBON,  # 01:45 is shown twice on 2026-10-25: held at the first
            ("2026-10-24T12:00+01:00", "2026-10-25T12:00+00:00"),
            [
                ("2026-10-24T23:30+01:00", "2026-10-25T01:30+01:00"),
                ("2026-10-25T01:45+01:00", "2026-10-25T01:30+00:00"),
                ("2026-10-25T02:15+00:00", "2026-10-25T02:45+00:00"),
            ],
        ),
        (
            LORD_HOWE,  # no 02:15 on 2026-10-04
            ("2026-10-03T12:00+10:30", "2026-10-04T12:00+11:00"),
            [
                ("2026-10-03T23:30+10:30", "2026-10-04T01:30+10:30"),
                ("2026-10-04T01:45+10:30", "2026-10-04T03:00+11:00"),
            ],
        ),
        (
            LORD_HOWE,  # 01:45 is shown twice on 2026-04-05
            ("2026-04-05T00:00+11:00", "2026-04-05T12:00+10:30"),
            [
                ("2026-04-05T01:45+11:00", "2026-04-05T02:00+10:30"),
                ("2026-04-05T02:15+10:30", "2026-04-05T02:45+10:30"),
            ],
        ),
        (
            NEW_YORK,  # no 02:15 on 2026-03-08
            ("2026-03-08T00:00-05:00", "2026-03-08T12:00-04:00"),
            [("2026-03-08T01:45-05:00", "2026-03-08T03:30-04:00")],
        ),
        (
            NEW_YORK,  # 01:45 is shown twice on 2026-11-01
            ("2026-11-01T00:00-04:00", "2026-11-01T12:00-05:00"),
            [
                ("2026-11-01T01:45-04:00", "2026-11-01T01:30-05:00"),
                ("2026-11-01T02:15-05:00", "2026-11-01T02:45-05:00"),
            ],
        ),
    ],
)
def test_sessions_when_the_clocks_change(
    zone: ZoneInfo, window: tuple[str, str], expected: list[tuple[str, str]]
) -> None:
    found = FERRY.sessions(interval(*window), zone)
    assert found == [interval(*texts) for texts in expected]
    for session in found:
        assert codes([FERRY], session, facts_at(session, zone, START_TIME)) == []
    second_showing = interval("2026-10-25T01:45+00:00", "2026-10-25T02:30+00:00")
    assert codes([FERRY], second_showing, facts_at(second_showing, LISBON, START_TIME)) == ["OFF_GRID"]


def test_the_start_counts_for_the_window() -> None:
    late = interval("2026-11-28T23:30+01:00", "2026-11-29T01:30+01:00")
    assert FERRY.sessions(interval("2026-11-28T23:30+01:00", "2026-11-28T23:31+01:00"), ALGIERS) == [late]
    assert FERRY.sessions(interval("2026-11-28T00:00+01:00", "2026-11-28T23:30+01:00"), ALGIERS) == []
    assert late not in FERRY.sessions(interval("2026-11-28T23:31+01:00", "2026-11-30T00:00+01:00"), ALGIERS)


def test_a_day_that_the_zone_skips_has_no_sessions() -> None:
    weekend = interval("2011-12-29T00:00-10:00", "2012-01-01T00:00+14:00")
    assert sessions((5, "12:00", 60)).sessions(weekend, APIA) == []


@given(schedule=oracles.schedules, place=oracles.places_and_windows())
@settings(deadline=None)
def test_sessions_agree_with_a_walk_over_the_clocks(schedule: list[Session], place: tuple[ZoneInfo, Interval]) -> None:
    zone, window = place
    found = SessionTimes(weekly=tuple(schedule)).sessions(window, zone)
    assert found == sorted(oracles.sessions(schedule, window, zone))


def test_a_refusal_tells_the_nearest_sessions() -> None:
    asked = interval("2026-11-26T12:00+01:00", "2026-11-26T13:00+01:00")
    assert YOGA.evaluate(request(asked), facts(ALGIERS)) == Refusal(
        code="OFF_GRID",
        message="There is no session from 12:00 on Thursday, 2026-11-26, of 60 minutes.",
        rule="SESSION_TIMES",
        parameters={
            "earlier": {"starts": "2026-11-26T07:30:00+01:00", "ends": "2026-11-26T08:30:00+01:00"},
            "later": {"starts": "2026-11-26T18:00:00+01:00", "ends": "2026-11-26T19:15:00+01:00"},
        },
    )


def test_the_next_session_may_be_two_weeks_away() -> None:
    skipped_once = sessions((7, "01:30", 60))  # there is no 2026-03-29 01:30 in Lisbon
    asked = interval("2026-03-22T01:31+00:00", "2026-03-22T02:31+00:00")
    refusal = skipped_once.evaluate(request(asked), facts(LISBON))
    assert refusal is not None
    assert refusal.parameters == {
        "earlier": {"starts": "2026-03-22T01:30:00+00:00", "ends": "2026-03-22T02:30:00+00:00"},
        "later": {"starts": "2026-04-05T01:30:00+01:00", "ends": "2026-04-05T02:30:00+01:00"},
    }


def test_a_refusal_at_the_start_of_a_session_tells_that_session() -> None:
    asked = interval("2026-11-26T07:30+01:00", "2026-11-26T08:00+01:00")
    refusal = YOGA.evaluate(request(asked), facts(ALGIERS))
    assert refusal is not None
    assert refusal.parameters["later"] == {
        "starts": "2026-11-26T07:30:00+01:00",
        "ends": "2026-11-26T08:30:00+01:00",
    }


@pytest.mark.parametrize("rules", [[], [SessionTimes(weekly=())]])
def test_without_sessions_nothing_can_be_booked(rules: list[SessionTimes]) -> None:
    asked = interval("2026-11-26T12:00+01:00", "2026-11-26T13:00+01:00")
    [refusal] = registry.evaluate(rules, request(asked), facts_at(asked, ALGIERS, START_TIME))
    assert refusal.code == "OFF_GRID"
    assert refusal.parameters == {"earlier": None, "later": None}


def test_it_has_no_say_on_opening_hours_and_nights() -> None:
    asked = interval("2026-11-26T12:00+01:00", "2026-11-26T13:00+01:00")
    assert codes([YOGA], asked, facts_at(asked, ALGIERS, OPENING_HOURS)) == []
    assert codes([YOGA], asked, facts_at(asked, ALGIERS, NIGHTLY)) == []


GOOD = {"weekday": 1, "starts": "18:00", "durationMinutes": 60}


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({}, "weekly"),
        ({"weekly": "daily"}, "weekly"),
        ({"weekly": [GOOD | {"weekday": 0}]}, "weekly.0.weekday"),
        ({"weekly": [GOOD, GOOD | {"weekday": 8}]}, "weekly.1.weekday"),
        ({"weekly": [GOOD | {"starts": "24:00"}]}, "weekly.0.starts"),
        ({"weekly": [GOOD | {"starts": "18:00:00"}]}, "weekly.0.starts"),
        ({"weekly": [GOOD | {"durationMinutes": 0}]}, "weekly.0.durationMinutes"),
        ({"weekly": [GOOD | {"durationMinutes": DURATION_MINUTES_MAX + 1}]}, "weekly.0.durationMinutes"),
        ({"weekly": [GOOD | {"durationMinutes": 60.0}]}, "weekly.0.durationMinutes"),
        ({"weekly": [GOOD | {"ends": "19:00"}]}, "weekly.0.ends"),
        ({"weekly": [GOOD] * (SESSIONS_MAX + 1)}, "weekly"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        registry.parse("SESSION_TIMES", parameters)
    assert caught.value.path == ("parameters", *path.split("."))


def test_parameters_are_stored_in_camel_case_however_they_were_written() -> None:
    snake_case = {"weekday": 1, "starts": "18:00", "duration_minutes": 60}
    assert registry.parse("SESSION_TIMES", {"weekly": [snake_case]}).parameters() == {"weekly": [GOOD]}
