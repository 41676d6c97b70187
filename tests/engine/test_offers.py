"""What is offered follows the rules that shape it: slots, calendars and alternatives."""

from datetime import date, time, timedelta
from functools import partial
from typing import Any

import pytest

from engine.alternatives import alternatives
from engine.availability import Wish, availability, slots
from engine.calendar import DayAnswer, calendar
from engine.facts import ResourceFacts, load_facts
from engine.rules.base import GuestCount
from models.database import Database
from models.ledger import calls
from models.queries.timelines import read_timelines
from models.resource import AvailabilityType, BookingRule, Resource
from tests.support.factories import (
    adjust_of,
    at,
    between,
    key_of,
    make_booking,
    make_resource,
    make_venue,
)

NOW = at("2030-05-30 12:00")
MINUTE = timedelta(minutes=1)
TWO_ADULTS = (GuestCount("ADULT", 2),)


async def facts_of(database: Database, resource: Resource) -> ResourceFacts:
    return (await load_facts(database, [key_of(resource)]))[key_of(resource)]


async def a_room(database: Database, **rules: dict[str, Any]) -> Resource:
    """One room, by the night from 15:00 to 11:00 in Lisbon."""
    venue = await make_venue(database, time_zone="Europe/Lisbon", check_in_time=time(15), check_out_time=time(11))
    return await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY, rules=rules)


async def in_june(database: Database, room: Resource, first: int, last: int, **more: Any) -> list[DayAnswer]:
    facts = await facts_of(database, room)
    load = partial(read_timelines, database)
    return await calendar(facts, date(2030, 6, first), date(2030, 6, last), load=load, now=NOW, **more)


