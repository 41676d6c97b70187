"""booking and bookings: who sees which, in how many statements."""

import uuid
from typing import Any

import asyncpg
import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, Contact
from models.resource import Resource
from models.venue import Organization, Venue
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import TOKENS, Asker, staff_of
from tests.support.factories import (
    booking_key_of,
    change_of,
    let_run_out,
    make_booking,
    make_hold,
    make_organization,
    make_resource,
    make_venue,
)
from tests.support.statements import recorded_statements

BOOKING = """query ($id: ID, $reference: String, $token: String) {
  booking(id: $id, reference: $reference, token: $token) { id reference status holdSecondsLeft contact { name } }
}"""
BOOKINGS = """query ($first: Int, $after: String, $filter: BookingFilter) {
  bookings(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id } } pageInfo { hasNextPage endCursor }
} }"""


def id_of(record: BookingRecord) -> str:
    return encode(GlobalKind.BOOKING, record.booking.organization_id, record.booking.id)


def token_of(record: BookingRecord) -> str:
    return TOKENS.issue(booking_key_of(record))


async def listed(ask: Asker, viewer: Viewer, **asked: Any) -> list[str]:
    data = await ask(BOOKINGS, asked, viewer=viewer)
    return [edge["node"]["id"] for edge in data["bookings"]["edges"]]


class Place:
    """An organization with a venue and a resource."""

    organization: Organization
    venue: Venue
    desk: Resource


@pytest.fixture
async def place(database: Database) -> Place:
    made = Place()
    made.organization = await make_organization(database)
    made.venue = await make_venue(database, organization=made.organization)
    made.desk = await make_resource(database, venue=made.venue, capacity=100)
    return made


async def test_a_token_finds_its_booking(ask: Asker, database: Database, place: Place) -> None:
    record = await make_hold(database, place.desk, contact=Contact(name="Ada"))
    token, id, reference = token_of(record), id_of(record), record.booking.reference
    for asked in ({"token": token}, {"token": token, "id": id}, {"token": token, "id": id, "reference": reference}):
        data = await ask(BOOKING, asked)
        assert data["booking"]["id"] == id
        assert data["booking"]["contact"] == {"name": "Ada"}
    other = await make_hold(database, place.desk)
    for asked in (
        {"token": token, "id": id_of(other)},
        {"token": token, "reference": other.booking.reference},
        {"token": token, "id": "nonsense"},
        {"token": token, "reference": "x" * 10_000},
        {"token": token, "reference": "\x00"},
        {"token": token[:-1]},
        {"token": "x" * 100_000, "id": id},
    ):
        assert await ask(BOOKING, asked) == {"booking": None}, asked


async def test_a_guest_without_a_token_learns_nothing(ask: Asker, database: Database, place: Place) -> None:
    record = await make_hold(database, place.desk)
    for asked in (
        {"id": id_of(record)},
        {"reference": record.booking.reference},
        {"id": encode(GlobalKind.BOOKING, uuid.uuid4(), uuid.uuid4())},
        {"id": "nonsense"},
        {},
    ):
        [error] = await ask.errors(BOOKING, asked)
        assert error["extensions"] == {"code": "UNAUTHENTICATED", "retryable": False}
        assert error["message"] == "This needs the booking's token or an account."


async def test_nothing_to_look_for(ask: Asker, place: Place) -> None:
    assert await ask.codes(BOOKING, {}, viewer=staff_of(place.organization)) == ["INVALID_INPUT"]


async def test_staff_and_the_customer_find_a_booking(ask: Asker, database: Database, place: Place) -> None:
    record = await make_hold(database, place.desk, customer_id="customer:carl")
    theirs = {"id": id_of(record)}
    carl, eve = (staff_of(place.organization, Role.CUSTOMER, name) for name in ("carl", "eve"))
    stranger = staff_of(await make_organization(database))
    for viewer, shown in ((staff_of(place.organization), True), (carl, True), (eve, False), (stranger, False)):
        assert ((await ask(BOOKING, theirs, viewer=viewer))["booking"] is not None) is shown
        node = await ask("query ($id: ID!) { node(id: $id) { id } }", theirs, viewer=viewer)
        assert (node["node"] is not None) is shown
    node = await ask("query ($id: ID!) { node(id: $id) { id } }", theirs)
    assert node == {"node": None}


