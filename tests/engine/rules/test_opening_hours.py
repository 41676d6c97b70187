from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.rules import registry, slots, spans
from engine.rules.base import NIGHTLY, OPENING_HOURS, START_TIME, Refusal
from engine.rules.opening_hours import HOURS_MAX, Hours, OpeningHours
from engine.rules.start_grid import StartGrid
from models import civil
from models.errors import InvalidInput
from models.interval import Interval
from tests.engine.rules import oracles
from tests.engine.rules.examples import (
    ALGIERS,
    APIA,
    HAVANA,
    LISBON,
    LORD_HOWE,
    MINUTE,
    NEW_YORK,
    codes,
    facts,
    facts_at,
    interval,
    minutes,
    request,
)


def hours(*weekly: tuple[int, str, str]) -> OpeningHours:
    rule = registry.parse(
        "OPENING_HOURS", {"weekly": [{"weekday": day, "opens": o, "closes": c} for day, o, c in weekly]}
    )
    assert isinstance(rule, OpeningHours)
    return rule


def every_day(opens: str, closes: str) -> OpeningHours:
    return hours(*((weekday, opens, closes) for weekday in range(1, 8)))


OPEN = {"opens": "10:00", "closes": "12:00"}
SUNDAY = hours((7, "09:00", "12:00"), (7, "14:00", "18:00"))
ALWAYS = every_day("00:00", "24:00")
NIGHTCLUB = hours((5, "22:00", "04:00"), (6, "22:00", "04:00"))


@pytest.mark.parametrize(
    ("rule", "starts_at", "ends_at", "accepted"),
    [
        # An ordinary Sunday in Algiers: each bound from both sides.
        (SUNDAY, "2026-11-22T09:00+01:00", "2026-11-22T12:00+01:00", True),
        (SUNDAY, "2026-11-22T08:59+01:00", "2026-11-22T12:00+01:00", False),
        (SUNDAY, "2026-11-22T09:00+01:00", "2026-11-22T12:00:00.000001+01:00", False),
        (SUNDAY, "2026-11-22T14:00+01:00", "2026-11-22T14:00:00.000001+01:00", True),
        (SUNDAY, "2026-11-22T17:59+01:00", "2026-11-22T18:00+01:00", True),
        (SUNDAY, "2026-11-22T18:00+01:00", "2026-11-22T18:01+01:00", False),
        (SUNDAY, "2026-11-22T11:00+01:00", "2026-11-22T15:00+01:00", False),  # over the break
        (SUNDAY, "2026-11-22T12:30+01:00", "2026-11-22T13:30+01:00", False),  # in the break
        (SUNDAY, "2026-11-23T09:00+01:00", "2026-11-23T12:00+01:00", False),  # Monday
        (SUNDAY, "2026-11-22T09:00+00:00", "2026-11-22T12:00+00:00", False),  # UTC is not Algiers
        # Past midnight, from Friday and Saturday.
        (NIGHTCLUB, "2026-11-20T22:00+01:00", "2026-11-21T04:00+01:00", True),
        (NIGHTCLUB, "2026-11-22T02:00+01:00", "2026-11-22T04:00+01:00", True),
        (NIGHTCLUB, "2026-11-22T02:00+01:00", "2026-11-22T04:01+01:00", False),
        (NIGHTCLUB, "2026-11-20T02:00+01:00", "2026-11-20T03:00+01:00", False),  # Thursday's night
        # Never closed, for as long as can be asked.
        (ALWAYS, "2026-11-20T22:17+01:00", "2027-11-21T04:03+01:00", True),
        (every_day("06:30", "06:30"), "2026-11-20T22:17+01:00", "2027-11-21T04:03+01:00", True),
        (every_day("00:00", "00:00"), "2026-11-20T22:17+01:00", "2027-11-21T04:03+01:00", True),
        (every_day("00:00", "23:59"), "2026-11-20T22:00+01:00", "2026-11-21T04:00+01:00", False),
        # Hours that meet or overlap are one.
        (hours((7, "09:00", "12:00"), (7, "12:00", "13:00")), "2026-11-22T09:00+01:00", "2026-11-22T13:00+01:00", True),
        (hours((7, "09:00", "12:30"), (7, "12:00", "13:00")), "2026-11-22T09:00+01:00", "2026-11-22T13:00+01:00", True),
        (hours((6, "09:00", "24:00"), (7, "00:00", "13:00")), "2026-11-21T09:00+01:00", "2026-11-22T13:00+01:00", True),
        (hours((6, "09:00", "00:00"), (7, "00:00", "13:00")), "2026-11-21T09:00+01:00", "2026-11-22T13:00+01:00", True),
        (hours((7, "00:00", "24:00"), (1, "00:00", "24:00")), "2026-11-22T09:00+01:00", "2026-11-23T13:00+01:00", True),
        (hours(), "2026-11-22T09:00+01:00", "2026-11-22T10:00+01:00", False),
    ],
)
def test_opening_hours(rule: OpeningHours, starts_at: str, ends_at: str, accepted: bool) -> None:
    asked = interval(starts_at, ends_at)
    assert codes([rule], asked, facts_at(asked, ALGIERS)) == ([] if accepted else ["OUTSIDE_OPENING_HOURS"])


