"""What staff do to the catalog and to capacity, as clients ask for it."""

import uuid
from dataclasses import dataclass
from datetime import time
from typing import Any

import asyncpg
import pytest

from engine.viewer import Role, Viewer
from models.database import Database
from models.resource import Resource
from models.venue import Organization, Venue
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import Asker, id_of, staff_of
from tests.support.factories import make_booking, make_organization, make_resource, make_venue
from tests.support.ledger import count_of, version_of
from tests.support.staff import BELOW_MANAGER, fresh_key, viewer_of

ERRORS = """
    errors {
        __typename code message path retryable
        ... on CapacityInUse { references }
        ... on VersionConflict { current }
    }
"""
VENUE = f"""
    venue {{ id slug name description timeZone currency country checkInTime checkOutTime organization {{ id }} }}
    {ERRORS}
"""
RESOURCE = f"""
    resource {{
        id slug name description availabilityType sharing capacity version venue {{ id }}
        rules {{ type parameters }} requirements {{ resource {{ slug }} perUnit perBooking }} choices {{ slug }}
    }}
    {ERRORS}
"""
MUTATIONS = {
    "venueCreate": VENUE,
    "venueUpdate": VENUE,
    "resourceCreate": RESOURCE,
    "resourceUpdate": RESOURCE,
    "capacitySet": RESOURCE,
    "resourceClose": RESOURCE,
    "resourceOpen": RESOURCE,
}
FOR_MANAGERS = ("venueCreate", "venueUpdate", "resourceCreate", "resourceUpdate")
WINDOW = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}


@dataclass(frozen=True)
class Staff:
    """Asks mutations with a fresh key each, as a manager unless somebody else is named."""

    ask: Asker
    manager: Viewer

    async def __call__(self, name: str, /, *, viewer: Viewer | None = None, **input: Any) -> dict[str, Any]:
        """The payload."""
        type_ = name[0].upper() + name[1:] + "Input"
        operation = f"mutation ($input: {type_}!) {{ payload: {name}(input: $input) {{ {MUTATIONS[name]} }} }}"
        variables = {"input": {"idempotencyKey": fresh_key()} | input}
        payload: dict[str, Any] = (await self.ask(operation, variables, viewer=viewer or self.manager))["payload"]
        return payload

    async def done(self, name: str, /, *, viewer: Viewer | None = None, **input: Any) -> dict[str, Any]:
        """What was made or changed; the test fails if it was refused."""
        payload = await self(name, viewer=viewer, **input)
        assert payload.pop("errors") == []
        (found,) = payload.values()
        assert found is not None
        return dict(found)

    async def refused(self, name: str, /, *, viewer: Viewer | None = None, **input: Any) -> dict[str, Any]:
        """The one error; the test fails if anything else is in the payload."""
        payload = await self(name, viewer=viewer, **input)
        (error,) = payload.pop("errors")
        assert list(payload.values()) == [None]
        assert error.pop("message")
        return dict(error)


@pytest.fixture
async def organization(database: Database) -> Organization:
    return await make_organization(database)


@pytest.fixture
def staff(ask: Asker, organization: Organization) -> Staff:
    return Staff(ask, staff_of(organization, Role.MANAGER))


@pytest.fixture
async def venue(database: Database, organization: Organization) -> Venue:
    return await make_venue(database, organization=organization, description="Old", check_in_time=time(15))


@pytest.fixture
async def resource(database: Database, venue: Venue) -> Resource:
    return await make_resource(database, venue=venue, capacity=10, description="Old")


def new_venue(**more: Any) -> dict[str, Any]:
    return {
        "slug": "casa-do-rio",
        "name": "Casa do Rio",
        "timeZone": "Europe/Lisbon",
        "currency": "EUR",
        "country": "PT",
    } | more


def new_resource(venue: Venue, **more: Any) -> dict[str, Any]:
    return {
        "venueId": id_of(venue),
        "slug": "desk-hall",
        "name": "Desk hall",
        "availabilityType": "OPENING_HOURS",
        "capacity": 40,
    } | more


