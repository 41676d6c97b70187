"""node, nodes, venue, venues and what hangs on them: who sees what, in how many statements."""

import uuid
from datetime import time
from typing import Any

import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.resource import AvailabilityType
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import Asker, id_of, staff_of
from tests.support.factories import (
    make_booking,
    make_hold,
    make_organization,
    make_requirement,
    make_resource,
    make_venue,
)
from tests.support.statements import recorded_statements

ALWAYS_OPEN = {"START_GRID": {"minutes": 60}}

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


async def seen(ask: Asker, *ids: str, viewer: Viewer = GUEST) -> list[str | None]:
    data = await ask(NODES, {"ids": list(ids)}, viewer=viewer)
    assert [node and node["id"] for node in data["nodes"]] == [
        id if node else None for id, node in zip(ids, data["nodes"], strict=True)
    ]
    return [node and node["__typename"] for node in data["nodes"]]


async def test_a_venue_is_found_by_its_slug(ask: Asker, database: Database) -> None:
    venue = await make_venue(database, check_in_time=time(15), check_out_time=time(11, 30), description="By the sea")
    data = await ask(
        """query ($slug: String!) { venue(slug: $slug) {
          id slug name description timeZone currency country checkInTime checkOutTime organization { id slug }
        } }""",
        {"slug": venue.slug},
    )
    assert data["venue"] == {
        "id": id_of(venue),
        "slug": venue.slug,
        "name": "Harbour House",
        "description": "By the sea",
        "timeZone": "Africa/Algiers",
        "currency": "DZD",
        "country": "DZ",
        "checkInTime": "15:00",
        "checkOutTime": "11:30",
        "organization": {
            "id": encode(GlobalKind.ORGANIZATION, venue.organization_id, venue.organization_id),
            "slug": data["venue"]["organization"]["slug"],
        },
    }


@pytest.mark.parametrize("slug", ["nothing-here", "", "x" * 10_000, "a\x00b", "\ud800", "' OR 1=1 --"])
async def test_no_venue_is_null(ask: Asker, slug: str) -> None:
    assert await ask("query ($slug: String!) { venue(slug: $slug) { id } }", {"slug": slug}) == {"venue": None}


async def test_what_is_not_published_is_for_the_organizations_staff(ask: Asker, database: Database) -> None:
    organization = await make_organization(database)
    venue = await make_venue(database, organization=organization, is_published=False)
    resource = await make_resource(database, venue=venue, rules=ALWAYS_OPEN)
    ids = [id_of(organization), id_of(venue), id_of(resource)]
    everything = ["Organization", "Venue", "Resource"]
    nothing = [None, None, None]
    stranger = staff_of(await make_organization(database))

    assert await seen(ask, *ids) == nothing
    assert await seen(ask, *ids, viewer=stranger) == nothing
    assert await seen(ask, *ids, viewer=staff_of(organization, Role.CUSTOMER)) == ["Organization", None, None]
    assert await seen(ask, *ids, viewer=staff_of(organization)) == everything
    assert await seen(ask, *ids, viewer=Viewer(Role.OPERATOR, None, "root")) == everything

    by_slug = "query ($slug: String!) { venue(slug: $slug) { id } venues { edges { node { slug } } } }"
    for viewer, shown in ((stranger, False), (staff_of(organization), True)):
        data = await ask(by_slug, {"slug": venue.slug}, viewer=viewer)
        assert (data["venue"] is not None, venue.slug in str(data["venues"])) == (shown, shown)


async def test_unknown_foreign_and_malformed_look_alike(ask: Asker, database: Database) -> None:
    hidden = await make_venue(database, is_published=False)
    mine = await make_resource(database)
    held = await make_hold(database, mine)
    foreign = [
        id_of(hidden),
        encode(GlobalKind.BOOKING, held.booking.organization_id, held.booking.id),
        encode(GlobalKind.RESOURCE, hidden.organization_id, mine.id),
        encode(GlobalKind.ORGANIZATION, mine.organization_id, hidden.organization_id),
    ]
    unknown = [encode(kind, uuid.uuid4(), uuid.uuid4()) for kind in GlobalKind]
    malformed = ["", "x", "A" * 44, "é" * 44, id_of(mine)[:-1], id_of(mine) + "=", "\x00", "-" * 10_000]
    for id in (*foreign, *unknown, *malformed):
        assert await ask("query ($id: ID!) { node(id: $id) { id } }", {"id": id}) == {"node": None}
    assert await seen(ask, *foreign, *unknown, *malformed) == [None] * (4 + len(GlobalKind) + 8)


async def test_foreign_costs_what_unknown_costs(ask: Asker, database: Database) -> None:
    hidden = await make_venue(database, is_published=False)
    room = await make_resource(database, venue=hidden)
    held = await make_hold(database, room)
    pairs = [
        (id_of(hidden), GlobalKind.VENUE),
        (id_of(room), GlobalKind.RESOURCE),
        (encode(GlobalKind.ORGANIZATION, hidden.organization_id, hidden.organization_id), GlobalKind.ORGANIZATION),
    ]
    for foreign, kind in pairs:
        counts = []
        for id in (foreign, encode(kind, uuid.uuid4(), uuid.uuid4())):
            with recorded_statements(database) as statements:
                await ask("query ($id: ID!) { node(id: $id) { id } }", {"id": id})
            counts.append(len(statements))
        assert counts[0] == counts[1], kind
    assert held.booking.status == "ON_HOLD"


async def test_at_most_100_ids(ask: Asker) -> None:
    assert await ask.codes(NODES, {"ids": ["x"] * 101}) == ["INVALID_INPUT"]
    assert await seen(ask, *["x"] * 100) == [None] * 100