def with_exceptions(rule: OpeningHours, exceptions: dict[str, list[tuple[str, str]]]) -> OpeningHours:
    told = [
        {"date": day, "hours": [{"opens": opens, "closes": closes} for opens, closes in its_hours]}
        for day, its_hours in exceptions.items()
    ]
    found = registry.parse("OPENING_HOURS", {**rule.parameters(), "exceptions": told})
    assert isinstance(found, OpeningHours)
    return found


HOLIDAYS = with_exceptions(
    every_day("09:00", "17:00"), {"2026-11-22": [], "2026-11-24": [("10:00", "12:00"), ("22:00", "02:00")]}
)
ONE_MORNING = with_exceptions(hours(), {"2026-11-22": [("08:00", "09:00")]})


@pytest.mark.parametrize(
    ("rule", "starts_at", "ends_at", "accepted"),
    [
        (HOLIDAYS, "2026-11-21T16:00+01:00", "2026-11-21T17:00+01:00", True),
        (HOLIDAYS, "2026-11-22T10:00+01:00", "2026-11-22T11:00+01:00", False),
        (HOLIDAYS, "2026-11-23T09:00+01:00", "2026-11-23T17:00+01:00", True),
        (HOLIDAYS, "2026-11-24T09:30+01:00", "2026-11-24T10:30+01:00", False),
        (HOLIDAYS, "2026-11-24T10:00+01:00", "2026-11-24T12:00+01:00", True),
        (HOLIDAYS, "2026-11-24T12:00+01:00", "2026-11-24T12:01+01:00", False),
        (HOLIDAYS, "2026-11-24T22:00+01:00", "2026-11-25T02:00+01:00", True),
        (HOLIDAYS, "2026-11-25T01:00+01:00", "2026-11-25T02:01+01:00", False),
        (HOLIDAYS, "2026-11-25T09:00+01:00", "2026-11-25T17:00+01:00", True),
        # What opened the evening before goes on into a day that is closed.
        (with_exceptions(NIGHTCLUB, {"2026-11-21": []}), "2026-11-20T22:00+01:00", "2026-11-21T04:00+01:00", True),
        (with_exceptions(NIGHTCLUB, {"2026-11-21": []}), "2026-11-21T22:00+01:00", "2026-11-21T23:00+01:00", False),
        (ONE_MORNING, "2026-11-22T08:00+01:00", "2026-11-22T09:00+01:00", True),
        (ONE_MORNING, "2026-11-22T08:00+01:00", "2026-11-22T09:01+01:00", False),
        (with_exceptions(ALWAYS, {"2027-01-01": []}), "2026-12-31T00:00+01:00", "2027-01-01T00:00+01:00", True),
        (with_exceptions(ALWAYS, {"2027-01-01": []}), "2026-12-31T00:00+01:00", "2027-01-01T00:01+01:00", False),
    ],
)
def test_exceptions(rule: OpeningHours, starts_at: str, ends_at: str, accepted: bool) -> None:
    asked = interval(starts_at, ends_at)
    assert codes([rule], asked, facts_at(asked, ALGIERS)) == ([] if accepted else ["OUTSIDE_OPENING_HOURS"])


