from zoneinfo import ZoneInfo

import pytest

from tests.engine.rules.examples import (
    LISBON,
    LORD_HOWE,
    NEW_YORK,
    code_of,
    fault_of,
    interval,
    refusal_of,
    request,
    stay,
)

NEW_YEARS_EVE = {"dates": ["2026-12-31"]}
MONDAYS = {"weekdays": [1], "from": "2026-12-01", "until": "2026-12-15"}  # the 7th and the 14th
A_WEEK = {"from": "2026-12-01", "until": "2026-12-08"}


@pytest.mark.parametrize(
    ("parameters", "arrival", "nights", "refused"),
    [
        (NEW_YEARS_EVE, "2026-12-30", 1, False),  # departs on it
        (NEW_YEARS_EVE, "2026-12-30", 2, True),
        (NEW_YEARS_EVE, "2026-12-31", 1, True),
        (NEW_YEARS_EVE, "2027-01-01", 1, False),
        (MONDAYS, "2026-11-30", 1, False),
        (MONDAYS, "2026-12-07", 1, True),
        (MONDAYS, "2026-12-14", 1, True),
        (MONDAYS, "2026-12-15", 6, False),
        (MONDAYS, "2026-12-21", 1, False),
        (A_WEEK, "2026-11-30", 1, False),
        (A_WEEK, "2026-11-30", 2, True),
        (A_WEEK, "2026-12-07", 1, True),
        (A_WEEK, "2026-12-08", 1, False),
        ({"weekdays": [2], "dates": ["2026-12-02"]}, "2026-12-02", 1, True),
        ({"weekdays": [2], "dates": ["2026-12-02"]}, "2027-12-07", 1, True),
        ({"from": "2026-12-01"}, "2028-01-01", 1, True),
        ({"until": "2026-12-01"}, "2026-12-01", 1, False),
    ],
)
def test_nights(parameters: dict[str, object], arrival: str, nights: int, refused: bool) -> None:
    assert code_of("STOP_SELL", parameters, stay(arrival, nights)) == ("CLOSED" if refused else None)


@pytest.mark.parametrize(
    ("zone", "day", "starts_at", "ends_at", "refused"),
    [
        (LISBON, "2026-03-29", "2026-03-28T23:00+00:00", "2026-03-29T00:00+00:00", False),
        (LISBON, "2026-03-29", "2026-03-29T23:59+01:00", "2026-03-30T00:30+01:00", True),
        (LISBON, "2026-03-29", "2026-03-30T00:00+01:00", "2026-03-30T00:30+01:00", False),
        (LISBON, "2026-10-25", "2026-10-25T23:59+00:00", "2026-10-26T00:30+00:00", True),
        (LORD_HOWE, "2026-10-04", "2026-10-03T23:00+10:30", "2026-10-04T00:01+10:30", True),
        (LORD_HOWE, "2026-10-04", "2026-10-05T00:00+11:00", "2026-10-05T00:30+11:00", False),
        (LORD_HOWE, "2026-04-05", "2026-04-05T23:59+10:30", "2026-04-06T00:30+10:30", True),
        (NEW_YORK, "2026-03-08", "2026-03-08T23:59-04:00", "2026-03-09T00:30-04:00", True),
        (NEW_YORK, "2026-11-01", "2026-11-02T00:00-05:00", "2026-11-02T00:30-05:00", False),
        (NEW_YORK, "2026-11-01", "2026-11-01T23:59-05:00", "2026-11-02T00:00-05:00", True),
    ],
)
def test_days_when_the_clocks_change(zone: ZoneInfo, day: str, starts_at: str, ends_at: str, refused: bool) -> None:
    asked = request(interval(starts_at, ends_at))
    assert code_of("STOP_SELL", {"dates": [day]}, asked, zone=zone) == ("CLOSED" if refused else None)


def test_a_refusal_names_the_days() -> None:
    refusal = refusal_of("STOP_SELL", A_WEEK, stay("2026-11-30", 4))
    assert refusal is not None
    assert refusal.message == "Not for sale on Tuesday, 2026-12-01, and on 2 more days."
    assert refusal.parameters == {"days": ["2026-12-01", "2026-12-02", "2026-12-03"], "count": 3}
    whole_year = refusal_of("STOP_SELL", {"from": "2026-01-01"}, stay("2026-11-30", 366))
    assert whole_year is not None
    assert (len(whole_year.parameters["days"]), whole_year.parameters["count"]) == (31, 366)  # type: ignore[arg-type]


@pytest.mark.parametrize("type_", ["STOP_SELL", "CLOSED_TO_ARRIVAL", "CLOSED_TO_DEPARTURE"])
@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, ""),
        ({"weekdays": [], "dates": []}, ""),
        ({"from": "2026-12-01", "until": "2026-12-01"}, ""),
        ({"weekdays": [0]}, "weekdays.0"),
        ({"weekdays": [8]}, "weekdays.0"),
        ({"weekdays": [1, 1]}, "weekdays"),
        ({"weekdays": ["1"]}, "weekdays.0"),
        ({"dates": ["2026-02-29"]}, "dates.0"),
        ({"dates": ["2026-12-01T10:00"]}, "dates.0"),
        ({"dates": [1_700_000_000]}, "dates.0"),
        ({"dates": ["2026-12-01", "2026-12-01"]}, "dates"),
        ({"dates": ["2026-12-01"] * 401}, "dates"),
        ({"from": "1969-12-31"}, "from"),
        ({"until": "2201-01-01"}, "until"),
        ({"until": "soon"}, "until"),
        ({"date": "2026-12-01"}, "date"),
    ],
)
def test_invalid_parameters_are_refused(type_: str, parameters: dict[str, object], fault: str) -> None:
    assert fault_of(type_, parameters) == fault
