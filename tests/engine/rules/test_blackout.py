from zoneinfo import ZoneInfo

import pytest

from engine.rules.base import Refusal
from tests.engine.rules.examples import (
    ALGIERS,
    APIA,
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

EID = {"from": "2026-11-22", "until": "2026-11-24"}
MORNING = {"from": "2026-11-22T08:00", "until": "2026-11-22T12:00"}


@pytest.mark.parametrize(
    ("parameters", "starts_at", "ends_at", "refused"),
    [
        (EID, "2026-11-21T23:00+01:00", "2026-11-22T00:00+01:00", False),
        (EID, "2026-11-21T23:00+01:00", "2026-11-22T00:00:00.000001+01:00", True),
        (EID, "2026-11-23T23:59+01:00", "2026-11-24T01:00+01:00", True),
        (EID, "2026-11-24T00:00+01:00", "2026-11-24T01:00+01:00", False),
        (EID, "2026-11-20T00:00+01:00", "2026-11-30T00:00+01:00", True),
        (MORNING, "2026-11-22T07:00+01:00", "2026-11-22T08:00+01:00", False),
        (MORNING, "2026-11-22T07:00+01:00", "2026-11-22T08:01+01:00", True),
        (MORNING, "2026-11-22T11:59+01:00", "2026-11-22T13:00+01:00", True),
        (MORNING, "2026-11-22T12:00+01:00", "2026-11-22T13:00+01:00", False),
    ],
)
def test_a_window(parameters: dict[str, str], starts_at: str, ends_at: str, refused: bool) -> None:
    asked = request(interval(starts_at, ends_at))
    assert code_of("BLACKOUT", parameters, asked) == ("CLOSED" if refused else None)


@pytest.mark.parametrize(
    ("parameters", "arrival", "nights", "refused"),
    [
        (EID, "2026-11-20", 2, False),  # departs on the first day
        (EID, "2026-11-20", 3, True),
        (EID, "2026-11-23", 1, True),
        (EID, "2026-11-24", 1, False),  # arrives when it is over
        (MORNING, "2026-11-21", 1, True),  # until 11:00
        (MORNING, "2026-11-22", 1, False),  # from 15:00
        ({"from": "2026-11-22T11:00", "until": "2026-11-22T15:00"}, "2026-11-21", 1, False),
        ({"from": "2026-11-22T10:59", "until": "2026-11-22T15:00"}, "2026-11-21", 1, True),
        ({"from": "2026-11-22T11:00", "until": "2026-11-22T15:01"}, "2026-11-22", 1, True),
    ],
)
def test_a_stay(parameters: dict[str, str], arrival: str, nights: int, refused: bool) -> None:
    assert code_of("BLACKOUT", parameters, stay(arrival, nights)) == ("CLOSED" if refused else None)


@pytest.mark.parametrize(
    ("zone", "first", "until", "starts_at", "ends_at", "refused"),
    [
        # Days of 23 and 25, 23.5 and 24.5 hours, from their first instant to their last.
        (LISBON, "2026-03-29", "2026-03-30", "2026-03-29T23:59+01:00", "2026-03-30T00:30+01:00", True),
        (LISBON, "2026-03-29", "2026-03-30", "2026-03-30T00:00+01:00", "2026-03-30T00:30+01:00", False),
        (LISBON, "2026-10-25", "2026-10-26", "2026-10-25T23:59+00:00", "2026-10-26T00:30+00:00", True),
        (LISBON, "2026-10-25", "2026-10-26", "2026-10-26T00:00+00:00", "2026-10-26T00:30+00:00", False),
        (LORD_HOWE, "2026-10-04", "2026-10-05", "2026-10-03T23:00+10:30", "2026-10-04T00:00+10:30", False),
        (LORD_HOWE, "2026-10-04", "2026-10-05", "2026-10-05T00:00+11:00", "2026-10-05T00:30+11:00", False),
        (LORD_HOWE, "2026-04-05", "2026-04-06", "2026-04-05T23:59+10:30", "2026-04-06T00:30+10:30", True),
        (NEW_YORK, "2026-03-08", "2026-03-09", "2026-03-08T23:59-04:00", "2026-03-09T00:30-04:00", True),
        (NEW_YORK, "2026-11-01", "2026-11-02", "2026-11-01T23:59-05:00", "2026-11-02T00:30-05:00", True),
        (NEW_YORK, "2026-11-01", "2026-11-02", "2026-11-02T00:00-05:00", "2026-11-02T00:30-05:00", False),
        # Times that are skipped are the end of the gap; of those shown twice, the first showing to the last.
        (LISBON, "2026-03-29T01:30", "2026-03-29T03:00", "2026-03-29T00:30+00:00", "2026-03-29T02:00+01:00", False),
        (LISBON, "2026-03-29T01:30", "2026-03-29T03:00", "2026-03-29T00:30+00:00", "2026-03-29T02:01+01:00", True),
        (LISBON, "2026-10-25T01:15", "2026-10-25T01:45", "2026-10-25T01:00+01:00", "2026-10-25T01:15+01:00", False),
        (LISBON, "2026-10-25T01:15", "2026-10-25T01:45", "2026-10-25T01:30+00:00", "2026-10-25T02:00+00:00", True),
        (LISBON, "2026-10-25T01:15", "2026-10-25T01:45", "2026-10-25T01:45+00:00", "2026-10-25T02:00+00:00", False),
        (LORD_HOWE, "2026-10-04T01:00", "2026-10-04T02:10", "2026-10-04T02:30+11:00", "2026-10-04T03:00+11:00", False),
        (LORD_HOWE, "2026-04-05T01:40", "2026-04-05T01:50", "2026-04-05T01:40+10:30", "2026-04-05T01:50+10:30", True),
        (NEW_YORK, "2026-03-08T02:10", "2026-03-08T02:50", "2026-03-08T01:00-05:00", "2026-03-08T04:00-04:00", False),
        (NEW_YORK, "2026-11-01T01:00", "2026-11-01T01:30", "2026-11-01T01:00-05:00", "2026-11-01T01:10-05:00", True),
        (APIA, "2011-12-30", "2011-12-31", "2011-12-29T00:00-10:00", "2012-01-01T00:00+14:00", False),
    ],
)
def test_when_the_clocks_change(
    zone: ZoneInfo, first: str, until: str, starts_at: str, ends_at: str, refused: bool
) -> None:
    asked = request(interval(starts_at, ends_at))
    found = code_of("BLACKOUT", {"from": first, "until": until}, asked, zone=zone)
    assert found == ("CLOSED" if refused else None)


def test_a_refusal() -> None:
    assert refusal_of("BLACKOUT", {**EID, "reason": "Eid"}, stay("2026-11-22", 1), zone=ALGIERS) == Refusal(
        code="CLOSED",
        message="Nothing can be booked from 2026-11-22 until 2026-11-24: Eid.",
        rule="BLACKOUT",
        parameters={"from": "2026-11-22", "until": "2026-11-24", "reason": "Eid"},
    )


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "from"),
        ({"from": "2026-11-22"}, "until"),
        ({"from": "2026-11-22", "until": "2026-11-22"}, ""),
        ({"from": "2026-11-22T08:00", "until": "2026-11-22T08:00"}, ""),
        ({"from": "2026-11-22", "until": "2026-11-23T08:00"}, ""),
        ({"from": "2026-02-29", "until": "2026-03-01"}, "from"),
        ({"from": "1969-02-28", "until": "2026-03-01"}, "from"),
        ({"from": "2026-11-22", "until": "2201-03-01"}, "until"),
        ({"from": "2026-11-22T24:00", "until": "2026-11-23T08:00"}, "from"),
        ({"from": "2026-11-22T08:00Z", "until": "2026-11-23T08:00"}, "from"),
        ({"from": 20261122, "until": "2026-11-23"}, "from"),
        ({**EID, "reason": ""}, "reason"),
        ({**EID, "reason": "x" * 201}, "reason"),
        ({**EID, "why": "x"}, "why"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("BLACKOUT", parameters) == fault