def test_slots_follow_exceptions() -> None:
    window = interval("2026-11-22T00:00+01:00", "2026-11-25T00:00+01:00")
    found = slots.slot_intervals([HOLIDAYS, StartGrid(minutes=120)], OPENING_HOURS, window, None, ALGIERS)
    assert [f"{slot.starts_at.astimezone(ALGIERS):%d %H}" for slot in found] == [
        *(f"23 {hour}" for hour in (10, 12, 14)),
        *(f"24 {hour}" for hour in (10, 22)),
    ]


@pytest.mark.parametrize(
    ("zone", "opens", "closes", "day", "expected"),
    [
        # Lisbon, 2026-03-29, 23 hours: there is no 01:00 to 02:00.
        (LISBON, "00:00", "03:00", "2026-03-29", [("2026-03-29T00:00+00:00", "2026-03-29T03:00+01:00")]),
        (LISBON, "01:30", "03:00", "2026-03-29", [("2026-03-29T02:00+01:00", "2026-03-29T03:00+01:00")]),
        (LISBON, "00:30", "01:30", "2026-03-29", [("2026-03-29T00:30+00:00", "2026-03-29T02:00+01:00")]),
        (LISBON, "01:10", "01:50", "2026-03-29", []),
        # Lisbon, 2026-10-25, 25 hours: 01:00 to 02:00 is shown twice.
        (LISBON, "00:00", "02:00", "2026-10-25", [("2026-10-25T00:00+01:00", "2026-10-25T02:00+00:00")]),
        (LISBON, "00:00", "01:00", "2026-10-25", [("2026-10-25T00:00+01:00", "2026-10-25T01:00+01:00")]),
        (LISBON, "01:00", "02:00", "2026-10-25", [("2026-10-25T01:00+01:00", "2026-10-25T02:00+00:00")]),
        (LISBON, "01:15", "01:45", "2026-10-25", [("2026-10-25T01:15+01:00", "2026-10-25T01:45+00:00")]),
        # Lord Howe, 2026-10-04, 23.5 hours: there is no 02:00 to 02:30.
        (LORD_HOWE, "01:00", "03:00", "2026-10-04", [("2026-10-04T01:00+10:30", "2026-10-04T03:00+11:00")]),
        (LORD_HOWE, "02:15", "03:00", "2026-10-04", [("2026-10-04T02:30+11:00", "2026-10-04T03:00+11:00")]),
        # Lord Howe, 2026-04-05, 24.5 hours: 01:30 to 02:00 is shown twice.
        (LORD_HOWE, "01:00", "01:45", "2026-04-05", [("2026-04-05T01:00+11:00", "2026-04-05T01:45+10:30")]),
        (LORD_HOWE, "01:45", "03:00", "2026-04-05", [("2026-04-05T01:45+11:00", "2026-04-05T03:00+10:30")]),
        # New York, 2026-03-08 and 2026-11-01.
        (NEW_YORK, "01:00", "03:00", "2026-03-08", [("2026-03-08T01:00-05:00", "2026-03-08T03:00-04:00")]),
        (NEW_YORK, "02:30", "06:00", "2026-03-08", [("2026-03-08T03:00-04:00", "2026-03-08T06:00-04:00")]),
        (NEW_YORK, "00:00", "02:00", "2026-11-01", [("2026-11-01T00:00-04:00", "2026-11-01T02:00-05:00")]),
        # The evening before in Havana ends at the first midnight of the two, not an hour into the day.
        (HAVANA, "20:00", "24:00", "2026-10-31", [("2026-10-31T20:00-04:00", "2026-11-01T00:00-04:00")]),
    ],
)
def test_opening_hours_when_the_clocks_change(
    zone: ZoneInfo, opens: str, closes: str, day: str, expected: list[tuple[str, str]]
) -> None:
    rule = every_day(opens, closes)
    openings = rule.open_intervals(civil.civil_day(date.fromisoformat(day), zone), zone)
    assert openings == [interval(*texts) for texts in expected]
    for opening in openings:
        instant = timedelta(microseconds=1)
        for asked, refusals in (
            (opening, []),
            (Interval(opening.starts_at - instant, opening.ends_at), ["OUTSIDE_OPENING_HOURS"]),
            (Interval(opening.starts_at, opening.ends_at + instant), ["OUTSIDE_OPENING_HOURS"]),
        ):
            assert codes([rule], asked, facts_at(asked, zone)) == refusals