async def rows(owner: "asyncpg.Connection") -> dict[str, list[tuple[Any, ...]]]:
    """Everything that these mutations can write."""
    tables = (
        "venue",
        "directory",
        "resource",
        "resource_requirement",
        "booking_rule",
        "adjustment",
        "timeline",
        "outbox",
        "idempotency",
    )
    return {
        table: [tuple(row) for row in await owner.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")]
        for table in tables
    }


async def test_a_guesthouse_is_built_from_nothing(ask: Asker, staff: Staff, organization: Organization) -> None:
    house = await staff.done("venueCreate", **new_venue(checkInTime="15:00", checkOutTime="11:00"))
    assert house == new_venue() | {
        "id": house["id"],
        "description": None,
        "checkInTime": "15:00",
        "checkOutTime": "11:00",
        "organization": {"id": encode(GlobalKind.ORGANIZATION, organization.id, organization.id)},
    }
    made: dict[str, Any] = {"venueId": house["id"], "availabilityType": "NIGHTLY"}
    room = await staff.done("resourceCreate", **made, slug="double-room", name="Double room", capacity=4)
    whole = await staff.done(
        "resourceCreate",
        **made,
        slug="whole-house",
        name="Whole house",
        capacity=1,
        sharing="EXCLUSIVE",
        requirements=[{"resourceId": room["id"], "perBooking": 4}],
    )
    assert whole["requirements"] == [{"resource": {"slug": "double-room"}, "perUnit": 0, "perBooking": 4}]
    assert (whole["sharing"], whole["version"], whole["venue"]) == ("EXCLUSIVE", 0, {"id": house["id"]})
    # A guest sees all of it at once.
    seen = await ask('{ venue(slug: "casa-do-rio") { resources { edges { node { slug } } } } }')
    slugs = [edge["node"]["slug"] for edge in seen["venue"]["resources"]["edges"]]
    assert slugs == ["double-room", "whole-house"]


async def test_a_desk_hall_with_its_hours(staff: Staff, venue: Venue) -> None:
    hall = await staff.done(
        "resourceCreate",
        **new_resource(
            venue,
            openingHours=[{"weekday": 1, "opens": "08:00", "closes": "00:00"}],
            startGridMinutes=15,
            holdMinutes=5,
        ),
    )
    assert {rule["type"]: rule["parameters"] for rule in hall["rules"]} == {
        "OPENING_HOURS": {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "00:00"}]},
        "START_GRID": {"minutes": 15},
    }


async def test_a_class_with_its_sessions(staff: Staff, venue: Venue) -> None:
    yoga = new_resource(venue, availabilityType="START_TIME")
    assert (await staff.refused("resourceCreate", **yoga))["path"] == ["input", "sessions"]
    sessions = [{"weekday": 2, "starts": "18:30", "durationMinutes": 90}]
    made = await staff.done("resourceCreate", **yoga, sessions=sessions)
    assert made["rules"] == [{"type": "SESSION_TIMES", "parameters": {"weekly": sessions}}]


async def test_null_removes_what_may_be_removed_and_leaves_the_rest(
    staff: Staff, venue: Venue, resource: Resource
) -> None:
    every_null: dict[str, Any] = dict.fromkeys(
        ("slug", "name", "description", "timeZone", "currency", "country", "checkInTime", "checkOutTime", "isPublished")
    )
    changed = await staff.done("venueUpdate", venueId=id_of(venue), **every_null)
    assert (changed["slug"], changed["name"], changed["timeZone"]) == (venue.slug, venue.name, venue.time_zone)
    assert (changed["description"], changed["checkInTime"]) == (None, None)

    resource_update: dict[str, Any] = {"resourceId": id_of(resource)}
    hours = [{"weekday": 1, "opens": "09:00", "closes": "17:00"}]
    await staff.done("resourceUpdate", **resource_update, openingHours=hours, startGridMinutes=30)
    every_null = dict.fromkeys(
        (
            "slug",
            "name",
            "description",
            "sharing",
            "holdMinutes",
            "holdCeilingMinutes",
            "openingHours",
            "sessions",
            "requirements",
            "choices",
        )
    )
    changed = await staff.done("resourceUpdate", **resource_update, **every_null)
    assert (changed["slug"], changed["name"], changed["sharing"]) == (resource.slug, resource.name, resource.sharing)
    assert changed["description"] is None
    assert [rule["type"] for rule in changed["rules"]] == ["START_GRID"]


