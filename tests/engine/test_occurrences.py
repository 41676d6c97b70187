"""What recurs keeps its place on the venue's clocks, whatever they do."""

from datetime import date, datetime, time
from typing import Any

import pytest

from engine.availability import Wish
from engine.facts import ResourceFacts, load_facts
from engine.occurrences import SeriesWish, occurrences
from models.civil import local_text
from models.database import Database
from models.errors import BookingError
from models.resource import AvailabilityType, Resource
from tests.support.factories import at, between, key_of, make_resource, make_venue

NOW = at("2026-01-01 12:00")


async def facts_of(database: Database, resource: Resource) -> ResourceFacts:
    return (await load_facts(database, [key_of(resource)]))[key_of(resource)]


async def hall(database: Database, zone: str) -> ResourceFacts:
    return await facts_of(database, await make_resource(database, venue=await make_venue(database, time_zone=zone)))


async def house(database: Database, zone: str, check_in: str, check_out: str) -> ResourceFacts:
    venue = await make_venue(
        database,
        time_zone=zone,
        check_in_time=time.fromisoformat(check_in),
        check_out_time=time.fromisoformat(check_out),
    )
    return await facts_of(
        database, await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    )


def shown(facts: ResourceFacts, first: Wish, rule: str, excluded: set[date] | None = None) -> list[str]:
    """Start and end of each as the clocks show them, or the code of what is against it."""
    series = SeriesWish(facts.key, first, rule, frozenset(excluded or ()))
    return [
        f"{local_text(one.interval.starts_at, facts.zone)} {local_text(one.interval.ends_at, facts.zone)}"
        if one.interval
        else f"{one.day} {one.refusals[0].code}"
        for one in occurrences(facts, series, now=NOW)
    ]


def refused(facts: ResourceFacts, first: Wish, rule: str, **more: Any) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(BookingError) as refusal:
        shown(facts, first, rule, **more)
    return refusal.value.code, refusal.value.path


@pytest.mark.parametrize(
    ("zone", "start", "end", "expected"),
    [
        # The clocks go back on the 25th, in the night: nine o'clock stays nine o'clock.
        ("Europe/Lisbon", "2026-10-18 09:00", "2026-10-18 10:30", [
            "2026-10-18T09:00:00+01:00 2026-10-18T10:30:00+01:00",
            "2026-10-25T09:00:00+00:00 2026-10-25T10:30:00+00:00",
            "2026-11-01T09:00:00+00:00 2026-11-01T10:30:00+00:00",
        ]),
        # At 02:00 the clocks go back to 01:00: half past one is its first showing, and two o'clock comes late.
        ("Europe/Lisbon", "2026-10-18 01:30", "2026-10-18 02:00", [
            "2026-10-18T01:30:00+01:00 2026-10-18T02:00:00+01:00",
            "2026-10-25T01:30:00+01:00 2026-10-25T02:00:00+00:00",
            "2026-11-01T01:30:00+00:00 2026-11-01T02:00:00+00:00",
        ]),
        # On the 29th the clocks skip from 01:00 to 02:00: half past one does not exist, as a start or as an end.
        ("Europe/Lisbon", "2026-03-22 01:30", "2026-03-22 03:00", [
            "2026-03-22T01:30:00+00:00 2026-03-22T03:00:00+00:00",
            "2026-03-29 INVALID_TIME",
            "2026-04-05T01:30:00+01:00 2026-04-05T03:00:00+01:00",
        ]),
        ("Europe/Lisbon", "2026-03-22 00:30", "2026-03-22 01:30", [
            "2026-03-22T00:30:00+00:00 2026-03-22T01:30:00+00:00",
            "2026-03-29 INVALID_TIME",
            "2026-04-05T00:30:00+01:00 2026-04-05T01:30:00+01:00",
        ]),
        ("Europe/Lisbon", "2026-03-22 00:30", "2026-03-22 02:30", [
            "2026-03-22T00:30:00+00:00 2026-03-22T02:30:00+00:00",
            "2026-03-29T00:30:00+00:00 2026-03-29T02:30:00+01:00",
            "2026-04-05T00:30:00+01:00 2026-04-05T02:30:00+01:00",
        ]),
        # From Saturday evening into the Sunday on which the clocks of New York go forward.
        ("America/New_York", "2026-02-28 22:00", "2026-03-01 04:00", [
            "2026-02-28T22:00:00-05:00 2026-03-01T04:00:00-05:00",
            "2026-03-07T22:00:00-05:00 2026-03-08T04:00:00-04:00",
            "2026-03-14T22:00:00-04:00 2026-03-15T04:00:00-04:00",
        ]),
        # Lord Howe moves its clocks by half an hour, forward at 02:00 on the 4th.
        ("Australia/Lord_Howe", "2026-09-27 02:15", "2026-09-27 04:00", [
            "2026-09-27T02:15:00+10:30 2026-09-27T04:00:00+10:30",
            "2026-10-04 INVALID_TIME",
            "2026-10-11T02:15:00+11:00 2026-10-11T04:00:00+11:00",
        ]),
        ("Australia/Lord_Howe", "2026-03-29 01:45", "2026-03-29 02:15", [
            "2026-03-29T01:45:00+11:00 2026-03-29T02:15:00+11:00",
            "2026-04-05T01:45:00+11:00 2026-04-05T02:15:00+10:30",
            "2026-04-12T01:45:00+10:30 2026-04-12T02:15:00+10:30",
        ]),
    ],
)  # fmt: skip
async def test_the_clocks_show_the_same(
    database: Database, zone: str, start: str, end: str, expected: list[str]
) -> None:
    first = Wish(window=between(start, end, zone))
    assert shown(await hall(database, zone), first, "FREQ=WEEKLY;COUNT=3") == expected


