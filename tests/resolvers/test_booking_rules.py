"""Rules as clients set, preview, see and remove them."""

from typing import Any

import asyncpg
import pytest

from engine.viewer import GUEST, Role, Viewer
from models.base import new_id
from models.database import Database
from models.resource import Resource
from models.venue import Organization, Venue
from tests.resolvers.conftest import Asker, id_of, staff_of
from tests.support.factories import make_booking, make_organization, make_resource, make_venue
from tests.support.rules import HoursAhead, known
from tests.support.staff import fresh_key
from tests.support.statements import recorded_statements

RULE = "id type parameters description scope priority validFrom validUntil version isRemoved"
PAYLOAD = f"""
    rule {{ {RULE} }}
    breaks {{ count references isComplete }}
    preview {{ asOf resourceCount sample {{ before {{ code }} after {{ code message parameters }} }}
      decisions {{ resource {{ slug }} before {{ ...deciding }} after {{ ...deciding }} }} }}
    errors {{ __typename code path retryable ... on VersionConflict {{ current }} }}
"""
DECIDING = "fragment deciding on DecidingRule { ruleId type parameters scope priority validFrom validUntil }"
HISTORY = """query ($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on BookingRule { version isRemoved
  history(first: $first, after: $after) { pageInfo { hasNextPage endCursor }
    edges { node { version parameters priority isRemoved actor } } } } } }"""
GRID = {"type": "START_GRID", "parameters": {"minutes": 60}}


class Manager:
    """Sets and removes rules."""

    def __init__(self, ask: Asker, viewer: Viewer) -> None:
        self.ask, self.viewer = ask, viewer

    async def __call__(self, name: str, *, viewer: Viewer | None = None, **input: Any) -> dict[str, Any]:
        """The payload."""
        type_ = f"{name[0].upper()}{name[1:]}Input"
        operation = f"mutation ($input: {type_}!) {{ done: {name}(input: $input) {{ {PAYLOAD} }} }} {DECIDING}"
        given = {"input": {"idempotencyKey": fresh_key()} | input}
        return dict((await self.ask(operation, given, viewer=viewer or self.viewer))["done"])

    async def set(self, **input: Any) -> dict[str, Any]:
        """The rule; the test fails if it was refused."""
        payload = await self("bookingRuleSet", **input)
        assert payload["errors"] == []
        return dict(payload["rule"])

    async def refused(self, name: str, **input: Any) -> dict[str, Any]:
        """The one error; the test fails if anything else is in the payload."""
        payload = await self(name, **input)
        [error] = payload.pop("errors")
        assert set(payload.values()) == {None}
        return dict(error)


@pytest.fixture
async def organization(database: Database) -> Organization:
    return await make_organization(database)


@pytest.fixture
async def venue(database: Database, organization: Organization) -> Venue:
    return await make_venue(database, organization=organization)


@pytest.fixture
async def hall(database: Database, venue: Venue) -> Resource:
    return await make_resource(database, venue=venue, slug="hall")


@pytest.fixture
def manager(ask: Asker, organization: Organization) -> Manager:
    return Manager(ask, staff_of(organization, Role.MANAGER))


async def test_rules_are_shown_with_their_scope(ask: Asker, manager: Manager, venue: Venue, hall: Resource) -> None:
    of_venue = await manager.set(venueId=id_of(venue), **GRID, priority=3, validFrom="2030-06-01")
    of_hall = await manager.set(resourceId=id_of(hall), type="START_GRID", parameters={"minutes": 5})
    assert of_venue == {
        "id": of_venue["id"], "type": "START_GRID", "parameters": {"minutes": 60}, "scope": "VENUE", "priority": 3,
        "description": of_hall["description"], "validFrom": "2030-06-01", "validUntil": None, "version": 1,
        "isRemoved": False,
    }  # fmt: skip
    operation = f"""query ($venue: String!, $rule: ID!) {{
      venue(slug: $venue) {{ rules {{ {RULE} }} resources {{ edges {{ node {{ rules {{ {RULE} }} }} }} }} }}
      node(id: $rule) {{ ... on BookingRule {{ {RULE} }} }} }}"""
    for viewer in (GUEST, manager.viewer):
        seen = await ask(operation, {"venue": venue.slug, "rule": of_venue["id"]}, viewer=viewer)
        assert seen["venue"]["rules"] == [of_venue]
        assert seen["venue"]["resources"]["edges"][0]["node"]["rules"] == [of_venue, of_hall]
        assert seen["node"] == of_venue


