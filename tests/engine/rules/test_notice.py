from zoneinfo import ZoneInfo

import pytest

from engine.rules.base import RuleRequest
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
    stay,
)


def at(starts_at: str) -> RuleRequest:
    return request(interval(starts_at, "2100-01-01T00:00+00:00"))


NOON = "2026-11-22T12:00+01:00"
LATE = "2026-11-22T23:59+01:00"
DAY_BEFORE_0130 = {"minDays": 1, "cutOffTime": "01:30"}
SAME_DAY_0210 = {"minDays": 0, "cutOffTime": "02:10"}
SAME_DAY_0140 = {"minDays": 0, "cutOffTime": "01:40"}
CUT_OFF = {"minDays": 1, "cutOffTime": "18:00"}


@pytest.mark.parametrize(
    ("parameters", "asked", "now", "expected"),
    [
        ({"minMinutes": 90}, at("2026-11-22T13:30+01:00"), NOON, None),
        ({"minMinutes": 90}, at("2026-11-22T13:29:59+01:00"), NOON, "TOO_SOON"),
        ({"minMinutes": 0}, at(NOON), NOON, None),
        ({"maxMinutes": 90}, at("2026-11-22T13:30+01:00"), NOON, None),
        ({"maxMinutes": 90}, at("2026-11-22T13:30:00.000001+01:00"), NOON, "TOO_FAR"),
        ({"minDays": 1}, at("2026-11-22T23:59+01:00"), NOON, "TOO_SOON"),
        ({"minDays": 1}, at("2026-11-23T00:00+01:00"), NOON, None),
        ({"minDays": 1}, at("2026-11-23T00:00+01:00"), LATE, None),
        ({"minDays": 0}, at(LATE), NOON, None),
        ({"maxDays": 1}, at("2026-11-23T23:59+01:00"), NOON, None),
        ({"maxDays": 1}, at("2026-11-24T00:00+01:00"), LATE, "TOO_FAR"),
        ({"maxDays": 0}, at("2026-11-23T00:00+01:00"), LATE, "TOO_FAR"),
        ({"minDays": 730, "maxDays": 730}, at("2028-11-21T00:00+01:00"), NOON, None),
        # Until the cut-off on the day before; on the day itself with 0 days.
        (CUT_OFF, at("2026-11-23T09:00+01:00"), "2026-11-22T17:59:59+01:00", None),
        (CUT_OFF, at("2026-11-23T09:00+01:00"), "2026-11-22T18:00+01:00", "TOO_SOON"),
        (CUT_OFF, at("2026-11-24T00:00+01:00"), "2026-11-22T18:00+01:00", None),
        ({"minDays": 0, "cutOffTime": "10:00"}, at(LATE), "2026-11-22T09:59+01:00", None),
        ({"minDays": 0, "cutOffTime": "10:00"}, at(LATE), NOON, "TOO_SOON"),
        ({"minDays": 0, "cutOffTime": "10:00"}, at("2026-11-23T09:00+01:00"), NOON, None),
        # Of a stay the day of arrival counts, and check-in at 15:00.
        ({"minDays": 1}, stay("2026-11-22", 1), NOON, "TOO_SOON"),
        ({"minDays": 1}, stay("2026-11-23", 1), LATE, None),
        ({"maxDays": 30}, stay("2026-12-22", 9), NOON, None),
        ({"maxDays": 30}, stay("2026-12-23", 1), LATE, "TOO_FAR"),
        (CUT_OFF, stay("2026-11-23", 1), "2026-11-22T17:59+01:00", None),
        (CUT_OFF, stay("2026-11-23", 1), "2026-11-22T18:00+01:00", "TOO_SOON"),
        ({"minMinutes": 180}, stay("2026-11-22", 1), NOON, None),
        ({"minMinutes": 181}, stay("2026-11-22", 1), NOON, "TOO_SOON"),
    ],
)
def test_notice(parameters: dict[str, object], asked: RuleRequest, now: str, expected: str | None) -> None:
    assert code_of("NOTICE", parameters, asked, now=now) == expected


