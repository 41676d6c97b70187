"""The questions about availability, against a real ledger."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest

from engine.alternatives import alternatives
from engine.availability import Wish, availability, slots, timeline
from engine.calendar import calendar
from engine.facts import ResourceFacts, load_facts
from models.database import Database
from models.errors import InvalidInput, InvalidTime
from models.interval import Interval
from models.ledger import calls
from models.queries.timelines import read_timelines
from models.resource import AvailabilityType, Resource, Sharing
from tests.support.factories import (
    adjust_of,
    at,
    between,
    hold_of,
    key_of,
    let_run_out,
    make_booking,
    make_hold,
    make_requirement,
    make_resource,
    make_venue,
)

NOW = at("2030-05-30 12:00")
WEEKDAYS = range(1, 8)
NINE_TO_FIVE: dict[str, dict[str, Any]] = {
    "OPENING_HOURS": {"weekly": [{"weekday": n, "opens": "09:00", "closes": "17:00"} for n in WEEKDAYS]}
}


async def facts_of(database: Database, resource: Resource) -> ResourceFacts:
    return (await load_facts(database, [key_of(resource)]))[key_of(resource)]


async def test_slots_tell_what_is_left_and_why_not(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    hall = await make_resource(database, venue=venue, capacity=2, rules=NINE_TO_FIVE | {"START_GRID": {"minutes": 60}})
    await make_booking(database, hall, "10:00", "12:00")
    await make_booking(database, hall, "11:00", "12:00")
    found = await slots(
        await facts_of(database, hall), between("00:00", "23:59"), load=partial(read_timelines, database), now=NOW
    )
    assert [(slot.interval.starts_at.hour, slot.vacancies, slot.bookable) for slot in found] == [
        (9, 2, True),
        (10, 1, True),
        (11, 0, False),
        (12, 2, True),
        (13, 2, True),
        (14, 2, True),
        (15, 2, True),
        (16, 2, True),
    ]
    assert [refusal.code for refusal in found[2].refusals] == ["SOLD_OUT"]


async def test_a_slot_that_has_begun_is_told_and_not_bookable(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    hall = await make_resource(database, venue=venue, rules=NINE_TO_FIVE | {"START_GRID": {"minutes": 180}})
    found = await slots(
        await facts_of(database, hall),
        between("00:00", "23:00"),
        load=partial(read_timelines, database),
        now=at("10:00"),
    )
    assert [[refusal.code for refusal in slot.refusals] for slot in found] == [["TOO_SOON"], []]


async def test_a_hold_that_is_over_is_not_shown_as_taken(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=1)
    held = await make_hold(database, hall, "10:00", "12:00")
    facts, load = await facts_of(database, hall), partial(read_timelines, database)
    wish = Wish(window=between("11:00", "13:00"))
    assert not (await availability(facts, wish, load=load, now=NOW)).bookable
    await let_run_out(owner, held)
    answer = await availability(facts, wish, load=load, now=NOW)
    assert answer.bookable
    assert answer.version == 1
    await calls.hold(database, hold_of(hall, "11:00", "13:00", expected={hall.id: answer.version}))


async def test_nights_are_half_open(database: Database) -> None:
    rooms = await a_guesthouse(database)
    facts, load = await facts_of(database, rooms), partial(read_timelines, database)
    night = (date(2030, 6, 10), date(2030, 6, 12))
    interval = (await availability(facts, Wish(stay=night), load=load, now=NOW)).interval
    assert interval == between("2030-06-10 15:00", "2030-06-12 11:00", "Europe/Lisbon")
    for _ in range(2):
        await make_booking(database, rooms, "2030-06-10 14:00", "2030-06-12 10:00")
    days = await calendar(facts, date(2030, 6, 9), date(2030, 6, 13), load=load, now=NOW)
    assert [(day.date.day, day.vacancies, day.bookable) for day in days] == [
        (9, 2, True),
        (10, 0, False),
        (11, 0, False),
        (12, 2, True),
    ]


async def test_a_stay_may_begin_today_after_check_in_time_but_not_yesterday(database: Database) -> None:
    rooms = await a_guesthouse(database)
    facts, load = await facts_of(database, rooms), partial(read_timelines, database)
    late = at("2030-06-10 22:00")
    days = await calendar(facts, date(2030, 6, 9), date(2030, 6, 11), load=load, now=late)
    assert [[refusal.code for refusal in day.refusals] for day in days] == [["TOO_SOON"], []]


async def test_a_night_whose_check_in_the_clocks_skip(database: Database) -> None:
    venue = await make_venue(database, time_zone="Europe/Lisbon", check_in_time=time(1, 30), check_out_time=time(1, 15))
    room = await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    facts, load = await facts_of(database, room), partial(read_timelines, database)
    gap = date(2030, 3, 31)  # 01:00 to 02:00 is skipped
    with pytest.raises(InvalidTime):
        await availability(facts, Wish(stay=(gap, gap + timedelta(days=1))), load=load, now=at("2030-03-01 12:00"))
    days = await calendar(
        facts, gap - timedelta(days=2), gap + timedelta(days=2), load=load, now=at("2030-03-01 12:00")
    )
    assert [day.status for day in days] == ["AVAILABLE", "CLOSED", "CLOSED", "AVAILABLE"]


async def test_the_whole_house_is_as_free_as_its_rooms(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    house = await make_resource(database, venue=venue, capacity=1)
    room = await make_resource(database, venue=venue, capacity=4)
    await make_requirement(database, house, room, per_booking=4)
    await make_booking(database, room, "10:00", "11:00")
    facts = await facts_of(database, house)
    found = await timeline(facts, between("09:00", "12:00"), load=partial(read_timelines, database))
    assert [(step.starts_at.hour, step.vacancies) for step in found.steps] == [(9, 1), (10, 0), (11, 1)]
    assert found.version == facts.version == 1  # the requirement; what is booked of the room is its version, not this


@pytest.mark.parametrize("kind", list(AvailabilityType))
async def test_a_wish_of_the_wrong_kind(database: Database, kind: AvailabilityType) -> None:
    venue = await make_venue(database, check_in_time=time(15), check_out_time=time(11))
    facts = await facts_of(database, await make_resource(database, venue=venue, availability_type=kind))
    window, stay = between("10:00", "11:00"), (date(2030, 6, 1), date(2030, 6, 2))
    wrong = Wish(window=window) if kind == AvailabilityType.NIGHTLY else Wish(stay=stay)
    for wish in (wrong, Wish(), Wish(window=window, stay=stay)):
        with pytest.raises(InvalidInput):
            await availability(facts, wish, load=partial(read_timelines, database), now=NOW)


@pytest.mark.parametrize(
    ("start", "end", "codes"),
    [
        ("2030-05-30 11:59", "2030-05-30 13:00", ["TOO_SOON"]),
        ("2032-05-29 12:01", "2032-05-29 13:00", ["TOO_FAR"]),
        ("2030-06-01 12:00", "2031-06-03 12:00", ["TOO_LONG"]),
        ("2030-06-01 12:00", "2031-06-02 12:00", []),
    ],
)
async def test_what_is_over_a_limit_is_refused_not_failed(
    database: Database, start: str, end: str, codes: list[str]
) -> None:
    facts = await facts_of(database, await make_resource(database))
    answer = await availability(
        facts, Wish(window=between(start, end)), load=partial(read_timelines, database), now=NOW
    )
    assert [refusal.code for refusal in answer.refusals] == codes
    assert answer.bookable is (not codes)


async def test_alternatives_are_the_nearest_that_can_be_booked(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    rules = {"SESSION_TIMES": {"weekly": [{"weekday": n, "starts": "18:00", "durationMinutes": 60} for n in WEEKDAYS]}}
    yoga = await make_resource(
        database, venue=venue, capacity=1, availability_type=AvailabilityType.START_TIME, rules=rules
    )
    for day in (1, 2):
        await make_booking(database, yoga, f"2030-06-0{day} 18:00", f"2030-06-0{day} 19:00")
    await calls.adjust(database, adjust_of(yoga, "2030-06-03 00:00", "2030-06-04 00:00", closed=True))
    found = await alternatives(
        await facts_of(database, yoga),
        Wish(window=between("2030-06-01 18:00", "2030-06-01 19:00")),
        first=3,
        load=partial(read_timelines, database),
        now=NOW,
    )
    assert [slot.interval.starts_at.isoformat()[5:10] for slot in found] == ["05-31", "05-30", "06-04"]


async def test_alternative_nights_have_the_same_length(database: Database) -> None:
    rooms = await a_guesthouse(database)
    for _ in range(2):
        await make_booking(database, rooms, "2030-06-10 14:00", "2030-06-12 10:00")
    wish = Wish(stay=(date(2030, 6, 10), date(2030, 6, 12)))
    found = await alternatives(
        await facts_of(database, rooms), wish, first=2, load=partial(read_timelines, database), now=NOW
    )
    assert [slot.interval.starts_at.day for slot in found] == [8, 12]
    assert {slot.interval.duration for slot in found} == {timedelta(hours=44)}


async def test_a_calendar_day_is_the_best_of_its_slots(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    hall = await make_resource(database, venue=venue, capacity=3, rules=NINE_TO_FIVE)
    await make_booking(database, hall, "2030-06-01 09:00", "2030-06-01 16:00", quantity=3)
    await make_booking(database, hall, "2030-06-01 16:00", "2030-06-01 17:00", quantity=2)
    await make_booking(database, hall, "2030-06-02 09:00", "2030-06-02 17:00", quantity=3)
    facts, load = await facts_of(database, hall), partial(read_timelines, database)
    first = await calendar(facts, date(2030, 6, 1), date(2030, 6, 3), load=load, now=NOW)
    assert [(day.vacancies, day.status, day.bookable) for day in first] == [
        (1, "LIMITED", True),
        (0, "SOLD_OUT", False),
    ]
    two = await calendar(facts, date(2030, 6, 1), date(2030, 6, 2), quantity=2, load=load, now=NOW)
    assert [refusal.code for refusal in two[0].refusals] == ["SOLD_OUT"]


async def test_windows_have_bounds(database: Database) -> None:
    facts, load = await facts_of(database, await make_resource(database)), partial(read_timelines, database)
    year = Interval(datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 3, tzinfo=UTC))
    with pytest.raises(InvalidInput):
        await timeline(facts, year, load=load)
    with pytest.raises(InvalidInput):
        await slots(facts, year, load=load, now=NOW)
    with pytest.raises(InvalidInput):
        await calendar(facts, date(2030, 1, 1), date(2031, 1, 3), load=load, now=NOW)
    with pytest.raises(InvalidInput):
        await calendar(facts, date(2030, 1, 1), date(2030, 1, 1), load=load, now=NOW)
    for quantity in (0, -1, 10_001):
        with pytest.raises(InvalidInput):
            await availability(facts, Wish(window=between("10:00", "11:00"), quantity=quantity), load=load, now=NOW)


async def a_guesthouse(database: Database) -> Resource:
    venue = await make_venue(database, time_zone="Europe/Lisbon", check_in_time=time(15), check_out_time=time(11))
    return await make_resource(
        database,
        venue=venue,
        capacity=2,
        availability_type=AvailabilityType.NIGHTLY,
        sharing=Sharing.SHARED,
    )
