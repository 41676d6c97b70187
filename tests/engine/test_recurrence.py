"""Recurrence rules: tables by hand, and random rules beside what python-dateutil makes of them."""

import time as clock
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.recurrence import OCCURRENCES_MAX, occurrences
from engine.recurrence_text import TEXT_LENGTH_MAX, parse
from models.errors import InvalidInput

LISBON = ZoneInfo("Europe/Lisbon")
FAR = date(2032, 12, 31)
DATEUTIL_YEAR_MAX = 2034
"""Where the property lets dateutil stop to look, instead of in the year 9999."""


def days(rule: str, first: str, *, last: date = FAR, zone: ZoneInfo = LISBON) -> list[str]:
    found = occurrences(parse(rule), datetime.fromisoformat(first), zone=zone, last=last)
    return [day.isoformat() for day in found]


@pytest.mark.parametrize(
    ("rule", "first", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", "2026-12-30 09:00", "2026-12-30 2026-12-31 2027-01-01"),
        ("RRULE:FREQ=DAILY;INTERVAL=10;COUNT=3", "2026-02-20 09:00", "2026-02-20 2026-03-02 2026-03-12"),
        ("freq=weekly;count=3", "2026-10-18 09:00", "2026-10-18 2026-10-25 2026-11-01"),
        ("FREQ=WEEKLY;BYDAY=TU,FR;COUNT=4", "2026-11-24 09:00", "2026-11-24 2026-11-27 2026-12-01 2026-12-04"),
        # Every other week: the weeks begin on Monday, or on Sunday; the example of RFC 5545.
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05 09:00",
         "1997-08-05 1997-08-10 1997-08-19 1997-08-24"),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05 09:00",
         "1997-08-05 1997-08-17 1997-08-19 1997-08-31"),
        ("FREQ=MONTHLY;COUNT=4", "2026-01-31 09:00", "2026-01-31 2026-03-31 2026-05-31 2026-07-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", "2026-08-31 09:00", "2026-08-31 2026-10-31 2026-12-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2027-12-31 09:00", "2027-12-31 2028-01-31 2028-02-29"),
        ("FREQ=MONTHLY;BYDAY=1MO,-1FR;COUNT=4", "2026-12-07 09:00", "2026-12-07 2026-12-25 2027-01-04 2027-01-29"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=2", "2026-11-13 09:00", "2026-11-13 2027-08-13"),
        # The last working day of the month.
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3", "2026-11-30 09:00",
         "2026-11-30 2026-12-31 2027-01-29"),
        ("FREQ=YEARLY;COUNT=2", "2028-02-29 09:00", "2028-02-29 2032-02-29"),
        ("FREQ=YEARLY;BYMONTH=3,11;COUNT=3", "2026-11-05 09:00", "2026-11-05 2027-03-05 2027-11-05"),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19 09:00", "1997-05-19 1998-05-18 1999-05-17"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", "1997-05-12 09:00", "1997-05-12 1998-05-11 1999-05-17"),
        ("FREQ=YEARLY;BYYEARDAY=1,-1;COUNT=3", "2026-12-31 09:00", "2026-12-31 2027-01-01 2027-12-31"),
        # An end that is a date includes that day, one that is a time depends on it.
        ("FREQ=DAILY;UNTIL=20261123", "2026-11-22 18:00", "2026-11-22 2026-11-23"),
        ("FREQ=DAILY;UNTIL=20261123T180000", "2026-11-22 18:00", "2026-11-22 2026-11-23"),
        ("FREQ=DAILY;UNTIL=20261123T175959", "2026-11-22 18:00", "2026-11-22"),
        # In summer the clocks of Lisbon are an hour ahead of UTC: 17:00 UTC is 18:00.
        ("FREQ=DAILY;UNTIL=20260702T170000Z", "2026-07-01 18:00", "2026-07-01 2026-07-02"),
        ("FREQ=DAILY;UNTIL=20260702T165959Z", "2026-07-01 18:00", "2026-07-01"),
    ],
)  # fmt: skip
def test_days(rule: str, first: str, expected: str) -> None:
    assert days(rule, first) == expected.split()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("", "NAME=VALUE"),
        ("every Monday", "NAME=VALUE"),
        ("INTERVAL=2", "FREQ"),
        ("FREQ=HOURLY;COUNT=3", "FREQ"),
        ("FREQ=DAILY;COUNT=3;COUNT=4", "each once"),
        ("FREQ=DAILY;COUNT=3\nFREQ=DAILY;COUNT=4", "NAME=VALUE"),
        ("DTSTART:20261122T090000\nRRULE:FREQ=DAILY;COUNT=3", "NAME=VALUE"),
        ("FREQ=DAILY;COUNT=3;BYHOUR=9", "NAME=VALUE"),
        ("FREQ=DAILY;COUNT=0", "COUNT is from 1"),
        ("FREQ=DAILY;COUNT=3,4", "COUNT is one number"),
        ("FREQ=DAILY;COUNT=3;INTERVAL=0", "INTERVAL is from 1 to 1,000"),
        ("FREQ=DAILY;COUNT=3;INTERVAL=1001", "INTERVAL is from 1 to 1,000"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20261231", "both"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is a date"),
        ("FREQ=DAILY;UNTIL=20261331", "UNTIL is a date"),
        ("FREQ=DAILY;UNTIL=99991231T235959Z", "UNTIL is a date"),
        ("FREQ=DAILY;COUNT=3;BYMONTH=13", "BYMONTH is from 1 to 12"),
        ("FREQ=DAILY;COUNT=3;BYMONTH=-1", "BYMONTH is from 1 to 12"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=0", "BYMONTHDAY is from 1 to 31, or from -31 to -1"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=" + "9" * 30, "BYMONTHDAY is from 1 to 31"),
        ("FREQ=WEEKLY;COUNT=3;BYMONTHDAY=1", "not for FREQ=WEEKLY"),
        ("FREQ=WEEKLY;COUNT=3;BYDAY=1MO", "numbered BYDAY"),
        ("FREQ=YEARLY;COUNT=3;BYDAY=1MO;BYWEEKNO=1", "numbered BYDAY"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=54MO", "BYDAY is days"),
        ("FREQ=WEEKLY;COUNT=3;BYDAY=XX", "BYDAY is days"),
        ("FREQ=MONTHLY;COUNT=3;BYWEEKNO=1", "for FREQ=YEARLY"),
        ("FREQ=WEEKLY;COUNT=3;BYSETPOS=1", "BYSETPOS needs"),
        ("FREQ=WEEKLY;COUNT=3;WKST=8", "WKST is one of"),
        ("FREQ=DAILY;COUNT=3" + " " * TEXT_LENGTH_MAX, "500 characters"),
    ],
)
def test_what_is_no_rule_is_told(rule: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse(rule)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("FREQ=DAILY", "let it end by 2028-11-21"),
        ("FREQ=DAILY;UNTIL=20281122", "let it end by 2028-11-21"),
        ("FREQ=MONTHLY;COUNT=26", "let it end by 2028-11-21"),
        ("FREQ=DAILY;COUNT=101", "at most 100 occurrences"),
        ("FREQ=DAILY;UNTIL=20281121", "at most 100 occurrences"),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "none of the recurrence rule's days"),
        ("FREQ=DAILY;UNTIL=20261121", "none of the recurrence rule's days"),
    ],
)
def test_a_series_that_goes_too_far_is_refused(rule: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        days(rule, "2026-11-22 09:00", last=date(2028, 11, 21))


def test_as_many_as_are_allowed() -> None:
    assert len(days(f"FREQ=DAILY;COUNT={OCCURRENCES_MAX}", "2026-11-22 09:00")) == OCCURRENCES_MAX


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=9",
        "FREQ=WEEKLY;BYMONTH=11;BYSETPOS=8;COUNT=9",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9",
        "FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1;COUNT=9",
    ],
)
def test_a_rule_that_matches_nothing_costs_little(rule: str) -> None:
    """python-dateutil looks for the next occurrence until the year 9999: 17 seconds for the first of these."""
    began = clock.process_time()
    with pytest.raises(InvalidInput):
        days(rule, "2026-11-22 09:00", last=date(2028, 11, 21))
    assert clock.process_time() - began < 0.5


