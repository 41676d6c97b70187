"""bookingHold and what follows, as a guest does it."""

import uuid
from datetime import time
from typing import Any

import asyncpg
import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.keys import BookingKey
from models.resource import AvailabilityType, Resource, Sharing
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import TOKENS, Asker, id_of, staff_of
from tests.support.factories import make_booking, make_organization, make_requirement, make_resource, make_venue

ALWAYS_OPEN = {"START_GRID": {"minutes": 30}}
TEN_TO_TWELVE = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}

BOOKING = """booking { id reference status version holdExpiresAt holdSecondsLeft customer contact { name email phone }
  items { id quantity activity startsAt endsAt localStart localEnd resource { slug } } }"""
ERRORS = """errors { __typename code message path retryable
  ... on SoldOut { vacancies resource { slug } alternatives { startsAt } }
  ... on RuleViolation { rule parameters }
  ... on VersionConflict { current } }"""
HOLD = f"mutation ($input: BookingHoldInput!) {{ bookingHold(input: $input) {{ token {BOOKING} {ERRORS} }} }}"


def act(name: str) -> str:
    return f"mutation ($input: BookingActionInput!) {{ {name}(input: $input) {{ token {BOOKING} {ERRORS} }} }}"


def item(resource: Resource, **more: Any) -> dict[str, Any]:
    return {"resourceId": id_of(resource), "window": TEN_TO_TWELVE, **more}


async def held(ask: Asker, *items: dict[str, Any], viewer: Viewer = GUEST, **more: Any) -> dict[str, Any]:
    given = {"idempotencyKey": str(uuid.uuid4()), "items": list(items), **more}
    payload: dict[str, Any] = (await ask(HOLD, {"input": given}, viewer=viewer))["bookingHold"]
    return payload


async def done(ask: Asker, name: str, booking_id: str, viewer: Viewer = GUEST, **more: Any) -> dict[str, Any]:
    given = {"idempotencyKey": str(uuid.uuid4()), "bookingId": booking_id, **more}
    payload: dict[str, Any] = (await ask(act(name), {"input": given}, viewer=viewer))[name]
    return payload


def refusal(payload: dict[str, Any]) -> tuple[str, list[str]]:
    """Code and path of the one error; nothing else is in the payload."""
    assert payload["booking"] is None
    assert payload["token"] is None
    [error] = payload["errors"]
    return error["code"], error["path"]


async def claims(owner: "asyncpg.Connection") -> int:
    found: int = await owner.fetchval("SELECT count(*) FROM claim")
    return found


async def written(owner: "asyncpg.Connection") -> int:
    found: int = await owner.fetchval("SELECT (SELECT count(*) FROM booking) + (SELECT count(*) FROM idempotency)")
    return found


async def test_hold_confirm_and_cancel(ask: Asker, database: Database, owner: "asyncpg.Connection") -> None:
    desk = await make_resource(database, capacity=3, rules=ALWAYS_OPEN)
    contact = {"name": "Ada", "email": "ada@example.com", "phone": None}
    payload = await held(ask, item(desk, quantity=2), contact=contact)
    booking, token = payload["booking"], payload["token"]
    assert payload["errors"] == []
    assert (booking["status"], booking["version"], booking["contact"]) == ("ON_HOLD", 1, contact)
    assert 590 <= booking["holdSecondsLeft"] <= 600
    assert booking["items"] == [
        {
            "id": f"{booking['id']}.0",
            "quantity": 2,
            "activity": None,
            **TEN_TO_TWELVE,
            "localStart": "2030-06-01T11:00:00+01:00",
            "localEnd": "2030-06-01T13:00:00+01:00",
            "resource": {"slug": desk.slug},
        }
    ]
    confirmed = await done(ask, "bookingConfirm", booking["id"], token=token, expectedVersion=1)
    assert (confirmed["booking"]["status"], confirmed["booking"]["holdSecondsLeft"]) == ("CONFIRMED", None)
    assert confirmed["token"] is None
    assert await claims(owner) == 1
    cancelled = await done(ask, "bookingCancel", booking["id"], token=token)
    assert (cancelled["booking"]["status"], cancelled["booking"]["version"]) == ("CANCELLED", 3)
    assert await claims(owner) == 0
    assert refusal(await done(ask, "bookingCancel", booking["id"], token=token))[0] == "NOT_CANCELLABLE"
    assert refusal(await done(ask, "bookingConfirm", booking["id"], token=token))[0] == "INVALID_STATE"


async def test_extend_and_release(ask: Asker, database: Database) -> None:
    desk = await make_resource(database, rules=ALWAYS_OPEN, hold_seconds=60, hold_ceiling_seconds=60)
    payload = await held(ask, item(desk))
    given = {"token": payload["token"]}
    assert refusal(await done(ask, "bookingExtend", payload["booking"]["id"], **given)) == ("HOLD_LIMIT", [])
    released = await done(ask, "bookingRelease", payload["booking"]["id"], **given)
    assert released["booking"]["status"] == "CANCELLED"


