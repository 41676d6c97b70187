"""Who comes: told with a question or a hold, looked at by rules, kept with the booking."""

import secrets
from typing import Any

import pytest

from models.database import Database
from models.resource import Resource
from tests.resolvers.conftest import Asker, id_of
from tests.support.factories import make_resource

WINDOW = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}
FAMILY = [{"type": "ADULT", "count": 2}, {"type": "CHILD", "count": 2, "ages": [3, 9]}]
NO_INFANTS = {"GUEST_TYPES": {"types": [{"type": "ADULT"}, {"type": "CHILD"}], "required": True}}

HOLD = """mutation ($input: BookingHoldInput!) { bookingHold(input: $input) {
  booking { id items { guests { type count ages } } } token
  errors { code path ... on RuleViolation { rule parameters } }
} }"""
AVAILABILITY = """query ($input: AvailabilityInput!) { availability(input: $input) {
  bookable refusals { code rule parameters }
} }"""
OFFERS = """query ($id: ID!, $window: WindowInput!, $guests: [GuestCountInput!]) { node(id: $id) { ... on Resource {
  slots(window: $window, durationMinutes: 60, guests: $guests) { bookable }
  calendar(from: "2030-06-01", to: "2030-06-02", guests: $guests) { bookable nights }
} } }"""


async def held(ask: Asker, resource: Resource, **item: Any) -> dict[str, Any]:
    given = {
        "idempotencyKey": secrets.token_hex(16),
        "items": [{"resourceId": id_of(resource), "window": WINDOW, **item}],
    }
    answer: dict[str, Any] = (await ask(HOLD, {"input": given}))["bookingHold"]
    return answer


async def test_guests_are_kept_with_the_booking(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, capacity=3, rules=NO_INFANTS)
    answer = await held(ask, hall, guests=[*FAMILY, {"type": "INFANT", "count": 0}])
    assert answer["errors"] == []
    assert answer["booking"]["items"] == [
        {"guests": [{"type": "ADULT", "count": 2, "ages": None}, {"type": "CHILD", "count": 2, "ages": [3, 9]}]}
    ]
    query = "query ($id: ID!, $token: String) { booking(id: $id, token: $token) { items { guests { ages } } } }"
    found = await ask(query, {"id": answer["booking"]["id"], "token": answer["token"]})
    assert found["booking"]["items"] == [{"guests": [{"ages": None}, {"ages": [3, 9]}]}]


async def test_nobody_told(ask: Asker, database: Database) -> None:
    answer = await held(ask, await make_resource(database))
    assert answer["booking"]["items"] == [{"guests": None}]


async def test_reading_and_holding_are_refused_alike(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, rules=NO_INFANTS)
    infants = [{"type": "INFANT", "count": 1}]
    asked = {"resourceIds": [id_of(hall)], "window": WINDOW, "guests": infants}
    [answer] = (await ask(AVAILABILITY, {"input": asked}))["availability"]
    about = {"rule": "GUEST_TYPES", "parameters": {"type": "INFANT", "types": ["ADULT", "CHILD"]}}
    assert answer == {"bookable": False, "refusals": [{"code": "GUESTS_NOT_ALLOWED", **about}]}
    errors = (await held(ask, hall, guests=infants))["errors"]
    assert errors == [{"code": "GUESTS_NOT_ALLOWED", "path": ["input", "items", "0"], **about}]


@pytest.mark.parametrize(("guests", "bookable"), [(FAMILY, True), (None, False)])
async def test_offers_are_for_a_party(ask: Asker, database: Database, guests: Any, bookable: bool) -> None:
    hall = await make_resource(database, rules=NO_INFANTS)
    window = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T10:30:00Z"}
    found = (await ask(OFFERS, {"id": id_of(hall), "window": window, "guests": guests}))["node"]
    assert found == {"slots": [{"bookable": bookable}], "calendar": [{"bookable": bookable, "nights": None}]}


@pytest.mark.parametrize(
    ("guests", "path"),
    [
        ([], []),
        ([{"type": "CHILD", "count": 2, "ages": [3]}], ["0", "ages"]),
        ([{"type": "ADULT", "count": 1}, {"type": "child", "count": 1}], ["1", "type"]),
    ],
)
async def test_a_party_that_makes_no_sense(ask: Asker, database: Database, guests: Any, path: list[str]) -> None:
    answer = await held(ask, await make_resource(database), guests=guests)
    assert answer["booking"] is None
    assert answer["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "items", "0", "guests", *path]}]