def _lists(*values: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(*values), min_size=1, max_size=4, unique=True).map(lambda n: ",".join(map(str, n)))


_signed_days = _lists(st.integers(1, 31), st.integers(-31, -1))
_weekdays = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=4, unique=True)
_numbered = st.lists(
    st.builds("{}{}".format, st.sampled_from([-5, -2, -1, 1, 2, 3, 5]), st.sampled_from(["MO", "TU", "FR", "SU"])),
    min_size=1, max_size=3, unique=True,
)  # fmt: skip
_POSITIONS = _lists(st.integers(1, 5), st.integers(-5, -1))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule within what dateutil and RFC 5545 agree on: it does not mix MO with 1MO, nor positions in a first week."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"FREQ": frequency, "INTERVAL": str(draw(st.integers(1, 4)))}

    def maybe(name: str, values: st.SearchStrategy[str]) -> None:
        if draw(st.booleans()):
            parts[name] = draw(values)

    maybe("BYMONTH", _lists(st.integers(1, 12)))
    maybe("WKST", st.sampled_from(["MO", "SU", "TH"]))
    by_day = _weekdays if frequency in ("DAILY", "WEEKLY") else st.one_of(_weekdays, _numbered)
    maybe("BYDAY", by_day.map(",".join))
    if frequency != "WEEKLY":
        maybe("BYMONTHDAY", _signed_days)
    if frequency == "YEARLY":
        maybe("BYYEARDAY", _lists(st.integers(1, 366), st.integers(-366, -1)))
        if not any(character.isdigit() for character in parts.get("BYDAY", "")):
            maybe("BYWEEKNO", _lists(st.integers(1, 53)))
    if frequency in ("MONTHLY", "YEARLY") and len(parts) > 2 + ("WKST" in parts):
        maybe("BYSETPOS", _POSITIONS)
    return ";".join(f"{name}={value}" for name, value in parts.items())


@given(
    rule=rules(),
    around=st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)),
    count=st.none() | st.integers(1, 40),
    length=st.integers(0, 800),
)
def test_any_rule_recurs_as_dateutil_says(rule: str, around: datetime, count: int | None, length: int) -> None:
    first_wanted = around.replace(microsecond=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datetime.MAXYEAR", DATEUTIL_YEAR_MAX)
        first = next(iter(rrulestr(rule, dtstart=first_wanted)), None)
        assume(first is not None)
        assert first is not None
        last = date.fromordinal(first.toordinal() + length)
        assume(last.year <= DATEUTIL_YEAR_MAX)
        ended = f"{rule};COUNT={count}" if count else f"{rule};UNTIL={last:%Y%m%d}T235959"
        expected = [found.date() for found in rrulestr(ended, dtstart=first)]
    fits = len(expected) <= OCCURRENCES_MAX and expected[-1] <= last and len(expected) == (count or len(expected))
    assert _recurring(ended, first, last) == (expected if fits else None)


def _recurring(rule: str, first: datetime, last: date) -> list[date] | None:
    """The days, or None if the series is refused."""
    try:
        return occurrences(parse(rule), first, zone=LISBON, last=last)
    except InvalidInput:
        return None
