from datetime import time
from typing import Any

import pytest

from engine.reading import Reading
from engine.rules.base import RuleRequest
from models.database import Database
from models.resource import AvailabilityType, Resource, Sharing
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import Asker, id_of
from tests.support.factories import make_booking, make_organization, make_requirement, make_resource, make_venue
from tests.support.statements import recorded_statements

ALWAYS_OPEN = {"START_GRID": {"minutes": 30}}
TEN_TO_TWELVE = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}

AVAILABILITY = """query ($input: AvailabilityInput!) { availability(input: $input) {
  resource { id slug } startsAt endsAt capacity vacancies status bookable refusals { code message parameters } version
  alternatives(first: 2) { startsAt endsAt localStart localEnd bookable vacancies }
} }"""


async def about(ask: Asker, *resources: Resource, **asked: Any) -> list[dict[str, Any]]:
    given = {"window": TEN_TO_TWELVE, **asked, "resourceIds": [id_of(resource) for resource in resources]}
    answers: list[dict[str, Any]] = (await ask(AVAILABILITY, {"input": given}))["availability"]
    assert [answer["resource"]["id"] for answer in answers] == given["resourceIds"]
    return answers


async def test_vacancies_are_capacity_minus_the_peak(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, capacity=10, rules=ALWAYS_OPEN)
    await make_booking(database, hall, "10:00", "11:00", quantity=6)
    await make_booking(database, hall, "11:00", "12:00", quantity=7)
    [answer] = await about(ask, hall)
    assert answer == {
        "resource": {"id": id_of(hall), "slug": hall.slug},
        "startsAt": "2030-06-01T10:00:00Z",
        "endsAt": "2030-06-01T12:00:00Z",
        "capacity": 10,
        "vacancies": 3,
        "status": "LIMITED",
        "bookable": True,
        "refusals": [],
        "version": 2,
        "alternatives": [],
    }


async def test_why_not_and_when_else(ask: Asker, database: Database) -> None:
    room = await make_resource(database, capacity=1, sharing=Sharing.EXCLUSIVE, rules=ALWAYS_OPEN)
    await make_booking(database, room)
    [answer] = await about(ask, room)
    assert (answer["bookable"], answer["status"], answer["vacancies"]) == (False, "SOLD_OUT", 0)
    assert answer["refusals"] == [{"code": "SOLD_OUT", "message": "Sold out.", "parameters": {"vacancies": 0}}]
    # Two hours earlier and later; Algiers is an hour ahead of UTC.
    assert answer["alternatives"] == [
        {
            "startsAt": "2030-06-01T08:00:00Z",
            "endsAt": "2030-06-01T10:00:00Z",
            "localStart": "2030-06-01T09:00:00+01:00",
            "localEnd": "2030-06-01T11:00:00+01:00",
            "bookable": True,
            "vacancies": 1,
        },
        {
            "startsAt": "2030-06-01T12:00:00Z",
            "endsAt": "2030-06-01T14:00:00Z",
            "localStart": "2030-06-01T13:00:00+01:00",
            "localEnd": "2030-06-01T15:00:00+01:00",
            "bookable": True,
            "vacancies": 1,
        },
    ]


async def test_a_hundred_resources_take_as_many_statements_as_one(ask: Asker, database: Database) -> None:
    venue = await make_venue(database)
    rooms = [await make_resource(database, venue=venue, rules=ALWAYS_OPEN) for _ in range(100)]
    for required in rooms[1:4]:
        await make_requirement(database, rooms[0], required, per_unit=1)
    await make_booking(database, rooms[1])
    counts = []
    for asked in (rooms[1:2], rooms):
        with recorded_statements(database) as statements:
            answers = await about(ask, *asked)
        assert answers[-1]["bookable"] is (asked is rooms)
        counts.append(len(statements))
    # Versions and facts (8), the timelines, and the timelines around for the alternatives.
    assert counts == [11, 11]


async def test_all_of_a_venue(ask: Asker, database: Database) -> None:
    venue = await make_venue(database, check_in_time=time(15), check_out_time=time(11))
    room = await make_resource(database, venue=venue, slug="room", availability_type=AvailabilityType.NIGHTLY)
    desk = await make_resource(database, venue=venue, slug="desk", rules=ALWAYS_OPEN)
    venue_id = encode(GlobalKind.VENUE, venue.organization_id, venue.id)
    by_window = await ask(AVAILABILITY, {"input": {"venueId": venue_id, "window": TEN_TO_TWELVE}})
    assert [answer["resource"]["id"] for answer in by_window["availability"]] == [id_of(desk)]
    stay = {"arrival": "2030-06-01", "departure": "2030-06-03"}
    by_stay = await ask(AVAILABILITY, {"input": {"venueId": venue_id, "stay": stay}})
    [answer] = by_stay["availability"]
    assert answer["resource"]["id"] == id_of(room)
    assert (answer["startsAt"], answer["endsAt"]) == ("2030-06-01T14:00:00Z", "2030-06-03T10:00:00Z")