async def test_the_seconds_left_are_never_negative(
    ask: Asker, database: Database, owner: "asyncpg.Connection", place: Place
) -> None:
    record = await make_hold(database, place.desk)
    await let_run_out(owner, record)
    data = await ask(BOOKING, {"token": token_of(record)})
    assert (data["booking"]["status"], data["booking"]["holdSecondsLeft"]) == ("ON_HOLD", 0)


async def test_bookings_are_for_those_who_may_see_them(ask: Asker, database: Database, place: Place) -> None:
    first = await make_hold(database, place.desk)
    second = await make_hold(database, place.desk, customer_id="customer:carl")
    third = await make_hold(database, place.desk, customer_id="partner:tours")
    foreign = await make_hold(database, await make_resource(database), customer_id="customer:carl")
    staff = staff_of(place.organization)
    assert await listed(ask, staff) == [id_of(third), id_of(second), id_of(first)]
    assert await listed(ask, staff_of(place.organization, Role.MANAGER)) == await listed(ask, staff)
    assert await listed(ask, staff_of(place.organization, Role.CUSTOMER, "carl")) == [id_of(second)]
    assert await listed(ask, staff_of(place.organization, Role.PARTNER, "tours")) == [id_of(third)]
    assert await listed(ask, staff_of(place.organization, Role.CUSTOMER, "eve")) == []
    assert await ask.codes(BOOKINGS, viewer=GUEST) == ["UNAUTHENTICATED"]
    operator = Viewer(Role.OPERATOR, None, "root")
    assert await ask.codes(BOOKINGS, viewer=operator) == ["INVALID_INPUT"]
    desk = encode(GlobalKind.RESOURCE, place.desk.organization_id, place.desk.id)
    assert len(await listed(ask, operator, filter={"resourceId": desk})) == 3
    assert id_of(foreign) not in await listed(ask, staff)


async def test_filters(ask: Asker, database: Database, place: Place) -> None:
    pool = await make_resource(database, venue=place.venue, capacity=100)
    elsewhere = await make_resource(
        database, venue=await make_venue(database, organization=place.organization), capacity=100
    )
    a = await make_hold(database, place.desk, "10:00", "12:00")
    b = await make_booking(database, pool, "12:00", "14:00", customer_id="customer:carl")
    c = await make_booking(database, elsewhere, "10:00", "12:00")
    await calls.change_booking(database, change_of(c, BookingAction.CANCEL))
    staff = staff_of(place.organization)
    pool_id = encode(GlobalKind.RESOURCE, pool.organization_id, pool.id)
    venue_id = encode(GlobalKind.VENUE, place.venue.organization_id, place.venue.id)
    morning = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}
    for asked, expected in (
        ({}, [c, b, a]),
        ({"status": ["ON_HOLD"]}, [a]),
        ({"status": ["CONFIRMED", "CANCELLED"]}, [c, b]),
        ({"resourceId": pool_id}, [b]),
        ({"venueId": venue_id}, [b, a]),
        ({"window": morning}, [c, a]),
        ({"venueId": venue_id, "window": morning}, [a]),
        ({"resourceId": pool_id, "window": morning}, []),
        ({"customer": "customer:carl"}, [b]),
        ({"resourceId": "nonsense"}, []),
        ({"venueId": pool_id}, []),
        ({"resourceId": encode(GlobalKind.RESOURCE, uuid.uuid4(), pool.id)}, []),
    ):
        assert await listed(ask, staff, filter=asked) == [id_of(record) for record in expected], asked
    carl = staff_of(place.organization, Role.CUSTOMER, "carl")
    assert await listed(ask, carl, filter={"customer": "customer:eve"}) == []
    endless = {"startsAt": "2030-01-01T00:00:00Z", "endsAt": "2199-01-01T00:00:00Z"}
    for bad in ({"window": endless}, {"customer": "\x00"}, {"customer": "x" * 301}, {"status": ["ON_HOLD"] * 21}):
        assert await ask.codes(BOOKINGS, {"filter": bad}, viewer=staff) == ["INVALID_INPUT"]


