from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import LONG_MAX, parse_clock, parse_day, parse_instant, parse_long, show_instant, show_long


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-22T18:00:00Z", datetime(2026, 11, 22, 18, tzinfo=UTC)),
        ("2026-11-22T18:00:00+01:00", datetime(2026, 11, 22, 17, tzinfo=UTC)),
        ("2026-11-22T18:00:00-00:00", datetime(2026, 11, 22, 18, tzinfo=UTC)),
        ("2026-11-22T18:00:00.5+01:00", datetime(2026, 11, 22, 17, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-22T18:00:00.123456789Z", datetime(2026, 11, 22, 18, 0, 0, 123_456, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2199-12-31T23:59:59Z", datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_into_utc(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T18:00:00",
        "2026-11-22 18:00:00Z",
        "2026-11-22T18:00Z",
        "2026-11-22",
        "20261122T180000Z",
        "2026-W47-7T18:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T18:00:00+24:00",
        "2026-11-22T18:00:00+0100",
        "2026-11-22T18:00:00.Z",
        "2026-11-22T18:00:00,5Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2199-12-31T23:59:59-01:00",
        "9999-12-31T23:59:59-23:59",
        "\uff12\uff10\uff12\uff16-11-22T18:00:00Z",
        "2026-11-22T18:00:00Z\n",
        "",
        1_700_000_000,
        True,
        None,
        {"at": "now"},
        ["2026-11-22T18:00:00Z"],
    ],
)
def test_anything_else_is_no_instant(value: Any) -> None:
    with pytest.raises(GraphQLError, match="DateTime"):
        parse_instant(value)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_an_instant_survives_the_way_out_and_in(instant: datetime, zone: timezone) -> None:
    assert show_instant(instant.astimezone(zone)).endswith("Z")
    assert parse_instant(show_instant(instant.astimezone(zone))) == instant


def test_a_fraction_is_shown_only_where_there_is_one() -> None:
    assert show_instant(datetime(2026, 11, 22, 18, tzinfo=UTC)) == "2026-11-22T18:00:00Z"
    assert show_instant(datetime(2026, 11, 22, 18, 0, 0, 5, tzinfo=UTC)) == "2026-11-22T18:00:00.000005Z"


def test_days() -> None:
    assert parse_day("2028-02-29") == date(2028, 2, 29)
    for bad in ("2026-02-29", "2026-2-9", "20260209", "1969-12-31", "2200-01-01", "", 20260209, None):
        with pytest.raises(GraphQLError, match="Date"):
            parse_day(bad)


def test_clock_times() -> None:
    assert parse_clock("23:59") == time(23, 59)
    for bad in ("24:00", "9:00", "09:60", "09:00:00", "09:00Z", "", 900, None):
        with pytest.raises(GraphQLError, match="Time"):
            parse_clock(bad)


def test_long_is_what_json_carries_without_loss() -> None:
    assert parse_long(LONG_MAX) == LONG_MAX == 2**53 - 1
    assert parse_long(-LONG_MAX) == -LONG_MAX
    for bad in (LONG_MAX + 1, -LONG_MAX - 1, 1.5, "1", True, None):
        with pytest.raises(GraphQLError, match="Long"):
            parse_long(bad)
    with pytest.raises(AssertionError):
        show_long(LONG_MAX + 1)
