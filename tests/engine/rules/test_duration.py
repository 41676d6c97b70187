from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.rules import registry, slots
from engine.rules.base import NIGHTLY, OPENING_HOURS, START_TIME
from models.interval import Interval
from tests.engine.rules.examples import (
    ALGIERS,
    LISBON,
    LORD_HOWE,
    NEW_YORK,
    code_of,
    fault_of,
    interval,
    refusal_of,
    request,
)

NINE = interval("2026-11-22T09:00+01:00", "2026-11-22T10:00+01:00").starts_at
ONE_TO_TWO_HOURS = {"minMinutes": 60, "maxMinutes": 120, "stepMinutes": 30}


def of(seconds: float) -> Interval:
    return Interval(NINE, NINE + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("parameters", "seconds", "expected"),
    [
        ({"minMinutes": 60}, 3600, None),
        ({"minMinutes": 60}, 3599.999999, "TOO_SHORT"),
        ({"minMinutes": 60}, 10**6, None),
        ({"maxMinutes": 60}, 3600, None),
        ({"maxMinutes": 60}, 3600.000001, "TOO_LONG"),
        ({"stepMinutes": 45}, 45 * 60, None),
        ({"stepMinutes": 45}, 90 * 60, None),
        ({"stepMinutes": 45}, 44 * 60, "LENGTH_NOT_OFFERED"),
        ({"stepMinutes": 45}, 90 * 60 + 1, "LENGTH_NOT_OFFERED"),
        (ONE_TO_TWO_HOURS, 59 * 60, "TOO_SHORT"),
        (ONE_TO_TWO_HOURS, 60 * 60, None),
        (ONE_TO_TWO_HOURS, 75 * 60, "LENGTH_NOT_OFFERED"),
        (ONE_TO_TWO_HOURS, 90 * 60, None),
        (ONE_TO_TWO_HOURS, 120 * 60, None),
        (ONE_TO_TWO_HOURS, 121 * 60, "TOO_LONG"),
        ({"minMinutes": 50, "stepMinutes": 20}, 70 * 60, None),
        ({"minMinutes": 50, "stepMinutes": 20}, 60 * 60, "LENGTH_NOT_OFFERED"),
    ],
)
def test_duration(parameters: dict[str, int], seconds: float, expected: str | None) -> None:
    assert code_of("DURATION", parameters, request(of(seconds))) == expected


@pytest.mark.parametrize(
    ("zone", "starts_at", "ends_at", "minutes"),
    [
        (LISBON, "2026-03-29T00:30+00:00", "2026-03-29T02:30+01:00", 60),
        (LISBON, "2026-10-25T00:30+01:00", "2026-10-25T02:30+00:00", 180),
        (LORD_HOWE, "2026-10-04T01:30+10:30", "2026-10-04T03:00+11:00", 60),
        (LORD_HOWE, "2026-04-05T01:30+11:00", "2026-04-05T02:30+10:30", 90),
        (NEW_YORK, "2026-03-08T01:30-05:00", "2026-03-08T03:30-04:00", 60),
        (NEW_YORK, "2026-11-01T00:30-04:00", "2026-11-01T02:30-05:00", 180),
    ],
)
def test_minutes_go_by_whatever_the_clocks_do(zone: ZoneInfo, starts_at: str, ends_at: str, minutes: int) -> None:
    asked = request(interval(starts_at, ends_at))
    assert code_of("DURATION", {"minMinutes": minutes, "maxMinutes": minutes}, asked, zone=zone) is None
    assert code_of("DURATION", {"minMinutes": minutes + 1}, asked, zone=zone) == "TOO_SHORT"
    assert code_of("DURATION", {"maxMinutes": minutes - 1}, asked, zone=zone) == "TOO_LONG"


@pytest.mark.parametrize(
    ("seconds", "parameters"),
    [
        (3599, {"minutes": 59}),
        (7201, {"minutes": 121}),
        (75 * 60, {"minutes": 75, "shorter": 60, "longer": 90}),
        (119 * 60, {"minutes": 119, "shorter": 90, "longer": 120}),
    ],
)
def test_refusals_tell_what_can_be_booked(seconds: int, parameters: dict[str, object]) -> None:
    refusal = refusal_of("DURATION", ONE_TO_TWO_HOURS, request(of(seconds)))
    assert refusal is not None
    assert refusal.parameters == {**parameters, **ONE_TO_TWO_HOURS}


def test_nothing_shorter_or_longer_is_told_where_there_is_nothing() -> None:
    refusal = refusal_of("DURATION", {"stepMinutes": 45, "maxMinutes": 80}, request(of(50 * 60)))
    assert refusal is not None
    assert (refusal.parameters["shorter"], refusal.parameters["longer"]) == (45, None)
    refusal = refusal_of("DURATION", {"stepMinutes": 45}, request(of(20 * 60)))
    assert refusal is not None
    assert (refusal.parameters["shorter"], refusal.parameters["longer"]) == (None, 45)


@pytest.mark.parametrize(
    ("parameters", "minutes"),
    [
        ({"minMinutes": 90}, 90),
        ({"minMinutes": 45, "stepMinutes": 15}, 45),
        ({"stepMinutes": 20}, 20),
        ({"maxMinutes": 10}, 10),
        ({"maxMinutes": 240}, 60),
    ],
)
def test_slots_are_as_short_as_is_allowed(parameters: dict[str, int], minutes: int) -> None:
    rules = [registry.parse("DURATION", parameters), registry.parse("START_GRID", {"minutes": 60})]
    window = interval("2026-11-22T09:00+01:00", "2026-11-22T11:00+01:00")
    found = slots.slot_intervals(rules, OPENING_HOURS, window, None, ALGIERS)
    assert [slot.duration // timedelta(minutes=1) for slot in found] == [minutes, minutes]
    assert [slot.duration for slot in slots.slot_intervals(rules, OPENING_HOURS, window, 7, ALGIERS)] == [
        timedelta(minutes=7)
    ] * 2


def test_sessions_and_nights_have_lengths_of_their_own() -> None:
    assert registry.RULES["DURATION"].applies_to.isdisjoint({START_TIME, NIGHTLY})


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, ""),
        ({"minMinutes": 0}, "minMinutes"),
        ({"maxMinutes": 366 * 1440 + 1}, "maxMinutes"),
        ({"stepMinutes": 0}, "stepMinutes"),
        ({"stepMinutes": 15.0}, "stepMinutes"),
        ({"minMinutes": 61, "maxMinutes": 60}, ""),
        ({"stepMinutes": 61, "maxMinutes": 60}, ""),
        ({"minutes": 60}, "minutes"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("DURATION", parameters) == fault
