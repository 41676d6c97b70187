from datetime import date

import pytest

from engine.rules import registry
from engine.rules.base import NIGHTLY
from tests.engine.rules.examples import code_of, fault_of, refusal_of, stay

SHORT, LONG = "STAY_TOO_SHORT", "STAY_TOO_LONG"
WEEKS = {"nights": [14, 7]}


@pytest.mark.parametrize(
    ("parameters", "nights", "expected"),
    [
        ({"minNights": 2}, 1, SHORT),
        ({"minNights": 2}, 2, None),
        ({"minNights": 2}, 366, None),
        ({"maxNights": 3}, 1, None),
        ({"maxNights": 3}, 3, None),
        ({"maxNights": 3}, 4, LONG),
        ({"minNights": 2, "maxNights": 2}, 2, None),
        (WEEKS, 6, SHORT),
        (WEEKS, 7, None),
        (WEEKS, 8, "LENGTH_NOT_OFFERED"),
        (WEEKS, 13, "LENGTH_NOT_OFFERED"),
        (WEEKS, 14, None),
        (WEEKS, 15, LONG),
    ],
)
@pytest.mark.parametrize("arrival", ["2026-11-22", "2026-03-28", "2026-10-24"])
def test_stay_length(parameters: dict[str, object], nights: int, expected: str | None, arrival: str) -> None:
    """Nights are days of the calendar, whatever the clocks do in one of them."""
    assert code_of("STAY_LENGTH", parameters, stay(arrival, nights)) == expected


@pytest.mark.parametrize(
    ("parameters", "nights", "allowed"),
    [
        ({"minNights": 2}, 1, 2),
        ({"minNights": 2}, 5, 5),
        ({"maxNights": 3}, 3, 3),
        ({"maxNights": 3}, 4, None),
        (WEEKS, 1, 7),
        (WEEKS, 8, 14),
        (WEEKS, 15, None),
    ],
)
def test_the_next_length_that_is_allowed(parameters: dict[str, object], nights: int, allowed: int | None) -> None:
    assert registry.parse("STAY_LENGTH", parameters).nights_allowed(date(2026, 11, 22), nights) == allowed


def test_refusals_tell_what_is_allowed() -> None:
    between = refusal_of("STAY_LENGTH", WEEKS, stay("2026-11-22", 8))
    assert between is not None
    assert between.message == "8 nights can not be booked, but 7 or 14."
    assert between.parameters == {"asked": 8, "shorter": 7, "longer": 14, "nights": [14, 7]}
    too_short = refusal_of("STAY_LENGTH", {"minNights": 2}, stay("2026-11-22", 1))
    assert too_short is not None
    assert too_short.parameters == {"asked": 1, "minNights": 2}


def test_it_has_a_say_on_nights_only() -> None:
    assert registry.RULES["STAY_LENGTH"].applies_to == registry.RULES["STAY_THROUGH"].applies_to == {NIGHTLY}


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, ""),
        ({"nights": []}, ""),
        ({"nights": [2], "minNights": 2}, ""),
        ({"minNights": 3, "maxNights": 2}, ""),
        ({"nights": [0]}, "nights.0"),
        ({"nights": [367]}, "nights.0"),
        ({"nights": [2, 2]}, "nights"),
        ({"nights": list(range(1, 52))}, "nights"),
        ({"minNights": 0}, "minNights"),
        ({"maxNights": 367}, "maxNights"),
        ({"maxNights": "3"}, "maxNights"),
        ({"min": 3}, "min"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("STAY_LENGTH", parameters) == fault