@pytest.mark.parametrize(
    ("zone", "parameters", "starts_at", "now", "expected"),
    [
        # Minutes go by, whatever the clocks show: 23:00 to 03:00 is three hours or five.
        (LISBON, {"minMinutes": 240}, "2026-03-29T03:00+01:00", "2026-03-28T23:00+00:00", "TOO_SOON"),
        (LISBON, {"minMinutes": 300}, "2026-10-25T03:00+00:00", "2026-10-24T23:00+01:00", None),
        (LORD_HOWE, {"minMinutes": 240}, "2026-10-04T03:00+11:00", "2026-10-03T23:00+10:30", "TOO_SOON"),
        (LORD_HOWE, {"minMinutes": 270}, "2026-04-05T03:00+10:30", "2026-04-04T23:00+11:00", None),
        (NEW_YORK, {"minMinutes": 240}, "2026-03-08T03:00-04:00", "2026-03-07T23:00-05:00", "TOO_SOON"),
        (NEW_YORK, {"maxMinutes": 299}, "2026-11-01T03:00-05:00", "2026-10-31T23:00-04:00", "TOO_FAR"),
        # Days are those of the venue, of 23 hours or 25.
        (LISBON, {"minDays": 1}, "2026-03-30T00:00+01:00", "2026-03-29T23:59+01:00", None),
        (LISBON, {"minDays": 1}, "2026-03-29T23:59+01:00", "2026-03-29T00:00+00:00", "TOO_SOON"),
        (LISBON, {"maxDays": 0}, "2026-10-25T23:59+00:00", "2026-10-25T00:00+01:00", None),
        (LORD_HOWE, {"maxDays": 0}, "2026-04-05T23:59+10:30", "2026-04-05T00:00+11:00", None),
        (LORD_HOWE, {"minDays": 1}, "2026-10-05T00:00+11:00", "2026-10-04T23:59+11:00", None),
        (NEW_YORK, {"maxDays": 1}, "2026-11-02T23:59-05:00", "2026-11-01T00:00-04:00", None),
        (NEW_YORK, {"maxDays": 1}, "2026-03-10T00:00-04:00", "2026-03-08T23:59-04:00", "TOO_FAR"),
        # A cut-off that is skipped is the end of the gap; of one that is shown twice the first showing counts.
        (LISBON, DAY_BEFORE_0130, "2026-03-30T09:00+01:00", "2026-03-29T00:59+00:00", None),
        (LISBON, DAY_BEFORE_0130, "2026-03-30T09:00+01:00", "2026-03-29T02:00+01:00", "TOO_SOON"),
        (LISBON, DAY_BEFORE_0130, "2026-10-26T09:00+00:00", "2026-10-25T01:29+01:00", None),
        (LISBON, DAY_BEFORE_0130, "2026-10-26T09:00+00:00", "2026-10-25T01:10+00:00", "TOO_SOON"),
        (LORD_HOWE, SAME_DAY_0210, "2026-10-04T09:00+11:00", "2026-10-04T01:59+10:30", None),
        (
            LORD_HOWE,
            SAME_DAY_0210,
            "2026-10-04T09:00+11:00",
            "2026-10-04T02:30+11:00",
            "TOO_SOON",
        ),
        (
            LORD_HOWE,
            SAME_DAY_0140,
            "2026-04-05T09:00+10:30",
            "2026-04-05T01:35+10:30",
            "TOO_SOON",
        ),
        (
            NEW_YORK,
            SAME_DAY_0210,
            "2026-03-08T09:00-04:00",
            "2026-03-08T03:00-04:00",
            "TOO_SOON",
        ),
        (NEW_YORK, SAME_DAY_0140, "2026-11-01T09:00-05:00", "2026-11-01T01:39-04:00", None),
        (
            NEW_YORK,
            SAME_DAY_0140,
            "2026-11-01T09:00-05:00",
            "2026-11-01T01:00-05:00",
            "TOO_SOON",
        ),
    ],
)
def test_when_the_clocks_change(
    zone: ZoneInfo, parameters: dict[str, object], starts_at: str, now: str, expected: str | None
) -> None:
    assert code_of("NOTICE", parameters, at(starts_at), zone=zone, now=now) == expected


def test_refusals_tell_what_can_be_booked_now() -> None:
    too_soon = refusal_of("NOTICE", CUT_OFF, stay("2026-11-23", 1), now="2026-11-22T18:00+01:00")
    assert too_soon is not None
    assert too_soon.message == "Too late to be booked: 2026-11-24 is the earliest that can be booked now."
    assert too_soon.parameters == {"earliest": "2026-11-24", **CUT_OFF}
    too_far = refusal_of("NOTICE", {"maxMinutes": 60}, at("2026-11-23T09:00+01:00"), zone=ALGIERS, now=NOON)
    assert too_far is not None
    assert too_far.parameters == {"latest": "2026-11-22T13:00:00+01:00", "maxMinutes": 60}


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, ""),
        ({"cutOffTime": "18:00"}, ""),
        ({"cutOffTime": "18:00", "maxDays": 1}, ""),
        ({"minDays": 1, "cutOffTime": "24:00"}, "cutOffTime"),
        ({"minDays": 2, "maxDays": 1}, ""),
        ({"minMinutes": 2, "maxMinutes": 1}, ""),
        ({"minDays": -1}, "minDays"),
        ({"minDays": 731}, "minDays"),
        ({"maxDays": 1.0}, "maxDays"),
        ({"maxMinutes": 730 * 1440 + 1}, "maxMinutes"),
        ({"minMinutes": True}, "minMinutes"),
        ({"minMinutes": "90"}, "minMinutes"),
        ({"minHours": 1}, "minHours"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("NOTICE", parameters) == fault