async def test_the_same_key_gives_the_same_answer(ask: Asker, database: Database, owner: "asyncpg.Connection") -> None:
    desk = await make_resource(database, capacity=5, rules=ALWAYS_OPEN)
    key = str(uuid.uuid4())
    first = await held(ask, item(desk), idempotencyKey=key)
    again = await held(ask, item(desk), idempotencyKey=key)
    assert again["booking"]["id"] == first["booking"]["id"]
    assert again["token"] == first["token"]
    assert await claims(owner) == 1
    other = await held(ask, item(desk, quantity=2), idempotencyKey=key)
    assert refusal(other) == ("IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"])
    assert await claims(owner) == 1


async def test_sold_out_tells_what_is_left_and_when_else(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, capacity=3, rules=ALWAYS_OPEN)
    await make_booking(database, hall, quantity=2)
    payload = await held(ask, item(hall, quantity=2))
    [error] = payload["errors"]
    assert payload["booking"] is None
    assert error["__typename"] == "SoldOut"
    assert (error["code"], error["vacancies"], error["resource"]["slug"]) == ("SOLD_OUT", 1, hall.slug)
    assert [slot["startsAt"][11:16] for slot in error["alternatives"]] == ["08:00", "12:00", "07:30"]


async def test_sold_out_of_what_is_required(ask: Asker, database: Database) -> None:
    venue = await make_venue(database)
    room = await make_resource(database, venue=venue, slug="room", sharing=Sharing.EXCLUSIVE, rules=ALWAYS_OPEN)
    floor = await make_resource(database, venue=venue, slug="floor", rules=ALWAYS_OPEN)
    await make_requirement(database, floor, room, per_booking=1)
    await make_booking(database, room)
    [error] = (await held(ask, item(floor)))["errors"]
    assert (error["__typename"], error["resource"]["slug"]) == ("SoldOut", "room")
    assert len(error["alternatives"]) == 3


async def test_every_rule_that_refuses_is_told(ask: Asker, database: Database) -> None:
    rules: dict[str, dict[str, Any]] = {
        "OPENING_HOURS": {"weekly": [{"weekday": 6, "opens": "14:00", "closes": "17:00"}]},
        "START_GRID": {"minutes": 45},
    }
    desk = await make_resource(database, rules=rules)
    errors = (await held(ask, item(desk)))["errors"]
    assert [(error["__typename"], error["code"], error["rule"]) for error in errors] == [
        ("RuleViolation", "OUTSIDE_OPENING_HOURS", "OPENING_HOURS"),
        ("RuleViolation", "OFF_GRID", "START_GRID"),
    ]
    assert {tuple(error["path"]) for error in errors} == {("input", "items", "0")}