def test_a_day_that_the_zone_skips_has_no_hours() -> None:
    around = interval("2011-12-29T00:00-10:00", "2012-01-01T00:00+14:00")
    assert every_day("09:00", "17:00").open_intervals(around, APIA) == [
        interval("2011-12-29T09:00-10:00", "2011-12-29T17:00-10:00"),
        interval("2011-12-31T09:00+14:00", "2011-12-31T17:00+14:00"),
    ]
    assert ALWAYS.open_intervals(around, APIA) == [around]


@pytest.mark.parametrize(
    ("zone", "asked"),
    [
        # The last minute of what opened the day before, when UTC is a day ahead: Sunday's hours on a Tuesday.
        (civil.zone("Pacific/Honolulu"), interval("2026-11-24T09:58+00:00", "2026-11-24T09:59+00:00")),
        # The first minute, when UTC is a day behind.
        (civil.zone("Pacific/Kiritimati"), interval("2026-11-22T09:59+00:00", "2026-11-22T10:00+00:00")),
    ],
)
def test_the_week_is_that_of_the_zone(zone: ZoneInfo, asked: Interval) -> None:
    rule = hours((7, "23:59", "23:59"))
    assert rule.open_intervals(asked, zone) == [asked]


@pytest.mark.parametrize("zone", [ALGIERS, LISBON, LORD_HOWE, NEW_YORK, HAVANA])
def test_all_day_every_day_never_closes(zone: ZoneInfo) -> None:
    year = interval("2026-01-01T00:00+00:00", "2027-01-01T00:00+00:00")
    assert ALWAYS.open_intervals(year, zone) == [year]


@given(rule=oracles.opening_hours, place=oracles.places_and_windows())
@settings(deadline=None)
def test_open_intervals_agree_with_a_walk_over_the_clocks(rule: OpeningHours, place: tuple[ZoneInfo, Interval]) -> None:
    zone, window = place
    openings = rule.open_intervals(window, zone)
    found = [at for opening in openings for at in minutes(opening)]
    assert set(found) == oracles.open_minutes(rule.weekly, window, zone)
    assert found == sorted(set(found))
    # Merged: no two of them meet.
    assert all(earlier.ends_at < later.starts_at for earlier, later in pairwise(openings))


@given(rule=oracles.opening_hours, other=oracles.opening_hours, place=oracles.places_and_windows(), data=st.data())
@settings(deadline=None)
def test_exceptions_are_the_hours_of_a_weekday_on_one_date(
    rule: OpeningHours, other: OpeningHours, place: tuple[ZoneInfo, Interval], data: st.DataObject
) -> None:
    """Told a second time: each date's hours become those of its weekday in a week that has no other such day."""
    zone, window = place
    first = civil.local_day(window.starts_at, zone) - timedelta(days=1)
    dates = data.draw(st.sets(st.integers(0, 5).map(lambda n: first + timedelta(days=n)), max_size=3))
    assume(first.year > 2011)  # Apia has no 2011-12-30
    its_hours = [(one.opens, one.closes) for one in other.weekly]
    found = with_exceptions(rule, {day.isoformat(): its_hours for day in dates})
    weekdays = {day.isoweekday() for day in dates}
    week = [one for one in rule.weekly if one.weekday not in weekdays]
    week += [Hours(weekday=day, opens=opens, closes=closes) for day in weekdays for opens, closes in its_hours]
    # Six days are less than a week; what reaches in from before and after them is left out.
    inner = civil.civil_day(first + timedelta(days=1), zone).clip(window)
    if inner is not None:
        same = OpeningHours(weekly=tuple(week)).open_intervals(inner, zone)
        assert found.open_intervals(inner, zone) == same


