"""Waiting, as clients ask for it: who may, what is refused, what is shown to whom."""

import secrets
from typing import Any

import asyncpg
import pytest

from engine.offers import offer_free
from engine.viewer import GUEST, Role, Viewer
from engine.waitlist import OF_PARTY_MAX
from models.database import Database
from models.resource import Resource
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import NOW, Asker, staff_of
from tests.support.factories import key_of, make_booking, make_entry, make_organization, make_resource, make_venue

ENTRY = "entry { id status version quantity offers flexibleFrom contact { email } booking { status } bookingToken }"
JOIN = (
    f"mutation($input: WaitlistJoinInput!) {{ waitlistJoin(input: $input) {{ {ENTRY} token errors {{ code path }} }} }}"
)
LEAVE = f"mutation($input: WaitlistLeaveInput!) {{ waitlistLeave(input: $input) {{ {ENTRY} errors {{ code path }} }} }}"
ONE = (
    "query($id: ID, $token: String) { waitlistEntry(id: $id, token: $token)"
    " { id status localStart resource { name } booking { id status items { quantity } } bookingToken } }"
)
MANY = """query($resource: ID, $first: Int, $after: String) {
  waitlistEntries(resourceId: $resource, first: $first, after: $after) {
    edges { node { id quantity customer } } pageInfo { hasNextPage endCursor } } }"""
WINDOW = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}


def joining(resource: Resource, **more: Any) -> dict[str, Any]:
    return {
        "input": {
            "idempotencyKey": secrets.token_hex(16),
            "resourceId": encode(GlobalKind.RESOURCE, resource.organization_id, resource.id),
            "window": WINDOW,
            "contact": {"email": "ada@example.com"},
            **more,
        }
    }


async def test_a_guest_waits_is_offered_and_confirms(ask: Asker, database: Database) -> None:
    resource = await make_resource(database, capacity=3)
    joined = (await ask(JOIN, joining(resource, quantity=2)))["waitlistJoin"]
    assert joined["errors"] == []
    assert joined["entry"]["status"] == "WAITING"
    assert (joined["entry"]["booking"], joined["entry"]["bookingToken"]) == (None, None)
    await offer_free(database, key_of(resource), now=lambda: NOW)
    shown = (await ask(ONE, {"token": joined["token"]}))["waitlistEntry"]
    assert (shown["status"], shown["booking"]["status"]) == ("OFFERED", "ON_HOLD")
    assert shown["booking"]["items"] == [{"quantity": 2}]
    assert shown["localStart"] == "2030-06-01T11:00:00+01:00"
    confirm = "mutation($input: BookingActionInput!) { bookingConfirm(input: $input) { booking { status } } }"
    given = {"bookingId": shown["booking"]["id"], "token": shown["bookingToken"], "idempotencyKey": "k" * 16}
    assert (await ask(confirm, {"input": given}))["bookingConfirm"]["booking"]["status"] == "CONFIRMED"
    assert (await ask(ONE, {"token": joined["token"]}))["waitlistEntry"]["status"] == "ACCEPTED"
    leaving = {"entryId": joined["entry"]["id"], "token": joined["token"], "idempotencyKey": "l" * 16}
    refused = (await ask(LEAVE, {"input": leaving}))["waitlistLeave"]
    assert [error["code"] for error in refused["errors"]] == ["INVALID_STATE"]


async def test_a_repetition_gets_the_same_entry_and_token(ask: Asker, database: Database) -> None:
    asked = joining(await make_resource(database))
    first, again = [(await ask(JOIN, asked))["waitlistJoin"] for _ in range(2)]
    assert (again["entry"]["id"], again["token"]) == (first["entry"]["id"], first["token"])
    asked["input"]["quantity"] = 2
    other = (await ask(JOIN, asked))["waitlistJoin"]
    assert [error["code"] for error in other["errors"]] == ["IDEMPOTENCY_CONFLICT"]


async def test_whoever_waits_leaves(ask: Asker, database: Database) -> None:
    joined = (await ask(JOIN, joining(await make_resource(database))))["waitlistJoin"]
    leaving = {"entryId": joined["entry"]["id"], "token": joined["token"], "idempotencyKey": "k" * 16}
    for _ in range(2):
        left = (await ask(LEAVE, {"input": leaving}))["waitlistLeave"]
        assert (left["errors"], left["entry"]["status"], left["entry"]["version"]) == ([], "LEFT", 2)


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"quantity": 0}, "INVALID_INPUT", ["input", "quantity"]),
        ({"contact": None}, "INVALID_INPUT", ["input", "contact", "email"]),
        ({"resourceId": "nonsense"}, "NOT_FOUND", ["input", "resourceId"]),
        ({"window": None}, "INVALID_INPUT", ["input", "window"]),
        ({"window": None, "stay": {"arrival": "2030-06-01", "departure": "2030-06-02"}}, "INVALID_INPUT", None),
        ({"flexible": {"startsAt": "2030-06-01T11:00:00Z", "endsAt": "2030-06-01T14:00:00Z"}}, "INVALID_INPUT", None),
        ({"flexible": {"startsAt": "2030-05-30T11:00:00Z", "endsAt": "2030-07-01T14:00:00Z"}}, "INVALID_INPUT", None),
        ({"window": {"startsAt": "2030-05-01T11:00:00Z", "endsAt": "2030-05-01T14:00:00Z"}}, "TOO_SOON", ["input"]),
        ({"idempotencyKey": "short"}, "INVALID_INPUT", ["input", "idempotencyKey"]),
    ],
)
async def test_what_can_not_be_waited_for(
    ask: Asker, database: Database, owner: asyncpg.Connection, more: dict[str, Any], code: str, path: list[str] | None
) -> None:
    refused = (await ask(JOIN, joining(await make_resource(database), **more)))["waitlistJoin"]
    assert refused["entry"] is None
    assert [error["code"] for error in refused["errors"]] == [code]
    assert path is None or refused["errors"][0]["path"] == path
    assert await owner.fetchval("SELECT count(*) FROM waitlist_entry") == 0


