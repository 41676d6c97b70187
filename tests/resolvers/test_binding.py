"""Which resource stands in the way: of the whole house a room, of a tour its guide; in every answer that refuses."""

from typing import Any

import pytest

from engine.viewer import Role
from models.database import Database
from models.ledger import calls
from models.resource import Resource, Sharing
from models.venue import Venue
from tests.resolvers.conftest import Asker, id_of
from tests.support.factories import adjust_of, make_booking, make_choices, make_requirement, make_resource, make_venue
from tests.support.staff import fresh_key, viewer_of
from tests.support.statements import recorded_statements

WINDOW = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}
GRID = {"START_GRID": {"minutes": 120}}
ROOMS = 4

AVAILABILITY = """query ($input: AvailabilityInput!) { availability(input: $input) {
    refusals { code rule resource { slug } } } }"""
LISTS = """query ($id: ID!, $window: WindowInput!) { node(id: $id) { ... on Resource {
    slots(window: $window) { refusals { code resource { slug } } }
    calendar(from: "2030-06-01", to: "2030-06-02") { refusals { code resource { slug } } } } } }"""
SERIES = """mutation ($input: SeriesHoldInput!) { seriesHold(input: $input) { errors { code
    ... on SeriesConflict { occurrences { refusals { code resource { slug } } } } } } }"""
HOLD = """mutation ($input: BookingHoldInput!) { bookingHold(input: $input) { booking { id } errors { code
    ... on SoldOut { resource { slug } elsewhere(first: 2) { resource { slug } vacancies bookable } } } } }"""
BARE_HOLD = "mutation ($input: BookingHoldInput!) { bookingHold(input: $input) { booking { id } errors { code } } }"


@pytest.fixture
async def venue(database: Database) -> Venue:
    return await make_venue(database, time_zone="UTC")


@pytest.fixture
async def rooms(database: Database, venue: Venue) -> list[Resource]:
    """By id, as the first that binds is told."""
    made = [await make_resource(database, venue=venue, slug=f"room-{n}", rules=GRID) for n in range(ROOMS)]
    return sorted(made, key=lambda room: room.id)


@pytest.fixture
async def house(database: Database, venue: Venue, rooms: list[Resource]) -> Resource:
    whole = await make_resource(database, venue=venue, slug="whole-house", rules=GRID)
    for room in rooms:
        await make_requirement(database, whole, room, per_booking=1)
    return whole


async def refusals(ask: Asker, resource: Resource, **asked: Any) -> list[dict[str, Any]]:
    input = {"resourceIds": [id_of(resource)], "window": WINDOW, **asked}
    [answer] = (await ask(AVAILABILITY, {"input": input}))["availability"]
    found: list[dict[str, Any]] = answer["refusals"]
    return found


async def test_of_the_whole_house_it_is_the_first_room_that_is_taken(
    ask: Asker, database: Database, house: Resource, rooms: list[Resource]
) -> None:
    for room in rooms[2:]:
        await make_booking(database, room, "10:00", "11:00")
    binds = {"code": "SOLD_OUT", "resource": {"slug": rooms[2].slug}}
    assert await refusals(ask, house) == [{**binds, "rule": None}]
    found = (await ask(LISTS, {"id": id_of(house), "window": WINDOW}))["node"]
    assert found["slots"] == [{"refusals": [binds]}]
    assert found["calendar"] == [{"refusals": []}], "the best slot of the day is free"
    series = {"idempotencyKey": fresh_key(), "resourceId": id_of(house), "window": WINDOW}
    held = await ask(SERIES, {"input": {**series, "recurrence": "FREQ=DAILY;COUNT=2"}})
    [error] = held["seriesHold"]["errors"]
    assert error["occurrences"] == [{"refusals": [binds]}, {"refusals": []}]


async def test_a_day_tells_what_binds_at_its_best_slot(
    ask: Asker, database: Database, house: Resource, rooms: list[Resource]
) -> None:
    await make_booking(database, rooms[1], "2030-06-01 00:00", "2030-06-02 00:00")
    found = (await ask(LISTS, {"id": id_of(house), "window": WINDOW}))["node"]
    assert found["calendar"] == [{"refusals": [{"code": "SOLD_OUT", "resource": {"slug": rooms[1].slug}}]}]


