from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import civil
from models.errors import InvalidInput, InvalidTime
from models.interval import Interval

LISBON = civil.zone("Europe/Lisbon")
LORD_HOWE = civil.zone("Australia/Lord_Howe")
NEW_YORK = civil.zone("America/New_York")
ALGIERS = civil.zone("Africa/Algiers")
APIA = civil.zone("Pacific/Apia")
CAIRO = civil.zone("Africa/Cairo")
HAVANA = civil.zone("America/Havana")  # set back from 01:00 to 00:00
ST_JOHNS = civil.zone("America/St_Johns")  # until 2011 set back from 00:01 to 23:01 of the day before
UTC_ZONE = civil.zone("UTC")

ZONES = [LISBON, LORD_HOWE, NEW_YORK, ALGIERS, APIA, CAIRO, HAVANA, ST_JOHNS, UTC_ZONE]

# A zone, and a day on or beside which its clocks change (Algiers: they do not).
CHANGES = [
    (LISBON, date(2026, 3, 29)),
    (LISBON, date(2026, 10, 25)),
    (LORD_HOWE, date(2026, 10, 4)),
    (LORD_HOWE, date(2026, 4, 5)),
    (NEW_YORK, date(2026, 3, 8)),
    (NEW_YORK, date(2026, 11, 1)),
    (ALGIERS, date(2026, 3, 29)),
    (APIA, date(2011, 12, 30)),
    (CAIRO, date(2026, 4, 24)),
    (CAIRO, date(2026, 10, 30)),
    (HAVANA, date(2026, 3, 8)),
    (HAVANA, date(2026, 11, 1)),
    (ST_JOHNS, date(2006, 4, 2)),
    (ST_JOHNS, date(2006, 10, 29)),
]

MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---- zone


def test_zone_is_one_object_per_name() -> None:
    assert civil.zone("Europe/Lisbon") is LISBON
    assert civil.zone("America/Argentina/Buenos_Aires").key == "America/Argentina/Buenos_Aires"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "Europe/Lisbon\n",
        "Europe/Lisbon/",
        "/Europe/Lisbon",
        "/etc/passwd",
        "../../../etc/passwd",
        "Europe/../Europe/Lisbon",
        "Europe\\Lisbon",
        "Europe/Lisbon\0",
        "America",  # a folder
        "America/Argentina",
        "localtime",
        "posixrules",
        "posix/Europe/Lisbon",
        "right/Europe/Lisbon",
        "Factory",
        "tzdata.zi",
        "É",
        "A" * 100_000,
    ],
)
def test_zone_refuses_what_is_no_zone(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        civil.zone(name, path=("timeZone",))
    assert caught.value.path == ("timeZone",)
    assert len(caught.value.message) < 300


# ---- instant


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        (LISBON, date(2026, 3, 29), time(0, 59), "2026-03-29T00:59"),
        (LISBON, date(2026, 3, 29), time(2, 0), "2026-03-29T01:00"),
        (LISBON, date(2026, 10, 25), time(0, 59), "2026-10-24T23:59"),
        (LISBON, date(2026, 10, 25), time(1, 30), "2026-10-25T00:30"),  # the first of two
        (LISBON, date(2026, 10, 25), time(2, 0), "2026-10-25T02:00"),
        (LORD_HOWE, date(2026, 10, 4), time(1, 59), "2026-10-03T15:29"),
        (LORD_HOWE, date(2026, 10, 4), time(2, 30), "2026-10-03T15:30"),
        (LORD_HOWE, date(2026, 4, 5), time(1, 45), "2026-04-04T14:45"),  # the first of two
        (LORD_HOWE, date(2026, 4, 5), time(2, 0), "2026-04-04T15:30"),
        (NEW_YORK, date(2026, 3, 8), time(3, 0), "2026-03-08T07:00"),
        (NEW_YORK, date(2026, 11, 1), time(1, 0), "2026-11-01T05:00"),  # the first of two
        (NEW_YORK, date(2026, 11, 1), time(2, 0), "2026-11-01T07:00"),
        (ALGIERS, date(2026, 3, 29), time(2, 30), "2026-03-29T01:30"),
        (ALGIERS, date(2026, 10, 25), time(2, 30), "2026-10-25T01:30"),
        (APIA, date(2011, 12, 29), time(23, 59), "2011-12-30T09:59"),
        (APIA, date(2011, 12, 31), time(0, 0), "2011-12-30T10:00"),
        (CAIRO, date(2026, 4, 24), time(1, 0), "2026-04-23T22:00"),
        (CAIRO, date(2026, 10, 29), time(23, 30), "2026-10-29T20:30"),  # the first of two
        (CAIRO, date(2026, 10, 30), time(0, 0), "2026-10-29T22:00"),
    ],
)
def test_instant(zone: ZoneInfo, day: date, at: time, expected: str) -> None:
    assert civil.instant(day, at, zone) == utc(expected)
    assert civil.instant(day, at.replace(fold=1), zone) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "day", "at"),
    [
        (LISBON, date(2026, 3, 29), time(1, 0)),
        (LISBON, date(2026, 3, 29), time(1, 59, 59, 999999)),
        (LORD_HOWE, date(2026, 10, 4), time(2, 0)),
        (LORD_HOWE, date(2026, 10, 4), time(2, 29)),
        (NEW_YORK, date(2026, 3, 8), time(2, 30)),
        (APIA, date(2011, 12, 30), time(0, 0)),
        (APIA, date(2011, 12, 30), time(12, 0)),
        (APIA, date(2011, 12, 30), time(23, 59)),
        (CAIRO, date(2026, 4, 24), time(0, 0)),
        (CAIRO, date(2026, 4, 24), time(0, 30)),
    ],
)
def test_instant_refuses_what_the_clocks_never_show(zone: ZoneInfo, day: date, at: time) -> None:
    with pytest.raises(InvalidTime) as caught:
        civil.instant(day, at, zone, path=("stay", "arrival"))
    assert caught.value.path == ("stay", "arrival")
    assert f"{day} {at:%H:%M}" in caught.value.message
    assert zone.key in caught.value.message