async def test_what_is_left_out_stays_and_null_takes_a_bound_away(manager: Manager, hall: Resource) -> None:
    until = {"validFrom": "2030-06-01", "validUntil": "2030-07-01"}
    rule = await manager.set(resourceId=id_of(hall), **GRID, priority=3, **until)
    changed = await manager.set(ruleId=rule["id"], validUntil=None, priority=None, expectedVersion=1)
    assert changed == rule | {"validUntil": None, "version": 2}
    conflict = await manager.refused("bookingRuleSet", ruleId=rule["id"], priority=4, expectedVersion=1)
    assert (conflict["__typename"], conflict["current"]) == ("VersionConflict", 2)
    conflict = await manager.refused("bookingRuleRemove", ruleId=rule["id"], expectedVersion=1)
    assert (conflict["code"], conflict["path"]) == ("VERSION_CONFLICT", ["input", "expectedVersion"])


async def test_a_dry_run_and_then_the_same_call(
    database: Database, manager: Manager, venue: Venue, hall: Resource
) -> None:
    booked = await make_booking(database, hall, "10:10")
    window = {"startsAt": "2030-06-01T08:10:00Z", "endsAt": "2030-06-01T09:00:00Z"}
    asked: dict[str, Any] = {
        "idempotencyKey": fresh_key(), "venueId": id_of(venue), **GRID, "asOf": "2030-06-01",
        "sample": {"resourceId": id_of(hall), "window": window},
    }  # fmt: skip
    dry = await manager("bookingRuleSet", **asked, dryRun=True)
    breaks = {"count": 1, "references": [booked.booking.reference], "isComplete": True}
    deciding = {
        "ruleId": None, "type": "START_GRID", "parameters": {"minutes": 60}, "scope": "VENUE", "priority": 0,
        "validFrom": None, "validUntil": None,
    }  # fmt: skip
    [refusal] = dry["preview"]["sample"].pop("after")
    assert (refusal["code"], refusal["parameters"]["minutes"]) == ("OFF_GRID", 60)
    assert dry == {
        "rule": None,
        "breaks": breaks,
        "errors": [],
        "preview": {
            "asOf": "2030-06-01",
            "resourceCount": 1,
            "decisions": [{"resource": {"slug": "hall"}, "before": [], "after": [deciding]}],
            "sample": {"before": []},
        },
    }
    done = await manager("bookingRuleSet", **asked)
    assert (done["breaks"], done["preview"], done["rule"]["version"]) == (breaks, None, 1)
    assert await manager("bookingRuleSet", **asked) == done

    rule = done["rule"]["id"]
    dry = await manager("bookingRuleRemove", ruleId=rule, dryRun=True, asOf="2030-06-01", sample=asked["sample"])
    [decision] = dry["preview"]["decisions"]
    assert (decision["before"], decision["after"]) == ([deciding | {"ruleId": rule}], [])
    assert ([one["code"] for one in dry["preview"]["sample"]["before"]], dry["preview"]["sample"]["after"]) == (
        ["OFF_GRID"], [],
    )  # fmt: skip
    gone = await manager("bookingRuleRemove", ruleId=rule, expectedVersion=1)
    assert (gone["rule"]["isRemoved"], gone["rule"]["version"], gone["breaks"]["count"]) == (True, 2, 0)