async def test_of_a_tour_it_is_the_guide_the_kayaks_or_the_lake(ask: Asker, database: Database, venue: Venue) -> None:
    tour = await make_resource(database, venue=venue, slug="tour", capacity=10, rules=GRID)
    guide = await make_resource(database, venue=venue, slug="guide", capacity=1)
    kayaks = await make_resource(database, venue=venue, slug="kayaks", capacity=6)
    lake = await make_resource(database, venue=venue, slug="lake", capacity=9, sharing=Sharing.SAME_ACTIVITY)
    await make_requirement(database, tour, guide, per_booking=1)
    await make_requirement(database, tour, kayaks, per_unit=1)
    await make_requirement(database, tour, lake, per_booking=1)
    assert await refusals(ask, tour) == []
    assert await refusals(ask, tour, quantity=7) == [{"code": "SOLD_OUT", "rule": None, "resource": {"slug": "kayaks"}}]
    await make_booking(database, lake, "11:00", "12:00", activity="regatta")
    assert await refusals(ask, tour) == [{"code": "ACTIVITY_CONFLICT", "rule": None, "resource": {"slug": "lake"}}]
    await calls.adjust(database, adjust_of(guide, "11:00", "13:00", closed=True))
    assert await refusals(ask, tour) == [{"code": "CLOSED", "rule": None, "resource": {"slug": "guide"}}]


async def test_of_what_is_booked_itself_it_is_that_and_of_a_rule_nothing(
    ask: Asker, database: Database, venue: Venue, rooms: list[Resource]
) -> None:
    odd = {"startsAt": "2030-06-01T11:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}
    await make_booking(database, rooms[0])
    sold_out = {"code": "SOLD_OUT", "rule": None, "resource": {"slug": rooms[0].slug}}
    assert await refusals(ask, rooms[0]) == [sold_out]
    off_grid = {"code": "OFF_GRID", "rule": "START_GRID", "resource": None}
    assert await refusals(ask, rooms[0], window=odd) == [off_grid, sold_out]
    anyone = await make_resource(database, venue=venue, slug="any-room", capacity=ROOMS, rules=GRID)
    await make_choices(database, anyone, *rooms)
    found = await refusals(ask, anyone, quantity=ROOMS)
    assert found == [{"code": "SOLD_OUT", "rule": None, "resource": {"slug": "any-room"}}]


async def test_what_is_hidden_is_told_to_staff_alone(ask: Asker, database: Database) -> None:
    hidden = await make_venue(database, time_zone="UTC", is_published=False)
    room = await make_resource(database, venue=hidden, slug="room", rules=GRID)
    await make_booking(database, room)
    input = {"input": {"resourceIds": [id_of(room)], "window": WINDOW}}
    staff = viewer_of(Role.STAFF, room.organization_id)
    [answer] = (await ask(AVAILABILITY, input, viewer=staff))["availability"]
    assert answer["refusals"][0]["resource"] == {"slug": "room"}
    assert await ask.codes(AVAILABILITY, input) == ["NOT_FOUND"]


async def test_who_is_refused_is_told_where_else_there_is_room(
    ask: Asker, database: Database, house: Resource, rooms: list[Resource]
) -> None:
    """A room that is taken: the others, but not the house, which needs it."""
    await make_booking(database, rooms[0])
    free = sorted(room.slug for room in rooms[1:])
    expected = [{"resource": {"slug": slug}, "vacancies": 1, "bookable": True} for slug in free[:2]]
    error = await _refused(ask, rooms[0])
    assert error == {"code": "SOLD_OUT", "resource": {"slug": rooms[0].slug}, "elsewhere": expected}
    assert await _refused(ask, house) == error, "instead of the house as well: at that time, not that size"


async def test_offers_cost_nothing_until_it_is_refused_and_then_as_much_for_any_number(
    ask: Asker, database: Database, rooms: list[Resource]
) -> None:
    """Beside the hold itself: versions, facts and their venue's page, once each, and one look at all timelines."""
    await ask(HOLD, _input(rooms[3]))  # what a process keeps of these is kept
    counts = []
    for operation in (BARE_HOLD, HOLD):
        with recorded_statements(database) as statements:
            await ask(operation, _input(rooms[3], day="02" if operation is HOLD else "03"))
        counts.append(len(statements))
    assert counts[0] == counts[1], "it was held: nothing is offered"
    counts = []
    for more in (0, 40):
        for n in range(more):
            await make_resource(database, beside=rooms[0], slug=f"more-{n:02}", rules=GRID)
        await ask(HOLD, _input(rooms[3]))
        with recorded_statements(database) as statements:
            await ask(HOLD, _input(rooms[3]))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6


def _input(resource: Resource, day: str = "01") -> dict[str, Any]:
    window = {name: at.replace("-01T", f"-{day}T") for name, at in WINDOW.items()}
    items = [{"resourceId": id_of(resource), "window": window}]
    return {"input": {"idempotencyKey": fresh_key(), "items": items}}


async def _refused(ask: Asker, resource: Resource) -> dict[str, Any]:
    [error] = (await ask(HOLD, _input(resource)))["bookingHold"]["errors"]
    found: dict[str, Any] = error
    return found
