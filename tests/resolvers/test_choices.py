"""A resource that chooses from others: made and changed by managers, seen and booked by guests."""

from typing import Any

import pytest

from engine.viewer import Role
from models.database import Database
from models.resource import Resource
from models.venue import Venue
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import Asker, id_of
from tests.support.factories import make_choices, make_requirement, make_resource, make_venue
from tests.support.staff import fresh_key, viewer_of
from tests.support.statements import recorded_statements

CREATE = """mutation ($input: ResourceCreateInput!) { resourceCreate(input: $input) {
    resource { id choices { slug } } errors { code path } } }"""
UPDATE = """mutation ($input: ResourceUpdateInput!) { resourceUpdate(input: $input) {
    resource { version choices { slug } requirements { resource { slug } } } errors { code path } } }"""
HOLD = """mutation ($input: BookingHoldInput!) { bookingHold(input: $input) {
    booking { items { resource { slug } chosen { slug } } } errors { code ... on SoldOut { vacancies } } } }"""
TIMELINE = """query ($id: ID!, $window: WindowInput!) { node(id: $id) { ... on Resource {
    choices { slug } timeline(window: $window) { steps { vacancies } } } } }"""
WINDOW = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}


@pytest.fixture
async def venue(database: Database) -> Venue:
    return await make_venue(database, time_zone="UTC")


@pytest.fixture
async def rooms(database: Database, venue: Venue) -> list[Resource]:
    made = [await make_resource(database, venue=venue, capacity=1, slug=f"room-{n}") for n in range(3)]
    return sorted(made, key=lambda room: room.id)


async def _update(ask: Asker, resource: Resource, **changes: Any) -> dict[str, Any]:
    viewer = viewer_of(Role.MANAGER, resource.organization_id)
    input = {"idempotencyKey": fresh_key(), "resourceId": id_of(resource), **changes}
    found: dict[str, Any] = (await ask(UPDATE, {"input": input}, viewer=viewer))["resourceUpdate"]
    return found


async def test_made_shown_and_booked(ask: Asker, venue: Venue, rooms: list[Resource]) -> None:
    input = {
        "idempotencyKey": fresh_key(),
        "venueId": encode(GlobalKind.VENUE, venue.organization_id, venue.id),
        "slug": "any-room",
        "name": "Any room",
        "availabilityType": "OPENING_HOURS",
        "capacity": 3,
        "choices": [id_of(room) for room in rooms],
    }
    manager = viewer_of(Role.MANAGER, venue.organization_id)
    made = (await ask(CREATE, {"input": input}, viewer=manager))["resourceCreate"]
    slugs = [{"slug": room.slug} for room in rooms]
    assert made["errors"] == []
    assert made["resource"]["choices"] == slugs

    pool = made["resource"]["id"]
    items = [{"resourceId": pool, "window": WINDOW, "quantity": 2}]
    held = (await ask(HOLD, {"input": {"idempotencyKey": fresh_key(), "items": items}}))["bookingHold"]
    assert held["booking"]["items"] == [{"resource": {"slug": "any-room"}, "chosen": slugs[:2]}]
    seen = (await ask(TIMELINE, {"id": pool, "window": WINDOW}))["node"]
    assert seen == {"choices": slugs, "timeline": {"steps": [{"vacancies": 1}]}}
    refused = (await ask(HOLD, {"input": {"idempotencyKey": fresh_key(), "items": items}}))["bookingHold"]
    assert refused == {"booking": None, "errors": [{"code": "SOLD_OUT", "vacancies": 1}]}


async def test_other_choices_are_another_version_and_null_removes_them(
    ask: Asker, database: Database, rooms: list[Resource]
) -> None:
    pool = await make_resource(database, beside=rooms[0])
    first = await _update(ask, pool, choices=[id_of(rooms[0])])
    other = await _update(ask, pool, choices=[id_of(rooms[1]), id_of(rooms[2])])
    assert [each["slug"] for each in other["resource"]["choices"]] == [rooms[1].slug, rooms[2].slug]
    none = await _update(ask, pool, choices=None)
    assert none["resource"]["choices"] == []
    assert [each["resource"]["version"] for each in (first, other, none)] == [1, 2, 3]


async def test_one_level_deep_within_a_venue(ask: Asker, database: Database, rooms: list[Resource]) -> None:
    """What has requirements or choices can not be chosen or required, and the other way round."""
    pool, house, other, needy = [await make_resource(database, beside=rooms[0]) for _ in range(4)]
    elsewhere = await make_resource(database)
    await make_choices(database, pool, rooms[0])
    await make_requirement(database, house, rooms[1], per_booking=1)
    await make_requirement(database, needy, other, per_booking=1)

    async def refused(resource: Resource, **changes: Any) -> list[tuple[str, list[str]]]:
        return [(error["code"], error["path"][1:]) for error in (await _update(ask, resource, **changes))["errors"]]

    def needs(resource: Resource) -> list[dict[str, Any]]:
        return [{"resourceId": id_of(resource), "perUnit": 1}]

    for choice in (pool, house, other):
        assert await refused(other, choices=[id_of(choice)]) == [("INVALID_INPUT", ["choices", "0"])]
    assert await refused(other, choices=[id_of(rooms[0])]) == [("INVALID_INPUT", ["choices"])], "it is required"
    assert await refused(rooms[0], choices=[id_of(rooms[2])]) == [("INVALID_INPUT", ["choices"])], "it is chosen from"
    assert await refused(house, choices=[id_of(rooms[1])]) == [("INVALID_INPUT", ["choices", "0"])], "it is required"
    assert await refused(pool, choices=[id_of(elsewhere)]) == [("NOT_FOUND", ["choices", "0"])]
    assert await refused(pool, choices=["x"]) == [("NOT_FOUND", ["choices", "0"])]
    assert await refused(pool, choices=[id_of(rooms[1])] * 2) == [("INVALID_INPUT", ["choices", "1"])]
    assert await refused(pool, choices=[id_of(rooms[1])] * 51) == [("INVALID_INPUT", ["choices"])]
    for required in (pool, rooms[0]):
        path = ["requirements", "0", "resourceId"]
        assert await refused(pool, requirements=needs(required)) == [("INVALID_INPUT", path)]
    assert await refused(rooms[0], requirements=needs(rooms[2])) == [("INVALID_INPUT", ["requirements"])]
    assert await refused(house, choices=[id_of(rooms[0]), id_of(rooms[2])]) == []


async def test_the_statements_are_as_many_for_one_member_as_for_many(
    ask: Asker, database: Database, rooms: list[Resource]
) -> None:
    pools = [await make_resource(database, beside=rooms[0], capacity=3) for _ in range(2)]
    await make_choices(database, pools[0], rooms[0])
    await make_choices(database, pools[1], *rooms)
    counts = []
    for pool in pools:
        database.catalog.clear()
        with recorded_statements(database) as statements:
            await ask(TIMELINE, {"id": id_of(pool), "window": WINDOW})
        counts.append(len(statements))
    assert counts[0] == counts[1]
