from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules import registry
from engine.rules.base import NIGHTLY
from engine.rules.deciding import RuleSet, SetRule
from tests.engine.rules.examples import ALGIERS, LISBON, LORD_HOWE, NEW_YORK, code_of, fault_of, refusal_of, stay

SHORT, LONG = "STAY_TOO_SHORT", "STAY_TOO_LONG"


def valid(
    type_: str, parameters: Mapping[str, object], first: str | None = None, until: str | None = None, priority: int = 0
) -> SetRule:
    return SetRule(
        registry.parse(type_, parameters),
        priority=priority,
        valid_from=date.fromisoformat(first) if first else None,
        valid_until=date.fromisoformat(until) if until else None,
    )


CHRISTMAS = valid("STAY_THROUGH", {"minNights": 3}, "2026-12-24", "2026-12-27", 1)
ALWAYS = valid("STAY_THROUGH", {"minNights": 2})


@pytest.mark.parametrize(
    ("parameters", "nights", "expected"),
    [
        ({"minNights": 3}, 2, SHORT),
        ({"minNights": 3}, 3, None),
        ({"maxNights": 3}, 3, None),
        ({"maxNights": 3}, 4, LONG),
    ],
)
def test_stay_through(parameters: dict[str, int], nights: int, expected: str | None) -> None:
    assert code_of("STAY_THROUGH", parameters, stay("2026-11-22", nights)) == expected


@pytest.mark.parametrize(
    ("arrival", "nights", "expected"),
    [
        ("2026-12-23", 1, [SHORT]),  # by the one of every day
        ("2026-12-22", 2, []),  # departs on the first day
        ("2026-12-23", 2, [SHORT]),  # has the first night
        ("2026-12-22", 3, []),
        ("2026-12-26", 2, [SHORT]),  # has the last night
        ("2026-12-26", 3, []),
        ("2026-12-27", 2, []),
        ("2026-12-26", 1, [SHORT]),
    ],
)
def test_every_night_is_looked_at(arrival: str, nights: int, expected: list[str]) -> None:
    asked = stay(arrival, nights)
    rules = RuleSet((ALWAYS, CHRISTMAS), NIGHTLY).for_request(asked, ALGIERS)
    found = [refusal_of("STAY_THROUGH", rule.parameters(), asked) for rule in rules]
    assert [refusal.code for refusal in found if refusal][:1] == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (LISBON, date(2026, 3, 29)),
        (LISBON, date(2026, 10, 25)),
        (LORD_HOWE, date(2026, 10, 4)),
        (LORD_HOWE, date(2026, 4, 5)),
        (NEW_YORK, date(2026, 3, 8)),
        (NEW_YORK, date(2026, 11, 1)),
    ],
)
def test_nights_are_days_of_the_calendar_when_the_clocks_change(zone: ZoneInfo, day: date) -> None:
    one_day = valid("STAY_THROUGH", {"minNights": 3}, day.isoformat(), (day + timedelta(days=1)).isoformat())
    rules = RuleSet((one_day,), NIGHTLY)
    arrivals = [(day + timedelta(days=n)).isoformat() for n in (-2, -1, 0, 1)]
    asked = [len(rules.for_request(stay(arrival, 2, zone=zone), zone)) for arrival in arrivals]
    assert asked == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("rules", "arrival", "expected"),
    [
        ([], "2026-12-20", 1),
        ([ALWAYS], "2026-12-20", 2),
        ([ALWAYS, CHRISTMAS], "2026-12-22", 2),
        ([ALWAYS, CHRISTMAS], "2026-12-23", 3),
        ([ALWAYS, CHRISTMAS], "2026-12-26", 3),
        ([ALWAYS, CHRISTMAS], "2026-12-27", 2),
        ([valid("STAY_LENGTH", {"nights": [2, 5]}), CHRISTMAS], "2026-12-23", 5),
        ([valid("STAY_LENGTH", {"maxNights": 2}), CHRISTMAS], "2026-12-23", 1),
        ([valid("STAY_LENGTH", {"maxNights": 2}), CHRISTMAS], "2026-12-24", None),
        ([valid("CLOSED_TO_DEPARTURE", {"dates": ["2026-12-21"]})], "2026-12-20", 2),
        ([ALWAYS, valid("CLOSED_TO_DEPARTURE", {"from": "2026-12-21", "until": "2026-12-24"})], "2026-12-20", 4),
        ([valid("CLOSED_TO_DEPARTURE", {"weekdays": [1, 2, 3, 4, 5, 6, 7]})], "2026-12-20", None),
        (
            [valid("STAY_THROUGH", {"maxNights": 3}, "2026-12-22"), valid("STAY_LENGTH", {"minNights": 4})],
            "2026-12-19",
            None,
        ),
        (
            [valid("STAY_THROUGH", {"minNights": 366}), valid("CLOSED_TO_DEPARTURE", {"dates": ["2027-12-21"]})],
            "2026-12-20",
            None,
        ),
    ],
)
def test_the_shortest_stay(rules: list[SetRule], arrival: str, expected: int | None) -> None:
    assert RuleSet(rules, NIGHTLY).shortest_stay(date.fromisoformat(arrival)) == expected


days = st.integers(0, 20).map(lambda n: (date(2026, 12, 20) + timedelta(days=n)).isoformat())
lengths = st.integers(1, 9)
shapes = st.one_of(
    st.tuples(st.just("STAY_LENGTH"), lengths.map(lambda n: {"minNights": n})),
    st.tuples(st.just("STAY_LENGTH"), st.lists(lengths, min_size=1, unique=True).map(lambda n: {"nights": n})),
    st.tuples(st.just("STAY_THROUGH"), lengths.map(lambda n: {"minNights": n})),
    st.tuples(st.just("STAY_THROUGH"), lengths.map(lambda n: {"maxNights": n})),
    st.tuples(st.just("CLOSED_TO_DEPARTURE"), st.lists(days, min_size=1, unique=True).map(lambda n: {"dates": n})),
)
seasons = st.tuples(days, days).filter(lambda season: season[0] < season[1])


@given(drawn=st.lists(st.tuples(shapes, seasons, st.integers(0, 3)), max_size=6), arrival=days)
def test_the_shortest_stay_is_the_shortest_that_no_rule_refuses(
    drawn: list[tuple[tuple[str, dict[str, object]], tuple[str, str], int]], arrival: str
) -> None:
    rules = RuleSet(
        [valid(type_, parameters, season[0], season[1], priority) for (type_, parameters), season, priority in drawn],
        NIGHTLY,
    )

    def is_allowed(nights: int) -> bool:
        asked = stay(arrival, nights)
        found = rules.for_request(asked, ALGIERS)
        return all(code_of(rule.type, rule.parameters(), asked) is None for rule in found)

    # No rule has a bound over 9 nights but maxNights, nor a day after the 20th.
    expected = next((nights for nights in range(1, 45) if is_allowed(nights)), None)
    assert rules.shortest_stay(date.fromisoformat(arrival)) == expected


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, ""),
        ({"minNights": 3, "maxNights": 2}, ""),
        ({"minNights": 0}, "minNights"),
        ({"maxNights": 367}, "maxNights"),
        ({"minNights": 2.0}, "minNights"),
        ({"nights": [2]}, "nights"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("STAY_THROUGH", parameters) == fault