@given(rule=oracles.opening_hours, zone=st.sampled_from([LISBON, LORD_HOWE, NEW_YORK, HAVANA]))
@settings(deadline=None, max_examples=20)
def test_a_year_is_the_sum_of_its_days(rule: OpeningHours, zone: ZoneInfo) -> None:
    days = [civil.civil_day(day, zone) for day in civil.days(date(2026, 1, 1), date(2027, 1, 1))]
    year = Interval(days[0].starts_at, days[-1].ends_at)
    of_days = [opening for day in days for opening in rule.open_intervals(day, zone)]
    assert rule.open_intervals(year, zone) == spans.merge(of_days)


@given(rule=oracles.opening_hours, place=oracles.places_and_windows(), data=st.data())
@settings(deadline=None)
def test_what_is_open_is_accepted_and_nothing_else(
    rule: OpeningHours, place: tuple[ZoneInfo, Interval], data: st.DataObject
) -> None:
    zone, window = place
    open_minutes = oracles.open_minutes(rule.weekly, window, zone)
    all_minutes = minutes(window)
    first = data.draw(st.integers(0, len(all_minutes) - 1))
    count = data.draw(st.integers(1, len(all_minutes) - first))
    asked = Interval(all_minutes[first], all_minutes[first] + count * MINUTE)
    accepted = codes([rule], asked, facts_at(asked, zone)) == []
    assert accepted == open_minutes.issuperset(minutes(asked))


def test_a_refusal_tells_the_hours_of_the_day() -> None:
    refusal = SUNDAY.evaluate(request(interval("2026-11-22T11:00+01:00", "2026-11-22T15:00+01:00")), facts(ALGIERS))
    assert refusal == Refusal(
        code="OUTSIDE_OPENING_HOURS",
        message="11:00 to 15:00 is not within the opening hours: "
        "on Sunday, 2026-11-22 open 09:00 to 12:00 and 14:00 to 18:00.",
        rule="OPENING_HOURS",
        parameters={
            "day": "2026-11-22",
            "opening": [
                {"opens": "2026-11-22T09:00:00+01:00", "closes": "2026-11-22T12:00:00+01:00"},
                {"opens": "2026-11-22T14:00:00+01:00", "closes": "2026-11-22T18:00:00+01:00"},
            ],
        },
    )


def test_a_refusal_tells_that_the_day_is_closed() -> None:
    asked = interval("2026-11-23T23:00+01:00", "2026-11-24T01:00+01:00")
    refusal = SUNDAY.evaluate(request(asked), facts(ALGIERS))
    assert refusal is not None
    assert refusal.message == (
        "23:00 to 01:00 on 2026-11-24 is not within the opening hours: on Monday, 2026-11-23 closed."
    )
    assert refusal.parameters == {"day": "2026-11-23", "opening": []}


def test_a_refusal_calls_the_end_of_the_day_24_00() -> None:
    refusal = NIGHTCLUB.evaluate(request(interval("2026-11-21T20:00+01:00", "2026-11-22T00:00+01:00")), facts(ALGIERS))
    assert refusal is not None
    assert refusal.message == (
        "20:00 to 24:00 is not within the opening hours: "
        "on Saturday, 2026-11-21 open 00:00 to 04:00 and 22:00 to 24:00."
    )