async def test_a_rule_is_a_node(ask: Asker, database: Database) -> None:
    resource = await make_resource(database, rules=ALWAYS_OPEN)
    data = await ask(
        "query ($id: ID!) { node(id: $id) { ... on Resource { rules { id type parameters description } } } }",
        {"id": id_of(resource)},
    )
    [rule] = data["node"]["rules"]
    assert (rule["type"], rule["parameters"]) == ("START_GRID", {"minutes": 60})
    assert await seen(ask, rule["id"]) == ["BookingRule"]


async def test_pages_of_venues(ask: Asker, database: Database) -> None:
    organization = await make_organization(database)
    slugs = [f"page-{n}" for n in range(5)]
    for slug in slugs:
        await make_venue(database, organization=organization, slug=slug)
    operation = """query ($first: Int, $after: String) { venues(first: $first, after: $after) {
      edges { cursor node { slug } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }"""
    found: list[str] = []
    after = None
    for page in range(3):
        data = (await ask(operation, {"first": 2, "after": after}))["venues"]
        found += [edge["node"]["slug"] for edge in data["edges"]]
        info = data["pageInfo"]
        assert info["hasNextPage"] is (page < 2)
        assert info["hasPreviousPage"] is (page > 0)
        assert (info["startCursor"], info["endCursor"]) == (data["edges"][0]["cursor"], data["edges"][-1]["cursor"])
        after = info["endCursor"]
    assert found == slugs
    for bad in ({"first": 0}, {"first": 101}, {"first": -1}, {"after": "no cursor!"}):
        assert await ask.codes(operation, bad) == ["INVALID_INPUT"]


async def test_resources_are_filtered_and_paged(ask: Asker, database: Database) -> None:
    venue = await make_venue(database)
    for n in range(4):
        kind = AvailabilityType.NIGHTLY if n % 2 else AvailabilityType.OPENING_HOURS
        await make_resource(database, venue=venue, slug=f"r-{n}", capacity=n, availability_type=kind)
    operation = """query ($slug: String!, $first: Int, $after: String, $filter: ResourceFilter) {
      venue(slug: $slug) { resources(first: $first, after: $after, filter: $filter) {
        edges { node { slug } cursor } pageInfo { hasNextPage }
    } } }"""

    async def found(**asked: Any) -> list[str]:
        data = await ask(operation, {"slug": venue.slug, **asked})
        return [edge["node"]["slug"] for edge in data["venue"]["resources"]["edges"]]

    assert await found() == ["r-0", "r-1", "r-2", "r-3"]
    assert await found(first=2) == ["r-0", "r-1"]
    assert await found(filter={"availabilityType": "NIGHTLY"}) == ["r-1", "r-3"]
    assert await found(filter={"capacityMin": 2}) == ["r-2", "r-3"]
    data = await ask(operation, {"slug": venue.slug, "first": 3})
    cursor = data["venue"]["resources"]["edges"][1]["cursor"]
    assert data["venue"]["resources"]["pageInfo"]["hasNextPage"] is True
    assert await found(after=cursor) == ["r-2", "r-3"]


async def test_lists_within_lists_take_a_constant_number_of_statements(ask: Asker, database: Database) -> None:
    operation = """{ venues(first: 100) { edges { node {
      organization { name }
      resources(first: 50) { edges { node {
        name venue { name } rules { type } requirements { perUnit resource { name venue { slug } } }
        timeline(window: { startsAt: "2030-06-01T00:00:00Z", endsAt: "2030-06-02T00:00:00Z" }) { steps { vacancies } }
        slots(window: { startsAt: "2030-06-01T00:00:00Z", endsAt: "2030-06-02T00:00:00Z" }) { bookable }
        calendar(from: "2030-06-01", to: "2030-06-03") { bookable }
      } } }
    } } } }"""
    counts = []
    for size in (1, 4):
        for _ in range(size):
            venue = await make_venue(database)
            rooms = [await make_resource(database, venue=venue, rules=ALWAYS_OPEN) for _ in range(size)]
            floor = await make_resource(database, venue=venue, rules=ALWAYS_OPEN)
            for room in rooms:
                await make_requirement(database, floor, room, per_unit=1)
                await make_booking(database, room)
        with recorded_statements(database) as statements:
            data = await ask(operation)
        assert len(data["venues"]["edges"]) == (1 if size == 1 else 5)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert counts[0] <= 16


async def test_a_requirement_of_a_hidden_venue_is_not_told(ask: Asker, database: Database) -> None:
    organization = await make_organization(database)
    shown = await make_resource(database, venue=await make_venue(database, organization=organization))
    hidden = await make_resource(
        database, venue=await make_venue(database, organization=organization, is_published=False), name="Back room"
    )
    await make_requirement(database, shown, hidden, per_booking=1)
    operation = """query ($id: ID!) { node(id: $id) {
      ... on Resource { requirements { perUnit perBooking resource { name } } }
    } }"""
    assert (await ask(operation, {"id": id_of(shown)}))["node"]["requirements"] == []
    data = await ask(operation, {"id": id_of(shown)}, viewer=staff_of(organization))
    assert data["node"]["requirements"] == [{"perUnit": 0, "perBooking": 1, "resource": {"name": "Back room"}}]


async def test_who_asks(ask: Asker, database: Database) -> None:
    operation = "{ viewer { role organization { slug } contact { name email } } }"
    assert (await ask(operation))["viewer"] == {"role": "GUEST", "organization": None, "contact": None}
    organization = await make_organization(database)
    data = await ask(operation, viewer=staff_of(organization, Role.MANAGER))
    assert data["viewer"] == {
        "role": "MANAGER",
        "organization": {"slug": organization.slug},
        "contact": {"name": "Ada", "email": None},
    }