async def test_what_is_left_out_stays(staff: Staff, venue: Venue, resource: Resource) -> None:
    changed = await staff.done("venueUpdate", venueId=id_of(venue), name="New")
    assert (changed["name"], changed["description"], changed["checkInTime"]) == ("New", "Old", "15:00")
    changed = await staff.done("resourceUpdate", resourceId=id_of(resource), name="New")
    assert (changed["name"], changed["description"], changed["slug"]) == ("New", "Old", resource.slug)


async def test_capacity_closing_and_opening(
    ask: Asker, staff: Staff, resource: Resource, database: Database, owner: "asyncpg.Connection"
) -> None:
    on: dict[str, Any] = {
        "resourceId": id_of(resource),
        "viewer": viewer_of(Role.STAFF, resource.organization_id),
    }
    booked = await make_booking(database, resource, quantity=6)
    version = await version_of(owner, resource)
    assert await staff.refused("capacitySet", **on, capacity=5, window=WINDOW) == {
        "__typename": "CapacityInUse",
        "code": "CAPACITY_IN_USE",
        "path": ["input", "capacity"],
        "retryable": False,
        "references": [booked.booking.reference],
    }
    assert (await staff.done("capacitySet", **on, capacity=8, window=WINDOW))["version"] == version + 1
    assert (await staff.done("resourceClose", **on, window={"startsAt": "2030-06-01T11:00:00Z"}))["capacity"] == 10
    assert (await staff.done("resourceOpen", **on, window={"startsAt": "2030-06-01T13:00:00Z"}))[
        "version"
    ] == version + 3
    conflict = await staff.refused("resourceClose", **on, expectedVersion=version)
    assert (conflict["__typename"], conflict["current"]) == ("VersionConflict", version + 3)
    assert (await staff.done("capacitySet", **on, capacity=20))["capacity"] == 20
    node = await ask(
        """query ($id: ID!, $window: WindowInput!) { node(id: $id) { ... on Resource {
            timeline(window: $window) { steps { startsAt capacity vacancies status } } } } }""",
        {"id": id_of(resource), "window": {"startsAt": "2030-06-01T09:00:00Z", "endsAt": "2030-06-01T14:00:00Z"}},
    )
    assert [(step["startsAt"][11:13], step["status"]) for step in node["node"]["timeline"]["steps"]][1:] == [
        ("10", "AVAILABLE"),
        ("11", "CLOSED"),
        ("13", "AVAILABLE"),
    ]


@pytest.mark.parametrize(
    ("name", "role"),
    [(name, role) for name in MUTATIONS for role in BELOW_MANAGER if role is not Role.STAFF or name in FOR_MANAGERS],
)
async def test_a_denied_mutation_writes_nothing(
    staff: Staff, venue: Venue, resource: Resource, owner: "asyncpg.Connection", name: str, role: Role
) -> None:
    before = await rows(owner)
    error = await staff.refused(
        name, viewer=viewer_of(role, venue.organization_id), **input_of(name, id_of(venue), id_of(resource))
    )
    assert error["code"] == ("UNAUTHENTICATED" if role is Role.GUEST else "FORBIDDEN")
    assert await rows(owner) == before