def test_it_has_no_say_on_sessions_and_nights() -> None:
    asked = interval("2026-11-23T09:00+01:00", "2026-11-23T10:00+01:00")
    assert SUNDAY.evaluate(request(asked), facts(ALGIERS)) is not None
    assert codes([SUNDAY], asked, facts_at(asked, ALGIERS, NIGHTLY)) == []
    assert codes([SUNDAY], asked, facts_at(asked, ALGIERS, START_TIME)) == ["OFF_GRID"]  # by the lack of sessions


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({}, "weekly"),
        ({"weekly": None}, "weekly"),
        ({"weekly": {}}, "weekly"),
        ({"weekly": [None]}, "weekly.0"),
        ({"weekly": [{"weekday": 0, "opens": "09:00", "closes": "12:00"}]}, "weekly.0.weekday"),
        ({"weekly": [{"weekday": 8, "opens": "09:00", "closes": "12:00"}]}, "weekly.0.weekday"),
        ({"weekly": [{"weekday": "1", "opens": "09:00", "closes": "12:00"}]}, "weekly.0.weekday"),
        ({"weekly": [{"weekday": True, "opens": "09:00", "closes": "12:00"}]}, "weekly.0.weekday"),
        ({"weekly": [{"opens": "09:00", "closes": "12:00"}]}, "weekly.0.weekday"),
        ({"weekly": [{"weekday": 1, "opens": "24:00", "closes": "12:00"}]}, "weekly.0.opens"),
        ({"weekly": [{"weekday": 1, "opens": "9:00", "closes": "12:00"}]}, "weekly.0.opens"),
        ({"weekly": [{"weekday": 1, "opens": "09:60", "closes": "12:00"}]}, "weekly.0.opens"),
        ({"weekly": [{"weekday": 1, "opens": "09:00\n", "closes": "12:00"}]}, "weekly.0.opens"),
        ({"weekly": [{"weekday": 1, "opens": "٠٩:٠٠", "closes": "12:00"}]}, "weekly.0.opens"),
        ({"weekly": [{"weekday": 1, "opens": 900, "closes": "12:00"}]}, "weekly.0.opens"),
        ({"weekly": [{"weekday": 1, "opens": "09:00", "closes": "24:01"}]}, "weekly.0.closes"),
        ({"weekly": [{"weekday": 1, "opens": "09:00", "closes": "25:00"}]}, "weekly.0.closes"),
        ({"weekly": [{"weekday": 1, "opens": "09:00"}]}, "weekly.0.closes"),
        ({"weekly": [{"weekday": 1, "opens": "09:00", "closes": "12:00", "from": 1}]}, "weekly.0.from"),
        ({"weekly": [], "exception": []}, "exception"),
        ({"weekly": [], "exceptions": [{"date": "2026-02-29", "hours": []}]}, "exceptions.0.date"),
        ({"weekly": [], "exceptions": [{"date": "2026-02-28"}]}, "exceptions.0.hours"),
        (
            {"weekly": [], "exceptions": [{"date": "2026-02-28", "hours": [{"opens": "9"}]}]},
            "exceptions.0.hours.0.opens",
        ),
        ({"weekly": [], "exceptions": [{"date": "2026-02-28", "hours": [OPEN] * 21}]}, "exceptions.0.hours"),
        ({"weekly": [], "exceptions": [{"date": "2026-02-28", "hours": []}] * 2}, "exceptions"),
        ({"weekly": [], "exceptions": [{"date": "2026-02-28", "hours": []}] * 401}, "exceptions"),
        ({"weekly": [{"weekday": 1, "opens": "09:00", "closes": "12:00"}] * (HOURS_MAX + 1)}, "weekly"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        registry.parse("OPENING_HOURS", parameters)
    assert caught.value.path == ("parameters", *path.split("."))
    assert caught.value.message.startswith(f"OPENING_HOURS: {path}: ")


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        ("2026-01-01T00:00+00:00", "2028-02-11T00:00+00:00"),  # 771 days
        ("0001-01-01T00:00+00:00", "9999-12-31T23:59+00:00"),
        ("0001-01-01T00:00+00:00", "0001-01-01T01:00+00:00"),
        ("9999-12-31T22:00+00:00", "9999-12-31T23:00+00:00"),
    ],
)
def test_open_intervals_refuse_windows_without_bounds(starts_at: str, ends_at: str) -> None:
    with pytest.raises(InvalidInput):
        SUNDAY.open_intervals(interval(starts_at, ends_at), ALGIERS)


def test_a_rule_that_was_asked_is_still_the_rule_that_was_made() -> None:
    asked, fresh = hours((7, "09:00", "12:00")), hours((7, "09:00", "12:00"))
    asked.open_intervals(interval("2026-11-22T00:00+01:00", "2026-11-23T00:00+01:00"), ALGIERS)
    assert asked == fresh
    assert hash(asked) == hash(fresh)
    assert asked.parameters() == {"weekly": [{"weekday": 7, "opens": "09:00", "closes": "12:00"}]}
    with pytest.raises(ValidationError):
        asked.weekly = ()  # frozen