async def test_a_timeline_that_moved_since(ask: Asker, database: Database) -> None:
    desk = await make_resource(database, capacity=2, rules=ALWAYS_OPEN)
    await make_booking(database, desk)
    payload = await held(ask, item(desk), expected=[{"resourceId": id_of(desk), "version": 0}])
    [error] = payload["errors"]
    assert (error["__typename"], error["code"], error["current"]) == ("VersionConflict", "VERSION_CONFLICT", 1)
    assert (await held(ask, item(desk), expected=[{"resourceId": id_of(desk), "version": 1}]))["errors"] == []


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"quantity": 0}, "INVALID_INPUT", ["quantity"]),
        ({"quantity": -1}, "INVALID_INPUT", ["quantity"]),
        ({"quantity": 2**31 - 1}, "INVALID_INPUT", ["quantity"]),
        ({"window": None}, "INVALID_INPUT", ["window"]),
        ({"stay": {"arrival": "2030-06-01", "departure": "2030-06-02"}}, "INVALID_INPUT", ["window"]),
        ({"activity": "\x00"}, "INVALID_INPUT", ["activity"]),
        ({"resourceId": ""}, "NOT_FOUND", ["resourceId"]),
        ({"resourceId": "nonsense"}, "NOT_FOUND", ["resourceId"]),
        ({"resourceId": encode(GlobalKind.RESOURCE, uuid.uuid4(), uuid.uuid4())}, "NOT_FOUND", ["resourceId"]),
        (
            {"window": {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T10:00:00Z"}},
            "INVALID_INPUT",
            ["window", "endsAt"],
        ),
        (
            {"window": {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-05-31T10:00:00Z"}},
            "INVALID_INPUT",
            ["window", "endsAt"],
        ),
        ({"window": {"startsAt": "2020-06-01T10:00:00Z", "endsAt": "2020-06-01T11:00:00Z"}}, "TOO_SOON", []),
        ({"window": {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2199-12-31T10:00:00Z"}}, "TOO_LONG", []),
        ({"window": {"startsAt": "2190-06-01T10:00:00Z", "endsAt": "2190-06-01T11:00:00Z"}}, "TOO_FAR", []),
    ],
)
async def test_bad_items_are_refused_and_nothing_is_written(
    ask: Asker, database: Database, owner: "asyncpg.Connection", given: dict[str, Any], code: str, path: list[str]
) -> None:
    desk = await make_resource(database, rules=ALWAYS_OPEN)
    payload = await held(ask, {**item(desk), **given})
    assert refusal(payload) == (code, ["input", "items", "0", *path])
    assert await written(owner) == 0


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"idempotencyKey": "short"}, ["input", "idempotencyKey"]),
        ({"idempotencyKey": "x" * 129}, ["input", "idempotencyKey"]),
        ({"idempotencyKey": "x" * 20 + "\x00"}, ["input", "idempotencyKey"]),
        ({"idempotencyKey": "x" * 20 + "\ud800"}, ["input", "idempotencyKey"]),
        ({"items": []}, ["input", "items"]),
        ({"contact": {"email": "nobody"}}, ["input", "contact", "email"]),
        ({"contact": {"name": "x" * 201}}, ["input", "contact", "name"]),
        ({"contact": {"phone": "\x00"}}, ["input", "contact", "phone"]),
    ],
)
async def test_bad_input_is_refused_and_nothing_is_written(
    ask: Asker, database: Database, owner: "asyncpg.Connection", given: dict[str, Any], path: list[str]
) -> None:
    desk = await make_resource(database, rules=ALWAYS_OPEN)
    key = {"idempotencyKey": str(uuid.uuid4()), "items": [item(desk)]}
    payload = (await ask(HOLD, {"input": {**key, **given}}))["bookingHold"]
    assert refusal(payload) == ("INVALID_INPUT", path)
    assert await written(owner) == 0


async def test_too_many_items(ask: Asker, database: Database) -> None:
    desk = await make_resource(database, capacity=50_000, rules=ALWAYS_OPEN)
    assert refusal(await held(ask, *[item(desk)] * 10_000)) == ("INVALID_INPUT", ["input", "items"])
    assert len((await held(ask, *[item(desk)] * 20))["booking"]["items"]) == 20
    elsewhere = await make_resource(database)
    assert refusal(await held(ask, item(desk), item(elsewhere))) == ("INVALID_INPUT", ["input", "items"])


async def test_a_local_time_that_does_not_exist(ask: Asker, database: Database) -> None:
    venue = await make_venue(database, time_zone="Europe/Lisbon", check_in_time=time(1, 30), check_out_time=time(11))
    room = await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    stay = {"arrival": "2031-03-30", "departure": "2031-04-01"}  # at 01:00 the clocks go forward to 02:00
    payload = await held(ask, {"resourceId": id_of(room), "stay": stay})
    assert refusal(payload) == ("INVALID_TIME", ["input", "items", "0", "stay", "arrival"])


async def test_a_token_opens_its_own_booking_only(ask: Asker, database: Database) -> None:
    desk = await make_resource(database, capacity=5, rules=ALWAYS_OPEN)
    mine, other = await held(ask, item(desk)), await held(ask, item(desk))
    not_found = ("NOT_FOUND", ["input", "bookingId"])
    for id, token in (
        (other["booking"]["id"], mine["token"]),
        (mine["booking"]["id"], "x" * 75),
        (mine["booking"]["id"], "x" * 100_000),
        (mine["booking"]["id"], TOKENS.issue(BookingKey(desk.organization_id, uuid.uuid4()))),
        (id_of(desk), mine["token"]),
        ("", mine["token"]),
        (encode(GlobalKind.BOOKING, uuid.uuid4(), uuid.uuid4()), mine["token"]),
    ):
        assert refusal(await done(ask, "bookingConfirm", id, token=token)) == not_found


async def test_who_else_may_change_a_booking(ask: Asker, database: Database) -> None:
    organization = await make_organization(database)
    venue = await make_venue(database, organization=organization)
    desk = await make_resource(database, venue=venue, capacity=5, rules=ALWAYS_OPEN)
    customer = staff_of(organization, Role.CUSTOMER, "carl")
    payload = await held(ask, item(desk), viewer=customer)
    assert payload["booking"]["customer"] == "customer:carl"
    id = payload["booking"]["id"]
    stranger = staff_of(await make_organization(database), Role.MANAGER)
    for viewer in (staff_of(organization, Role.CUSTOMER, "eve"), staff_of(organization, Role.PARTNER), stranger):
        assert refusal(await done(ask, "bookingConfirm", id, viewer))[0] == "NOT_FOUND"
    assert (await done(ask, "bookingConfirm", id, customer))["booking"]["status"] == "CONFIRMED"
    assert (await done(ask, "bookingCancel", id, staff_of(organization)))["booking"]["status"] == "CANCELLED"


async def test_what_a_mutation_answers_is_as_it_is_after_it(ask: Asker, database: Database) -> None:
    """Two mutations in one operation: the second shows what the first has changed."""
    desk = await make_resource(database, capacity=5, rules=ALWAYS_OPEN)
    await held(ask, item(desk))
    fields = "{ booking { items { resource { version } } } }"
    operation = f"""mutation ($a: BookingHoldInput!, $b: BookingHoldInput!) {{
      a: bookingHold(input: $a) {fields} b: bookingHold(input: $b) {fields}
    }}"""
    inputs = {name: {"idempotencyKey": str(uuid.uuid4()), "items": [item(desk)]} for name in ("a", "b")}
    data = await ask(operation, inputs)
    versions = [data[name]["booking"]["items"][0]["resource"]["version"] for name in ("a", "b")]
    assert versions == [2, 3]