@pytest.mark.parametrize(
    ("zone", "day", "at"), [(NEW_YORK, date.max, time(23)), (civil.zone("Asia/Tokyo"), date.min, time(0))]
)
def test_instant_refuses_what_is_outside_the_calendar(zone: ZoneInfo, day: date, at: time) -> None:
    for make in (civil.instant, civil.instant_or_next):
        with pytest.raises(InvalidTime, match="outside the calendar"):
            make(day, at, zone)


@given(
    instant=st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    zone=st.sampled_from(ZONES),
)
@settings(deadline=None)
def test_instant_finds_again_what_the_clocks_show(instant: datetime, zone: ZoneInfo) -> None:
    shown = instant.astimezone(zone)
    found = civil.instant(shown.date(), shown.time(), zone)
    assert found.astimezone(zone).replace(tzinfo=None) == shown.replace(tzinfo=None)
    assert found == instant if shown.fold == 0 else found < instant


@given(change=st.sampled_from(CHANGES), minute=st.integers(-1500, 2940))
@settings(deadline=None, max_examples=200)
def test_civil_times_near_a_change_agree_with_a_walk_over_the_clocks(
    change: tuple[ZoneInfo, date], minute: int
) -> None:
    zone, day = change
    wanted = datetime.combine(day, time(0)) + minute * MINUTE
    # From 28 hours before to 28 after the time as if it were UTC: no zone is further off.
    instants = [wanted.replace(tzinfo=UTC) + n * MINUTE for n in range(-28 * 60, 28 * 60)]
    shown = [(instant, instant.astimezone(zone).replace(tzinfo=None)) for instant in instants]

    first = min(instant for instant, clock in shown if clock >= wanted)
    last = max(instant for instant, clock in shown if clock < wanted) + MINUTE
    assert civil.instant_or_next(wanted.date(), wanted.time(), zone) == first
    assert civil.instant_or_next(wanted.date(), wanted.time(), zone, last=True) == last

    showings = [instant for instant, clock in shown if clock == wanted]
    if showings:
        assert civil.instant(wanted.date(), wanted.time(), zone) == showings[0]
    else:
        with pytest.raises(InvalidTime):
            civil.instant(wanted.date(), wanted.time(), zone)


# ---- instant_or_next