@pytest.mark.parametrize("whose", ["foreign", "unknown", "malformed", "of another kind"])
@pytest.mark.parametrize("name", list(MUTATIONS))
async def test_ids_that_are_not_the_organization_s_are_not_found_and_look_alike(
    staff: Staff,
    venue: Venue,
    resource: Resource,
    database: Database,
    owner: "asyncpg.Connection",
    name: str,
    whose: str,
) -> None:
    theirs = await make_resource(database)
    unknown = uuid.uuid4()
    venue_id, resource_id = {
        "foreign": (encode(GlobalKind.VENUE, theirs.organization_id, theirs.venue_id), id_of(theirs)),
        "unknown": (
            encode(GlobalKind.VENUE, venue.organization_id, unknown),
            encode(GlobalKind.RESOURCE, venue.organization_id, unknown),
        ),
        "malformed": ("venue-1", "%00"),
        "of another kind": (id_of(resource), id_of(venue)),
    }[whose]
    before = await rows(owner)
    input = input_of(name, venue_id, resource_id)
    if name == "venueCreate":
        input["organizationId"] = encode(GlobalKind.ORGANIZATION, theirs.organization_id, theirs.organization_id)
    error = await staff.refused(name, **input)
    assert error["code"] == "NOT_FOUND"
    expected = {"venueCreate": "organizationId", "venueUpdate": "venueId", "resourceCreate": "venueId"}
    assert error["path"] == ["input", expected.get(name, "resourceId")]
    assert await rows(owner) == before


async def test_the_messages_of_foreign_and_unknown_ids_are_the_same(
    ask: Asker, staff: Staff, database: Database, resource: Resource
) -> None:
    theirs = await make_resource(database)
    unknown = encode(GlobalKind.RESOURCE, resource.organization_id, uuid.uuid4())
    for name in ("resourceUpdate", "capacitySet", "resourceClose"):
        answers = [
            await staff(name, **input_of(name, "", resource_id))
            for resource_id in (id_of(theirs), unknown, "malformed")
        ]
        assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("name", list(MUTATIONS))
async def test_a_repetition_gives_the_answer_again_and_another_input_is_a_conflict(
    staff: Staff, venue: Venue, resource: Resource, owner: "asyncpg.Connection", name: str
) -> None:
    input = input_of(name, id_of(venue), id_of(resource)) | {"idempotencyKey": fresh_key()}
    first = await staff.done(name, **input)
    after = await rows(owner)
    assert await staff.done(name, **input) == first
    field = "description" if name.startswith("venue") or name in ("resourceCreate", "resourceUpdate") else "reason"
    for other in ("", "other", *([None] if "Update" in name else [])):
        changed: dict[str, Any] = input | {field: other}
        assert (await staff.refused(name, **changed))["code"] == "IDEMPOTENCY_CONFLICT"
    assert await rows(owner) == after


async def test_several_mutations_of_one_operation_each_see_the_one_before(
    ask: Asker, staff: Staff, resource: Resource
) -> None:
    fields = "resource { capacity name rules { type } } errors { code }"
    operation = f"""
        mutation ($id: ID!, $a: String!, $b: String!, $c: String!) {{
            one: capacitySet(input: {{idempotencyKey: $a, resourceId: $id, capacity: 20}}) {{ {fields} }}
            two: resourceUpdate(input: {{
                idempotencyKey: $b, resourceId: $id, name: "New", startGridMinutes: 30
            }}) {{ {fields} }}
            three: capacitySet(input: {{idempotencyKey: $c, resourceId: $id, capacity: 30}}) {{ {fields} }}
        }}
    """
    variables = {"id": id_of(resource), "a": fresh_key(), "b": fresh_key(), "c": fresh_key()}
    answers = await ask(operation, variables, viewer=staff.manager)
    assert [(answer["resource"]["capacity"], answer["resource"]["name"]) for answer in answers.values()] == [
        (20, "Desk hall"),
        (20, "New"),
        (30, "New"),
    ]
    assert answers["three"]["resource"]["rules"] == [{"type": "START_GRID"}]


