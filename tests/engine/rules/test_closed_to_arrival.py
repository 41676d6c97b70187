"""Invalid parameters are in test_stop_sell.py, which shares them."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.rules import registry
from engine.rules.base import NIGHTLY, Refusal
from tests.engine.rules.examples import LISBON, LORD_HOWE, NEW_YORK, code_of, refusal_of, stay

TYPE = "CLOSED_TO_ARRIVAL"
SUNDAYS = {"weekdays": [7], "from": "2026-11-15", "until": "2026-11-29"}  # the 15th and the 22nd


@pytest.mark.parametrize(
    ("parameters", "arrival", "nights", "refused"),
    [
        (SUNDAYS, "2026-11-08", 1, False),
        (SUNDAYS, "2026-11-15", 1, True),
        (SUNDAYS, "2026-11-14", 3, False),  # over it
        (SUNDAYS, "2026-11-21", 1, False),  # ends on it
        (SUNDAYS, "2026-11-22", 1, True),
        (SUNDAYS, "2026-11-29", 1, False),
        ({"dates": ["2026-11-24"]}, "2026-11-24", 1, True),
        ({"dates": ["2026-11-24"]}, "2026-11-25", 1, False),
        ({"weekdays": [2]}, "2030-06-04", 1, True),
    ],
)
def test_closed_to_arrival(parameters: dict[str, object], arrival: str, nights: int, refused: bool) -> None:
    assert code_of(TYPE, parameters, stay(arrival, nights)) == (TYPE if refused else None)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (LISBON, "2026-03-29"),
        (LISBON, "2026-10-25"),
        (LORD_HOWE, "2026-10-04"),
        (LORD_HOWE, "2026-04-05"),
        (NEW_YORK, "2026-03-08"),
        (NEW_YORK, "2026-11-01"),
    ],
)
def test_civil_days_count_also_when_the_clocks_change(zone: ZoneInfo, day: str) -> None:
    around = [(date.fromisoformat(day) + timedelta(days=n)).isoformat() for n in (-1, 0, 1)]
    found = [code_of(TYPE, {"dates": [day]}, stay(arrival, 1, zone=zone), zone=zone) for arrival in around]
    assert found == [None, TYPE, None]


def test_a_refusal_tells_the_nearest_days() -> None:
    assert refusal_of(TYPE, {"dates": ["2026-11-22", "2026-11-23"]}, stay("2026-11-22", 1)) == Refusal(
        code=TYPE,
        message="No arrivals on Sunday, 2026-11-22.",
        rule=TYPE,
        parameters={"arrival": "2026-11-22", "earlier": "2026-11-21", "later": "2026-11-24"},
    )
    always = refusal_of(TYPE, {"weekdays": [1, 2, 3, 4, 5, 6, 7]}, stay("2026-11-22", 1))
    assert always is not None
    assert (always.parameters["earlier"], always.parameters["later"]) == (None, None)


def test_it_has_a_say_on_nights_only() -> None:
    assert registry.RULES[TYPE].applies_to == {NIGHTLY}