@pytest.mark.parametrize(
    ("zone", "day", "at", "first", "last"),
    [
        (LISBON, date(2026, 7, 1), time(9, 0), "2026-07-01T08:00", "2026-07-01T08:00"),
        (LISBON, date(2026, 3, 29), time(1, 30), "2026-03-29T01:00", "2026-03-29T01:00"),
        (LISBON, date(2026, 10, 25), time(1, 30), "2026-10-25T00:30", "2026-10-25T01:30"),
        # Set back to exactly this time: what ends then has ended before the repeat begins.
        (LISBON, date(2026, 10, 25), time(1, 0), "2026-10-25T00:00", "2026-10-25T00:00"),
        (LISBON, date(2026, 10, 25), time(2, 0), "2026-10-25T02:00", "2026-10-25T02:00"),
        (HAVANA, date(2026, 11, 1), time(0, 0), "2026-11-01T04:00", "2026-11-01T04:00"),
        (ST_JOHNS, date(2006, 10, 29), time(0, 0), "2006-10-29T02:30", "2006-10-29T03:30"),
        (APIA, date(2011, 12, 30), time(18, 0), "2011-12-30T10:00", "2011-12-30T10:00"),
        (CAIRO, date(2026, 4, 24), time(0, 0), "2026-04-23T22:00", "2026-04-23T22:00"),
    ],
)
def test_instant_or_next(zone: ZoneInfo, day: date, at: time, first: str, last: str) -> None:
    assert civil.instant_or_next(day, at, zone) == utc(first)
    assert civil.instant_or_next(day, at, zone, last=True) == utc(last)


# ---- what the clocks show


@pytest.mark.parametrize(
    ("zone", "instant", "text", "day"),
    [
        (ALGIERS, "2026-11-22T17:00", "2026-11-22T18:00:00+01:00", date(2026, 11, 22)),
        (NEW_YORK, "2026-11-22T04:59:59", "2026-11-21T23:59:59-05:00", date(2026, 11, 21)),
        (LISBON, "2026-10-25T00:30", "2026-10-25T01:30:00+01:00", date(2026, 10, 25)),
        (LISBON, "2026-10-25T01:30", "2026-10-25T01:30:00+00:00", date(2026, 10, 25)),
        (APIA, "2011-12-30T10:00", "2011-12-31T00:00:00+14:00", date(2011, 12, 31)),
    ],
)
def test_local_text_and_day(zone: ZoneInfo, instant: str, text: str, day: date) -> None:
    assert civil.local_text(utc(instant), zone) == text
    assert civil.local_day(utc(instant), zone) == day


def test_a_naive_datetime_is_no_instant() -> None:
    naive = datetime(2026, 1, 1)  # what is tested
    with pytest.raises(ValueError, match="aware"):
        civil.local_text(naive, LISBON)
    with pytest.raises(ValueError, match="aware"):
        civil.local_day(naive, LISBON)


# ---- civil_day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (LISBON, date(2026, 3, 28), 24),
        (LISBON, date(2026, 3, 29), 23),
        (LISBON, date(2026, 10, 25), 25),
        (LORD_HOWE, date(2026, 10, 4), 23.5),
        (LORD_HOWE, date(2026, 4, 5), 24.5),
        (NEW_YORK, date(2026, 3, 8), 23),
        (NEW_YORK, date(2026, 11, 1), 25),
        (ALGIERS, date(2026, 3, 29), 24),
        (APIA, date(2011, 12, 29), 24),
        (APIA, date(2011, 12, 31), 24),
        (CAIRO, date(2026, 4, 24), 23),
        (CAIRO, date(2026, 10, 29), 25),
    ],
)
def test_civil_day_is_as_long_as_the_clocks_make_it(zone: ZoneInfo, day: date, hours: float) -> None:
    assert civil.civil_day(day, zone).duration == timedelta(hours=hours)


def test_civil_day_refuses_a_day_that_was_skipped() -> None:
    with pytest.raises(InvalidTime, match="2011-12-30 does not exist in Pacific/Apia"):
        civil.civil_day(date(2011, 12, 30), APIA)


def test_civil_day_refuses_the_last_day_of_the_calendar() -> None:
    with pytest.raises(InvalidTime):
        civil.civil_day(date.max, UTC_ZONE)


@given(zone=st.sampled_from(ZONES), day=st.dates(date(1970, 1, 2), date(2099, 12, 30)), change=st.sampled_from(CHANGES))
@settings(deadline=None)
def test_civil_days_meet(zone: ZoneInfo, day: date, change: tuple[ZoneInfo, date]) -> None:
    for its_zone, its_day in ((zone, day), change):
        try:
            today, tomorrow = (civil.civil_day(its_day + timedelta(days=n), its_zone) for n in (0, 1))
        except InvalidTime:
            assert its_zone is APIA
        else:
            assert today.ends_at == tomorrow.starts_at


# ---- night


CHECK_IN, CHECK_OUT = time(15, 0), time(11, 0)