async def test_an_operator_names_the_organization(staff: Staff, organization: Organization) -> None:
    operator = Viewer(Role.OPERATOR, None, "root")
    error = await staff.refused("venueCreate", viewer=operator, **new_venue())
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "organizationId"])
    organization_id = encode(GlobalKind.ORGANIZATION, organization.id, organization.id)
    for wrong in ("malformed", encode(GlobalKind.VENUE, organization.id, organization.id)):
        error = await staff.refused("venueCreate", viewer=operator, **new_venue(organizationId=wrong))
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "organizationId"])
    made = await staff.done("venueCreate", viewer=operator, **new_venue(organizationId=organization_id))
    assert made["organization"] == {"id": organization_id}


@pytest.mark.parametrize(
    ("name", "more", "path"),
    [
        ("venueCreate", {"slug": "Not A Slug"}, ["slug"]),
        ("venueCreate", {"timeZone": "Mars/Olympus"}, ["timeZone"]),
        ("venueCreate", {"idempotencyKey": "short"}, ["idempotencyKey"]),
        ("venueUpdate", {"timeZone": "Europe/Lisbon"}, ["timeZone"]),
        ("resourceCreate", {"capacity": -1}, ["capacity"]),
        ("resourceCreate", {"availabilityType": "NIGHTLY"}, ["availabilityType"]),
        (
            "resourceCreate",
            {"openingHours": [{"weekday": 9, "opens": "09:00", "closes": "10:00"}]},
            ["openingHours", "0", "weekday"],
        ),
        ("resourceUpdate", {"holdMinutes": 2000}, ["holdMinutes"]),
        ("resourceUpdate", {"sessions": [{"weekday": 1, "starts": "09:00", "durationMinutes": 60}]}, ["sessions"]),
        ("capacitySet", {"window": {"startsAt": "2020-01-01T00:00:00Z"}}, ["window", "startsAt"]),
        ("resourceClose", {"window": WINDOW | {"endsAt": WINDOW["startsAt"]}}, ["window", "endsAt"]),
        ("resourceOpen", {"reason": "r" * 501}, ["reason"]),
    ],
)
async def test_what_does_not_fit_is_a_typed_error_with_its_path(
    staff: Staff,
    venue: Venue,
    resource: Resource,
    owner: "asyncpg.Connection",
    name: str,
    more: dict[str, Any],
    path: list[str],
) -> None:
    before = await rows(owner)
    error = await staff.refused(name, **input_of(name, id_of(venue), id_of(resource)) | more)
    assert error == {"__typename": "InputError", "code": "INVALID_INPUT", "path": ["input", *path], "retryable": False}
    assert await rows(owner) == before


async def test_nothing_is_left_open_by_a_denied_or_refused_call(
    staff: Staff, venue: Venue, owner: "asyncpg.Connection"
) -> None:
    for _ in range(12):  # more often than there are connections
        await staff.refused("resourceCreate", **new_resource(venue, requirements=[{"resourceId": "x", "perUnit": 1}]))
        await staff.refused("venueCreate", **new_venue(slug=venue.slug))
    assert await count_of(owner, "idempotency") == 0
    await staff.done("resourceCreate", **new_resource(venue))


def input_of(name: str, venue_id: str, resource_id: str) -> dict[str, Any]:
    """An input that the mutation takes from a manager."""
    if name == "venueCreate":
        return new_venue()
    if name == "venueUpdate":
        return {"venueId": venue_id, "name": "New"}
    if name == "resourceCreate":
        return {
            "venueId": venue_id,
            "slug": "desk-hall",
            "name": "Desk hall",
            "availabilityType": "OPENING_HOURS",
            "capacity": 40,
        }
    if name == "resourceUpdate":
        return {"resourceId": resource_id, "name": "New"}
    window = {"resourceId": resource_id, "window": WINDOW}
    return window | {"capacity": 5} if name == "capacitySet" else window