async def test_the_first_is_as_it_was_given_and_the_others_are_first_showings(database: Database) -> None:
    """Half past one on October 25 is shown twice in Lisbon; 01:30 UTC is the second time."""
    first = Wish(window=between("2026-10-25 01:30", "2026-10-25 03:00"))
    assert shown(await hall(database, "Europe/Lisbon"), first, "FREQ=YEARLY;COUNT=2") == [
        "2026-10-25T01:30:00+00:00 2026-10-25T03:00:00+00:00",
        "2027-10-25T01:30:00+01:00 2027-10-25T03:00:00+01:00",
    ]


async def test_stays_recur_by_arrival_with_the_same_nights(database: Database) -> None:
    lodge = await house(database, "Europe/Lisbon", "15:00", "11:00")
    stay = Wish(stay=(date(2026, 10, 23), date(2026, 10, 25)), quantity=2, activity="rest")
    series = SeriesWish(lodge.key, stay, "FREQ=WEEKLY;COUNT=2")
    second = occurrences(lodge, series, now=NOW)[1]
    assert second.wish == Wish(stay=(date(2026, 10, 30), date(2026, 11, 1)), quantity=2, activity="rest")
    assert shown(lodge, stay, "FREQ=WEEKLY;COUNT=2") == [
        "2026-10-23T15:00:00+01:00 2026-10-25T11:00:00+00:00",
        "2026-10-30T15:00:00+00:00 2026-11-01T11:00:00+00:00",
    ]


async def test_a_stay_whose_check_in_the_clocks_skip(database: Database) -> None:
    lodge = await house(database, "Europe/Lisbon", "01:30", "11:00")
    stay = Wish(stay=(date(2026, 3, 28), date(2026, 3, 29)))
    assert shown(lodge, stay, "FREQ=DAILY;COUNT=3")[1] == "2026-03-29 INVALID_TIME"


async def test_dates_that_are_left_out_count(database: Database) -> None:
    first = Wish(window=between("2026-10-18 09:00", "2026-10-18 10:00", "Europe/Lisbon"))
    lisbon = await hall(database, "Europe/Lisbon")
    left = shown(lisbon, first, "FREQ=WEEKLY;COUNT=3", {date(2026, 10, 18), date(2026, 11, 1)})
    assert left == ["2026-10-25T09:00:00+00:00 2026-10-25T10:00:00+00:00"]


async def test_what_is_wrong_with_the_whole(database: Database) -> None:
    lisbon = await hall(database, "Europe/Lisbon")
    first = Wish(window=between("2026-10-18 09:00", "2026-10-18 10:00", "Europe/Lisbon"))
    weekly = "FREQ=WEEKLY;COUNT=2"

    def wished(start: str, end: str) -> Wish:
        return Wish(window=between(start, end))

    assert refused(lisbon, first, "weekly") == ("INVALID_INPUT", ("recurrence",))
    assert refused(lisbon, first, "FREQ=WEEKLY;BYDAY=MO;COUNT=2") == ("INVALID_INPUT", ("recurrence",))
    assert refused(lisbon, first, "FREQ=WEEKLY") == ("INVALID_INPUT", ("recurrence",))
    assert refused(lisbon, first, weekly, excluded={date(2026, 10, 19)}) == ("INVALID_INPUT", ("except",))
    both = {date(2026, 10, 18), date(2026, 10, 25)}
    assert refused(lisbon, first, weekly, excluded=both) == ("INVALID_INPUT", ("except",))
    many = {date.fromordinal(n) for n in range(1, 102)}
    assert refused(lisbon, first, weekly, excluded=many) == ("INVALID_INPUT", ("except",))
    assert refused(lisbon, Wish(stay=(date(2026, 3, 1), date(2026, 3, 2))), weekly)[0] == "INVALID_INPUT"
    assert refused(lisbon, Wish(window=first.window, quantity=0), weekly) == ("INVALID_INPUT", ("quantity",))
    # In the repeated hour, from its first half past one to its second one o'clock.
    back = wished("2026-10-25 00:30", "2026-10-25 01:00")
    assert refused(lisbon, back, weekly) == ("INVALID_INPUT", ("window",))
    assert refused(lisbon, wished("2025-12-31 12:00", "2025-12-31 13:00"), weekly) == ("TOO_SOON", ("window",))
    assert refused(lisbon, wished("0001-01-01 00:00", "0001-01-01 01:00"), weekly) == ("TOO_SOON", ("window",))
    assert refused(lisbon, wished("9999-12-31 12:00", "9999-12-31 23:59"), weekly) == ("TOO_FAR", ("window",))
    assert refused(lisbon, wished("2026-02-01 12:00", "9999-12-31 23:59"), weekly) == ("TOO_LONG", ("window",))


async def test_an_end_with_z_is_the_instant_that_the_venues_clocks_show(database: Database) -> None:
    tokyo = await hall(database, "Asia/Tokyo")
    first = Wish(window=between("2026-03-02 08:00", "2026-03-02 09:00", "Asia/Tokyo"))
    assert len(shown(tokyo, first, "FREQ=DAILY;UNTIL=20260303T230000Z")) == 3
    assert len(shown(tokyo, first, "FREQ=DAILY;UNTIL=20260303T225959Z")) == 2
    assert datetime.fromisoformat(shown(tokyo, first, "FREQ=DAILY;COUNT=2")[1].split()[0]).hour == 8