@pytest.mark.parametrize(
    ("zone", "arrival", "departure", "starts_at", "ends_at"),
    [
        (LISBON, date(2026, 7, 1), date(2026, 7, 2), "2026-07-01T14:00", "2026-07-02T10:00"),
        (LISBON, date(2026, 3, 28), date(2026, 3, 29), "2026-03-28T15:00", "2026-03-29T10:00"),
        (LISBON, date(2026, 10, 24), date(2026, 10, 25), "2026-10-24T14:00", "2026-10-25T11:00"),
        (NEW_YORK, date(2026, 10, 30), date(2026, 11, 2), "2026-10-30T19:00", "2026-11-02T16:00"),
        (APIA, date(2011, 12, 29), date(2011, 12, 31), "2011-12-30T01:00", "2011-12-30T21:00"),
    ],
)
def test_night(zone: ZoneInfo, arrival: date, departure: date, starts_at: str, ends_at: str) -> None:
    stay = civil.night(arrival, departure, CHECK_IN, CHECK_OUT, zone)
    assert stay == Interval(utc(starts_at), utc(ends_at))


@pytest.mark.parametrize("departure", [date(2026, 7, 1), date(2026, 6, 30), date.min])
def test_night_refuses_a_departure_that_is_not_after_the_arrival(departure: date) -> None:
    with pytest.raises(InvalidInput) as caught:
        civil.night(date(2026, 7, 1), departure, CHECK_IN, CHECK_OUT, LISBON, ("items", "0", "stay"))
    assert caught.value.code == "INVALID_INPUT"
    assert caught.value.path == ("items", "0", "stay", "departure")


def test_night_refuses_check_times_that_the_clocks_skip() -> None:
    with pytest.raises(InvalidTime, match="2026-03-29 01:30 does not exist in Europe/Lisbon") as caught:
        civil.night(date(2026, 3, 29), date(2026, 3, 30), time(1, 30), CHECK_OUT, LISBON, ("stay",))
    assert caught.value.path == ("stay", "arrival")
    with pytest.raises(InvalidTime, match="2011-12-30 11:00 does not exist in Pacific/Apia") as caught:
        civil.night(date(2011, 12, 29), date(2011, 12, 30), CHECK_IN, CHECK_OUT, APIA, ("stay",))
    assert caught.value.path == ("stay", "departure")


# ---- days


def test_days() -> None:
    assert list(civil.days(date(2026, 2, 27), date(2026, 3, 2))) == [
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    ]
    assert list(civil.days(date(2026, 3, 2), date(2026, 3, 2))) == []
    assert list(civil.days(date.max, date.min)) == []
    assert list(civil.days(date.max - timedelta(days=1), date.max)) == [date.max - timedelta(days=1)]


def test_days_are_bounded() -> None:
    first = date(2026, 1, 1)
    assert len(list(civil.days(first, first + timedelta(days=civil.DAYS_MAX)))) == civil.DAYS_MAX
    with pytest.raises(InvalidInput):
        civil.days(first, first + timedelta(days=civil.DAYS_MAX + 1))
    with pytest.raises(InvalidInput):
        civil.days(date.min, date.max)


# ---- stretches


@pytest.mark.parametrize(
    ("zone", "day", "change", "before", "after"),
    [
        (LISBON, date(2026, 3, 29), "2026-03-29T01:00", 0, 60),
        (LISBON, date(2026, 10, 25), "2026-10-25T01:00", 60, 0),
        (LORD_HOWE, date(2026, 10, 4), "2026-10-03T15:30", 630, 660),
        (LORD_HOWE, date(2026, 4, 5), "2026-04-04T15:00", 660, 630),
        (APIA, date(2011, 12, 30), "2011-12-30T10:00", -600, 840),
    ],
)
def test_stretches_are_cut_where_the_clocks_change(
    zone: ZoneInfo, day: date, change: str, before: int, after: int
) -> None:
    at = utc(change)
    instants = [at - timedelta(days=40), at - timedelta(hours=1), at - timedelta(microseconds=1), at]
    for starts_at in instants:
        for ends_at in (at, at + timedelta(microseconds=1), at + timedelta(days=40)):
            if starts_at < ends_at:
                expected = []
                if starts_at < at:
                    expected.append(civil.Stretch(starts_at, at, before * MINUTE))
                if at < ends_at:
                    expected.append(civil.Stretch(at, ends_at, after * MINUTE))
                assert list(civil.stretches(Interval(starts_at, ends_at), zone)) == expected


def test_a_zone_without_changes_is_one_stretch() -> None:
    year = Interval(utc("2026-01-01T00:00"), utc("2027-01-01T00:00"))
    assert list(civil.stretches(year, ALGIERS)) == [civil.Stretch(year.starts_at, year.ends_at, 60 * MINUTE)]