async def test_pages(ask: Asker, database: Database, place: Place) -> None:
    records = [await make_hold(database, place.desk) for _ in range(5)]
    staff, found, after = staff_of(place.organization), [], None
    while True:
        page = (await ask(BOOKINGS, {"first": 2, "after": after}, viewer=staff))["bookings"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == [id_of(record) for record in reversed(records)]
    for bad in ({"first": 101}, {"after": "!"}, {"after": "bm8gaWQ"}):
        assert await ask.codes(BOOKINGS, bad, viewer=staff) == ["INVALID_INPUT"]


async def test_the_history(ask: Asker, database: Database, place: Place) -> None:
    record = await make_booking(database, place.desk, actor="guest")
    await calls.change_booking(
        database, change_of(record, BookingAction.CANCEL, actor="staff:ada", reason="They fell ill")
    )
    operation = """query ($token: String, $first: Int, $after: String) { booking(token: $token) {
      events(first: $first, after: $after) {
        edges { cursor node { version kind status actor reason } } pageInfo { hasNextPage endCursor }
    } } }"""
    data = await ask(operation, {"token": token_of(record)})
    events = [edge["node"] for edge in data["booking"]["events"]["edges"]]
    assert [(event["version"], event["kind"], event["actor"], event["reason"]) for event in events] == [
        (1, "HELD", "guest", None),
        (2, "CONFIRMED", "guest", None),
        (3, "CANCELLED", "staff", None),
    ]
    data = await ask(operation, {"token": token_of(record)}, viewer=staff_of(place.organization))
    assert data["booking"]["events"]["edges"][2]["node"]["actor"] == "staff:ada"
    assert data["booking"]["events"]["edges"][2]["node"]["reason"] == "They fell ill"
    first = (await ask(operation, {"token": token_of(record), "first": 2}))["booking"]["events"]
    assert first["pageInfo"]["hasNextPage"] is True
    rest = await ask(operation, {"token": token_of(record), "after": first["pageInfo"]["endCursor"]})
    assert [edge["node"]["version"] for edge in rest["booking"]["events"]["edges"]] == [3]


async def test_a_page_takes_a_constant_number_of_statements(ask: Asker, database: Database, place: Place) -> None:
    operation = """query ($ids: [ID!]!) { bookings(first: 100) { edges { node {
      items { localStart localEnd resource { name venue { name organization { name } } } } events { edges { cursor } }
    } } } nodes(ids: $ids) { ... on Booking { items { quantity } } } }"""
    staff, counts, records = staff_of(place.organization), [], []
    for size in (1, 9):
        for _ in range(size):
            desk = await make_resource(database, venue=place.venue)
            records.append(await make_hold(database, desk))
        with recorded_statements(database) as statements:
            data = await ask(operation, {"ids": [id_of(record) for record in records]}, viewer=staff)
        assert len(data["bookings"]["edges"]) == len(data["nodes"]) == len(records)
        counts.append(len(statements))
    # Twice bookings and items; versions and facts (8), venues, organizations, events.
    assert counts == [16, 16]


async def test_a_booking_shows_its_resource_even_when_its_venue_is_hidden(
    ask: Asker, database: Database, place: Place
) -> None:
    hidden = await make_venue(database, organization=place.organization, is_published=False, name="Old house")
    room = await make_resource(database, venue=hidden, name="Attic")
    record = await make_hold(database, room)
    operation = """query ($token: String) { booking(token: $token) { items { localStart resource {
      name venue { name resources { edges { cursor } } }
    } } } }"""
    data = await ask(operation, {"token": token_of(record)})
    [item] = data["booking"]["items"]
    assert item["resource"] == {"name": "Attic", "venue": {"name": "Old house", "resources": {"edges": []}}}
    timeline = """query ($token: String) { booking(token: $token) { items { resource {
      timeline(window: { startsAt: "2030-06-01T00:00:00Z", endsAt: "2030-06-02T00:00:00Z" }) { version }
    } } } }"""
    assert await ask.codes(timeline, {"token": token_of(record)}) == ["NOT_FOUND"]