async def test_what_can_not_be_is_answered_with_refusals(ask: Asker, database: Database) -> None:
    desk = await make_resource(database, rules=ALWAYS_OPEN)
    for window, code in (
        ({"startsAt": "2020-01-01T10:00:00Z", "endsAt": "2020-01-01T12:00:00Z"}, "TOO_SOON"),
        ({"startsAt": "2199-01-01T10:00:00Z", "endsAt": "2199-01-01T12:00:00Z"}, "TOO_FAR"),
        ({"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2199-12-31T23:59:59Z"}, "TOO_LONG"),
        ({"startsAt": "2030-06-01T10:07:00Z", "endsAt": "2030-06-01T12:00:00Z"}, "OFF_GRID"),
    ):
        [answer] = await about(ask, desk, window=window)
        assert code in [refusal["code"] for refusal in answer["refusals"]]
        assert not answer["bookable"]


@pytest.mark.parametrize(
    ("asked", "code", "path"),
    [
        ({"window": None}, "INVALID_INPUT", ["input", "window"]),
        ({"stay": {"arrival": "2030-06-01", "departure": "2030-06-02"}}, "INVALID_INPUT", ["input", "window"]),
        ({"quantity": 0}, "INVALID_INPUT", ["input", "quantity"]),
        ({"quantity": -3}, "INVALID_INPUT", ["input", "quantity"]),
        ({"quantity": 2**31 - 1}, "INVALID_INPUT", ["input", "quantity"]),
        ({"activity": "#1"}, "INVALID_INPUT", ["input", "activity"]),
        ({"activity": "x" * 101}, "INVALID_INPUT", ["input", "activity"]),
        ({"resourceIds": []}, "INVALID_INPUT", ["input", "resourceIds"]),
        ({"resourceIds": ["x"] * 101}, "INVALID_INPUT", ["input", "resourceIds"]),
        ({"resourceIds": ["x"]}, "NOT_FOUND", ["input", "resourceIds", "0"]),
        ({"venueId": "x"}, "INVALID_INPUT", ["input", "venueId"]),
        ({"venueId": "x", "resourceIds": None}, "NOT_FOUND", ["input", "venueId"]),
        (
            {"window": {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T10:00:00Z"}},
            "INVALID_INPUT",
            ["input", "window", "endsAt"],
        ),
        (
            {"window": None, "stay": {"arrival": "2030-06-01", "departure": "2030-06-02"}},
            "INVALID_INPUT",
            ["input", "window"],
        ),
    ],
)
async def test_what_makes_no_sense_is_refused(
    ask: Asker, database: Database, asked: dict[str, Any], code: str, path: list[str]
) -> None:
    desk = await make_resource(database, rules=ALWAYS_OPEN)
    [error] = await ask.errors(
        AVAILABILITY, {"input": {"resourceIds": [id_of(desk)], "window": TEN_TO_TWELVE, **asked}}
    )
    assert (error["extensions"]["code"], error["extensions"]["path"]) == (code, path)


async def test_a_hidden_resource_is_not_found(ask: Asker, database: Database) -> None:
    hidden = await make_resource(database, venue=await make_venue(database, is_published=False))
    desk = await make_resource(database)
    [error] = await ask.errors(
        AVAILABILITY, {"input": {"resourceIds": [id_of(desk), id_of(hidden)], "window": TEN_TO_TWELVE}}
    )
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert error["extensions"]["path"] == ["input", "resourceIds", "1"]


RESOURCE = """query ($id: ID!, $window: WindowInput!, $activity: String, $quantity: Int, $minutes: Int) {
  node(id: $id) { ... on Resource {
    timeline(window: $window) { version startsAt endsAt steps { startsAt endsAt capacity vacancies status activity } }
    slots(window: $window, activity: $activity, quantity: $quantity, durationMinutes: $minutes) {
      localStart vacancies bookable refusals { code }
    }
  } }
}"""


async def test_timeline_and_slots(ask: Asker, database: Database) -> None:
    pool = await make_resource(
        database, capacity=8, sharing=Sharing.SAME_ACTIVITY, rules={"START_GRID": {"minutes": 60}}
    )
    await make_booking(database, pool, "10:00", "11:00", quantity=3, activity="yoga")
    data = await ask(
        RESOURCE, {"id": id_of(pool), "window": TEN_TO_TWELVE, "activity": "yoga", "quantity": None, "minutes": 60}
    )
    assert data["node"]["timeline"] == {
        "version": 1,
        **TEN_TO_TWELVE,
        "steps": [
            {
                "startsAt": "2030-06-01T10:00:00Z",
                "endsAt": "2030-06-01T11:00:00Z",
                "capacity": 8,
                "vacancies": 5,
                "status": "AVAILABLE",
                "activity": "yoga",
            },
            {
                "startsAt": "2030-06-01T11:00:00Z",
                "endsAt": "2030-06-01T12:00:00Z",
                "capacity": 8,
                "vacancies": 8,
                "status": "AVAILABLE",
                "activity": None,
            },
        ],
    }
    slots = [(slot["localStart"], slot["vacancies"], slot["bookable"]) for slot in data["node"]["slots"]]
    assert slots == [("2030-06-01T11:00:00+01:00", 5, True), ("2030-06-01T12:00:00+01:00", 8, True)]
    data = await ask(RESOURCE, {"id": id_of(pool), "window": TEN_TO_TWELVE, "activity": "polo", "quantity": 1})
    assert data["node"]["slots"][0]["refusals"] == [{"code": "ACTIVITY_CONFLICT"}]


async def test_bad_questions_to_a_resource(ask: Asker, database: Database) -> None:
    desk = await make_resource(database, rules=ALWAYS_OPEN)
    long = {"startsAt": "2030-06-01T00:00:00Z", "endsAt": "2031-06-03T00:00:00Z"}
    for asked in (
        {"window": long},
        {"window": TEN_TO_TWELVE, "quantity": 0},
        {"window": TEN_TO_TWELVE, "minutes": 0},
        {"window": TEN_TO_TWELVE, "minutes": 2**31 - 1},
        {"window": TEN_TO_TWELVE, "activity": " "},
    ):
        assert set(await ask.codes(RESOURCE, {"id": id_of(desk), **asked})) == {"INVALID_INPUT"}


async def test_a_calendar(ask: Asker, database: Database) -> None:
    venue = await make_venue(database, check_in_time=time(15), check_out_time=time(11))
    room = await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    await make_booking(database, room, "2030-06-02 14:00", "2030-06-03 10:00")
    operation = """query ($id: ID!, $from: Date!, $to: Date!) { node(id: $id) { ... on Resource {
      calendar(from: $from, to: $to) { date vacancies status bookable refusals { code } }
    } } }"""
    data = await ask(operation, {"id": id_of(room), "from": "2030-06-01", "to": "2030-06-04"})
    assert [(day["date"], day["vacancies"], day["bookable"]) for day in data["node"]["calendar"]] == [
        ("2030-06-01", 1, True),
        ("2030-06-02", 0, False),
        ("2030-06-03", 1, True),
    ]
    for first, last in (("2030-01-01", "2032-01-01"), ("2030-01-01", "2199-01-01"), ("2030-01-02", "2030-01-01")):
        assert await ask.codes(operation, {"id": id_of(room), "from": first, "to": last}) == ["INVALID_INPUT"]


async def test_what_is_asked_for_in_all_is_bounded(
    ask: Asker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each list is within its bound; together they are too much, which is known before any slot is looked at."""
    looked: list[RuleRequest] = []
    monkeypatch.setattr(Reading, "left", lambda self, request: looked.append(request))
    venue = await make_venue(database)
    for _ in range(12):
        await make_resource(database, venue=venue, rules=ALWAYS_OPEN)
    operation = """query ($slug: String!) { venue(slug: $slug) { resources { edges { node {
      slots(window: { startsAt: "2030-06-01T00:00:00Z", endsAt: "2030-07-11T00:00:00Z" }) { bookable }
    } } } } }"""
    errors = await ask.errors(operation, {"slug": venue.slug})
    assert {error["extensions"]["code"] for error in errors} == {"INVALID_INPUT"}
    assert "10,000 elements" in errors[0]["message"]
    assert looked == []


async def test_one_operation_does_not_see_another_organizations_hidden_rooms(ask: Asker, database: Database) -> None:
    organization = await make_organization(database)
    room = await make_resource(database, venue=await make_venue(database, organization=organization))
    foreign = await make_organization(database)
    swapped = encode(GlobalKind.RESOURCE, foreign.id, room.id)
    [error] = await ask.errors(AVAILABILITY, {"input": {"resourceIds": [swapped], "window": TEN_TO_TWELVE}})
    assert error["extensions"]["code"] == "NOT_FOUND"


ELSEWHERE = """
query ($input: AvailabilityInput!) { availability(input: $input) { elsewhere(first: 2) { resource { id } bookable } } }
"""


async def test_what_else_can_be_had_at_the_same_time(ask: Asker, database: Database) -> None:
    """Of the same venue and sold in the same way; three more statements, however many have no room."""
    venue = await make_venue(database)
    rooms = [
        await make_resource(database, venue=venue, slug=f"room-{n}", capacity=1, rules=ALWAYS_OPEN) for n in range(5)
    ]
    await make_resource(database, venue=venue, availability_type=AvailabilityType.START_TIME)
    counts = []
    for full in (rooms[:1], rooms[1:3]):
        for room in full:
            await make_booking(database, room)
        asked = {"resourceIds": [id_of(room) for room in full], "window": TEN_TO_TWELVE}
        with recorded_statements(database) as statements:
            found = (await ask(ELSEWHERE, {"input": asked}))["availability"]
        counts.append(len(statements))
        free = [room for room in rooms if room not in (rooms[:1] if full == rooms[:1] else rooms[:3])]
        expected = [{"resource": {"id": id_of(room)}, "bookable": True} for room in free[:2]]
        assert [answer["elsewhere"] for answer in found] == [expected] * len(full)
    assert counts[1] <= counts[0]