async def test_one_party_waits_so_often_and_a_list_takes_so_many(
    ask: Asker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = await make_resource(database)
    for _ in range(OF_PARTY_MAX):
        assert (await ask(JOIN, joining(resource)))["waitlistJoin"]["errors"] == []
    again = joining(resource, contact={"email": "ADA@example.com"})
    refused = (await ask(JOIN, again))["waitlistJoin"]
    assert [error["code"] for error in refused["errors"]] == ["WAITLIST_FULL"]
    monkeypatch.setattr("engine.waitlist.WAITING_MAX", OF_PARTY_MAX + 1)
    await make_entry(database, resource)
    refused = (await ask(JOIN, joining(resource, contact={"email": "grace@example.com"})))["waitlistJoin"]
    assert [error["code"] for error in refused["errors"]] == ["WAITLIST_FULL"]


async def test_an_entry_is_its_holders_and_the_staffs(ask: Asker, database: Database) -> None:
    organization, other = await make_organization(database), await make_organization(database)
    resource = await make_resource(database, venue=await make_venue(database, organization=organization))
    joined = (await ask(JOIN, joining(resource)))["waitlistJoin"]
    await offer_free(database, key_of(resource), now=lambda: NOW)
    id = joined["entry"]["id"]
    stranger = (await ask(JOIN, joining(await make_resource(database))))["waitlistJoin"]["token"]
    customer = Viewer(Role.CUSTOMER, organization.id, "eve")
    assert await ask.codes(ONE, {"id": id}) == ["UNAUTHENTICATED"]
    for asked, viewer in [
        ({"id": id, "token": stranger}, GUEST),
        ({"id": id, "token": "x" * 75}, GUEST),
        ({"id": id}, customer),
        ({"id": id}, staff_of(other)),
    ]:
        assert await ask(ONE, asked, viewer=viewer) == {"waitlistEntry": None}
    seen = (await ask(ONE, {"id": id}, viewer=staff_of(organization)))["waitlistEntry"]
    assert (seen["status"], seen["bookingToken"]) == ("OFFERED", None)
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await ask(node, {"id": id}, viewer=staff_of(organization)))["node"] == {"id": id}
    assert (await ask(node, {"id": id}))["node"] is None
    leaving = {"entryId": id, "idempotencyKey": "k" * 16}
    refused = (await ask(LEAVE, {"input": leaving}, viewer=customer))["waitlistLeave"]
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]


async def test_staff_see_the_list_and_customers_their_own(ask: Asker, database: Database) -> None:
    organization = await make_organization(database)
    resource = await make_resource(database, venue=await make_venue(database, organization=organization))
    await make_booking(database, resource)
    eve = Viewer(Role.CUSTOMER, organization.id, "eve")
    await ask(JOIN, joining(resource, quantity=4, contact=None), viewer=eve)
    await ask(JOIN, joining(resource, quantity=2))
    await ask(JOIN, joining(await make_resource(database)))
    of_resource = {"resource": encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)}
    page = (await ask(MANY, {**of_resource, "first": 1}, viewer=staff_of(organization)))["waitlistEntries"]
    assert [edge["node"]["quantity"] for edge in page["edges"]] == [2]
    after = {"first": 1, "after": page["pageInfo"]["endCursor"]}
    page = (await ask(MANY, {**of_resource, **after}, viewer=staff_of(organization)))["waitlistEntries"]
    assert [(edge["node"]["quantity"], edge["node"]["customer"]) for edge in page["edges"]] == [(4, "customer:eve")]
    assert page["pageInfo"]["hasNextPage"] is False
    mine = (await ask(MANY, viewer=eve))["waitlistEntries"]
    assert [edge["node"]["customer"] for edge in mine["edges"]] == ["customer:eve"]
    other = staff_of(await make_organization(database))
    assert (await ask(MANY, of_resource, viewer=other))["waitlistEntries"]["edges"] == []
    assert await ask.codes(MANY) == ["UNAUTHENTICATED"]