async def test_the_history_is_for_staff(
    ask: Asker, manager: Manager, organization: Organization, hall: Resource
) -> None:
    rule = (await manager.set(resourceId=id_of(hall), **GRID))["id"]
    await manager.set(ruleId=rule, parameters={"minutes": 30})
    stranger = Viewer(Role.MANAGER, new_id(), "eve")
    for viewer in (GUEST, stranger, staff_of(organization, Role.CUSTOMER)):
        assert (await ask(HISTORY, {"id": rule}, viewer=viewer))["node"] == {
            "version": 2, "isRemoved": False, "history": None,
        }  # fmt: skip
    await manager("bookingRuleRemove", ruleId=rule, viewer=staff_of(organization, Role.MANAGER, "bilal"))
    for viewer in (GUEST, stranger):
        assert await ask(HISTORY, {"id": rule}, viewer=viewer) == {"node": None}
    lines: list[Any] = []
    after = None
    for more in (True, False):
        asked = {"id": rule, "first": 2, "after": after}
        page = (await ask(HISTORY, asked, viewer=staff_of(organization)))["node"]["history"]
        lines += [tuple(edge["node"].values()) for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is more
    assert lines == [
        (1, {"minutes": 60}, 0, False, "manager:ada"),
        (2, {"minutes": 30}, 0, False, "manager:ada"),
        (3, {"minutes": 30}, 0, True, "manager:bilal"),
    ]


async def test_a_schedule_is_made_of_rules_that_can_be_set(ask: Asker, manager: Manager, venue: Venue) -> None:
    created = await ask(
        f"""mutation {{ resourceCreate(input: {{ idempotencyKey: "{fresh_key()}", venueId: "{id_of(venue)}",
          slug: "new", name: "New", availabilityType: OPENING_HOURS, capacity: 1, startGridMinutes: 60 }})
          {{ resource {{ rules {{ id }} }} }} }}""",
        viewer=manager.viewer,
    )
    [rule] = created["resourceCreate"]["resource"]["rules"]
    assert (await manager.set(ruleId=rule["id"], parameters={"minutes": 15}))["parameters"] == {"minutes": 15}


@pytest.mark.parametrize(
    ("input", "code", "path"),
    [
        ({}, "INVALID_INPUT", ["input"]),
        ({"venueId": True, "resourceId": True}, "INVALID_INPUT", ["input"]),
        ({"venueId": "x"}, "NOT_FOUND", ["input", "venueId"]),
        ({"ruleId": "x"}, "NOT_FOUND", ["input", "ruleId"]),
        ({"resourceId": True, "parameters": {"minutes": 7}}, "INVALID_INPUT", ["input", "parameters", "minutes"]),
        ({"resourceId": True, "parameters": {"minutes": 60, "\ud800": 7}}, "INVALID_INPUT", None),
        ({"resourceId": True, "parameters": "sixty"}, "INVALID_INPUT", ["input", "parameters"]),
        ({"resourceId": True, "idempotencyKey": "short"}, "INVALID_INPUT", ["input", "idempotencyKey"]),
        ({"resourceId": True, "sample": {"resourceId": True}}, "INVALID_INPUT", ["input", "sample", "window"]),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_what_does_not_fit_is_a_typed_error_with_its_path(
    manager: Manager,
    venue: Venue,
    hall: Resource,
    input: dict[str, Any],
    code: str,
    path: list[str] | None,
    dry_run: bool,
) -> None:
    ids = {"venueId": id_of(venue), "resourceId": id_of(hall)}
    given = {name: ids[name] if value is True else value for name, value in input.items()}
    if "sample" in given:
        given["sample"] = {"resourceId": id_of(hall)}
    error = await manager.refused("bookingRuleSet", **{**GRID, **given, "dryRun": dry_run})
    assert error["code"] == code
    assert path in (None, error["path"])
    "".join(error["path"]).encode()  # what is answered can be sent


async def test_only_managers_of_the_organization(
    database: Database, owner: asyncpg.Connection, manager: Manager, organization: Organization, hall: Resource
) -> None:
    rule = (await manager.set(resourceId=id_of(hall), **GRID))["id"]
    somebody = {
        "UNAUTHENTICATED": GUEST,
        "FORBIDDEN": staff_of(organization, Role.STAFF),
        "NOT_FOUND": staff_of(await make_organization(database), Role.MANAGER),
    }
    for code, viewer in somebody.items():
        for dry_run in (False, True):
            for name, input in (("bookingRuleSet", {"priority": 1}), ("bookingRuleRemove", {})):
                error = await manager.refused(name, viewer=viewer, ruleId=rule, dryRun=dry_run, **input)
                assert error["code"] == code
    assert await owner.fetchval("SELECT max(version) FROM booking_rule_change") == 1


async def test_kinds_are_told_with_what_their_parameters_may_be(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = "{ bookingRuleTypes { type description appliesTo isCumulative parametersSchema } }"
    with known(monkeypatch, HoursAhead):
        kinds = {kind["type"]: kind for kind in (await ask(operation))["bookingRuleTypes"]}
    assert {"OPENING_HOURS", "START_GRID", "SESSION_TIMES", "HOURS_AHEAD"} <= set(kinds)
    assert kinds["SESSION_TIMES"]["appliesTo"] == ["START_TIME"]
    grid = kinds["START_GRID"]["parametersSchema"]
    assert (grid["required"], grid["properties"]["minutes"]["maximum"]) == (["minutes"], 1440)
    assert "durationMinutes" in str(kinds["SESSION_TIMES"]["parametersSchema"])


async def test_rules_and_their_history_take_a_constant_number_of_statements(
    ask: Asker, database: Database, manager: Manager, organization: Organization
) -> None:
    operation = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Venue {
      rules { id history { edges { node { version } } } } } } }"""
    counts = []
    for venues in (1, 4):
        made = [await make_venue(database, organization=organization) for _ in range(venues)]
        for venue in made:
            for minutes in (15, 30):
                await manager.set(venueId=id_of(venue), type="START_GRID", parameters={"minutes": minutes})
        with recorded_statements(database) as statements:
            seen = await ask(operation, {"ids": [id_of(venue) for venue in made]}, viewer=manager.viewer)
        assert [len(node["rules"]) for node in seen["nodes"]] == [2] * venues
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_rules_of_what_is_not_published_are_for_staff(
    ask: Asker, database: Database, manager: Manager, organization: Organization
) -> None:
    hidden = await make_venue(database, organization=organization, is_published=False)
    rule = (await manager.set(venueId=id_of(hidden), **GRID))["id"]
    for viewer, found in ((GUEST, {"node": None}), (staff_of(organization), {"node": {"id": rule}})):
        assert await ask("query ($id: ID!) { node(id: $id) { id } }", {"id": rule}, viewer=viewer) == found