async def test_slots_are_as_long_as_the_shortest_booking(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    rules: dict[str, dict[str, Any]] = {"DURATION": {"minMinutes": 90}, "START_GRID": {"minutes": 60}}
    hall = await make_resource(database, venue=venue, rules=rules)
    facts, load = await facts_of(database, hall), partial(read_timelines, database)
    found = await slots(facts, between("10:00", "12:00"), load=load, now=NOW)
    assert [(slot.interval.duration // MINUTE, slot.bookable) for slot in found] == [(90, True), (90, True)]
    asked = await slots(facts, between("10:00", "12:00"), duration_minutes=60, load=load, now=NOW)
    assert [[refusal.code for refusal in slot.refusals] for slot in asked] == [["TOO_SHORT"], ["TOO_SHORT"]]


async def test_a_day_is_full_where_the_shortest_booking_does_not_fit(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    hours = [{"weekday": 6, "opens": "09:00", "closes": "12:00"}]
    rules: dict[str, dict[str, Any]] = {"OPENING_HOURS": {"weekly": hours}, "DURATION": {"minMinutes": 120}}
    hall = await make_resource(database, venue=venue, rules=rules)
    await make_booking(database, hall, "10:00", "11:00")
    [day] = await in_june(database, hall, 1, 2)
    assert [refusal.code for refusal in day.refusals] == ["SOLD_OUT"]


async def test_exceptions_are_offered(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    hours = {
        "weekly": [{"weekday": 6, "opens": "09:00", "closes": "12:00"}],
        "exceptions": [
            {"date": "2030-06-01", "hours": []},
            {"date": "2030-06-02", "hours": [{"opens": "10:00", "closes": "11:00"}]},
        ],
    }
    hall = await make_resource(database, venue=venue, rules={"OPENING_HOURS": hours})
    days = await in_june(database, hall, 1, 4)
    assert [day.bookable for day in days] == [False, True, False]


async def test_a_day_of_arrival_is_its_shortest_stay(database: Database) -> None:
    """The 5th and 6th are taken, so no two nights begin on the 4th; one night is free, and can not be booked."""
    room = await a_room(database, STAY_LENGTH={"minNights": 2})
    await make_booking(database, room, "2030-06-05 14:00", "2030-06-07 10:00")
    days = await in_june(database, room, 3, 8)
    assert [(day.date.day, day.bookable, day.nights) for day in days] == [
        (3, True, 2),
        (4, False, 2),
        (5, False, 2),
        (6, False, 2),
        (7, True, 2),
    ]
    assert [refusal.code for refusal in days[1].refusals] == ["SOLD_OUT"]


async def test_a_calendar_says_what_availability_says_of_its_stays(database: Database) -> None:
    """And no shorter one can be booked: the calendar's stay is the shortest."""
    room = await a_room(database, STAY_LENGTH={"nights": [2, 4]}, CLOSED_TO_DEPARTURE={"weekdays": [7]})
    async with database.writing(room.organization_id) as session:
        session.add(
            BookingRule(
                organization_id=room.organization_id,
                resource_id=room.id,
                type="STAY_THROUGH",
                parameters={"minNights": 4},
                valid_from=date(2030, 6, 10),
                valid_until=date(2030, 6, 12),
            )
        )
    await make_booking(database, room, "2030-06-13 14:00", "2030-06-14 10:00")
    await calls.adjust(database, adjust_of(room, "2030-06-20 00:00", "2030-06-21 00:00", closed=True))
    facts, load = await facts_of(database, room), partial(read_timelines, database)
    days = await in_june(database, room, 1, 29)
    assert {day.nights for day in days} == {2, 4}
    for day in days:
        assert day.nights is not None
        stays = [(day.date, day.date + timedelta(days=nights)) for nights in range(1, day.nights + 1)]
        answers = [await availability(facts, Wish(stay=stay), load=load, now=NOW) for stay in stays]
        assert not any(answer.bookable for answer in answers[:-1])
        assert answers[-1].refusals == day.refusals


async def test_a_day_from_which_no_stay_is_allowed_tells_why(database: Database) -> None:
    room = await a_room(database, CLOSED_TO_DEPARTURE={"weekdays": [1, 2, 3, 4, 5, 6, 7]})
    [day] = await in_june(database, room, 3, 4)
    assert (day.nights, [refusal.code for refusal in day.refusals]) == (1, ["CLOSED_TO_DEPARTURE"])


async def test_stopped_nights_stay_booked_and_are_not_sold(database: Database) -> None:
    room = await a_room(database, STOP_SELL={"dates": ["2030-06-04"]}, CLOSED_TO_ARRIVAL={"dates": ["2030-06-06"]})
    days = await in_june(database, room, 3, 8)
    assert [[refusal.code for refusal in day.refusals] for day in days] == [
        [],
        ["CLOSED"],
        [],
        ["CLOSED_TO_ARRIVAL"],
        [],
    ]


async def test_alternatives_keep_the_length_and_the_party(database: Database) -> None:
    room = await a_room(
        database,
        STAY_LENGTH={"minNights": 2},
        CLOSED_TO_ARRIVAL={"dates": ["2030-06-11"]},
        GUEST_TYPES={"types": [{"type": "ADULT"}], "required": True},
    )
    facts, load = await facts_of(database, room), partial(read_timelines, database)
    wish = Wish(stay=(date(2030, 6, 11), date(2030, 6, 14)), guests=TWO_ADULTS)
    found = await alternatives(facts, wish, first=2, load=load, now=NOW)
    assert [(one.interval.starts_at.day, one.interval.duration.days) for one in found] == [(10, 2), (12, 2)]


@pytest.mark.parametrize(("guests", "codes"), [(None, ["GUESTS_REQUIRED"]), (TWO_ADULTS, [])])
async def test_who_comes_counts_for_what_is_offered(
    database: Database, guests: tuple[GuestCount, ...] | None, codes: list[str]
) -> None:
    needs = {"GUEST_TYPES": {"types": [{"type": "ADULT"}], "required": True}}
    venue = await make_venue(database, time_zone="UTC")
    hall = await make_resource(database, venue=venue, rules=needs)
    facts, load = await facts_of(database, hall), partial(read_timelines, database)
    [slot] = await slots(facts, between("10:00", "10:30"), guests=guests, load=load, now=NOW)
    [day] = await in_june(database, hall, 1, 2, guests=guests)
    assert [refusal.code for refusal in slot.refusals] == [refusal.code for refusal in day.refusals] == codes
