"""seriesConfirm and seriesRelease in GraphQL, where it is not told by the story (tests/e2e/test_series.py)."""

import uuid
from typing import Any

import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.keys import BookingKey
from models.resource import Resource
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import TOKENS, Asker
from tests.resolvers.test_series import HOLD, asked
from tests.support.factories import make_resource, make_venue

CHANGES = "changes { done refusal { code message } booking { id status events { edges { node { actor } } } } }"
MUTATION = f"""mutation ($input: SeriesActionInput!) {{ done: %s(input: $input) {{ {CHANGES}
  errors {{ __typename code path message ... on SeriesUnchanged {{ {CHANGES} }} }} }} }}"""


async def held(ask: Asker, resource: Resource, viewer: Viewer = GUEST) -> dict[str, Any]:
    """A series of three dates."""
    payload = await ask(HOLD, {"input": asked(resource, idempotencyKey=uuid.uuid4().hex)}, viewer=viewer)
    series: dict[str, Any] = payload["seriesHold"]["series"]
    return series


async def act(ask: Asker, mutation: str, viewer: Viewer = GUEST, **given: Any) -> dict[str, Any]:
    """The payload."""
    input = {"idempotencyKey": uuid.uuid4().hex, **given}
    payload: dict[str, Any] = (await ask(MUTATION % mutation, {"input": input}, viewer=viewer))["done"]
    return payload


@pytest.mark.parametrize(("mutation", "status"), [("seriesConfirm", "CONFIRMED"), ("seriesRelease", "CANCELLED")])
async def test_who_may_act_on_a_series(ask: Asker, database: Database, mutation: str, status: str) -> None:
    hall = await make_resource(database, capacity=9)
    ada = Viewer(Role.CUSTOMER, hall.organization_id, "ada")
    staff = Viewer(Role.STAFF, hall.organization_id, "grace")
    bob = Viewer(Role.CUSTOMER, hall.organization_id, "bob")
    for viewer, shows, actor in ((ada, False, "customer"), (staff, False, "staff:grace"), (bob, True, "customer")):
        series = await held(ask, hall, ada)
        token = {"token": series["token"]} if shows else {}
        payload = await act(ask, mutation, viewer, seriesId=series["id"], **token)
        assert payload["errors"] == []
        assert [(one["done"], one["refusal"], one["booking"]["status"]) for one in payload["changes"]] == [
            (True, None, status)
        ] * 3
        assert payload["changes"][0]["booking"]["events"]["edges"][-1]["node"]["actor"] == actor


async def test_who_may_not(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, capacity=9)
    series, other = await held(ask, hall), await held(ask, hall)
    booking_token = series["occurrences"][0]["token"]
    for viewer, given, code in (
        (GUEST, {}, "UNAUTHENTICATED"),
        (GUEST, {"token": "nothing"}, "NOT_FOUND"),
        (GUEST, {"token": booking_token}, "NOT_FOUND"),
        (GUEST, {"token": other["token"]}, "NOT_FOUND"),
        (Viewer(Role.CUSTOMER, hall.organization_id, "bob"), {}, "NOT_FOUND"),
        (Viewer(Role.STAFF, uuid.uuid4(), "eve"), {}, "NOT_FOUND"),
    ):
        payload = await act(ask, "seriesRelease", viewer, seriesId=series["id"], **given)
        assert [error["code"] for error in payload["errors"]] == [code]
    staff = Viewer(Role.STAFF, hall.organization_id, "grace")
    for nothing in ("nothing", encode(GlobalKind.SERIES, hall.organization_id, uuid.uuid4()), hall_id(hall)):
        [error] = (await act(ask, "seriesConfirm", staff, seriesId=nothing))["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "seriesId"])
    assert isinstance(TOKENS.verify(booking_token), BookingKey)
    assert TOKENS.verify(series["token"]) is None


async def test_where_nothing_can_be_done_each_reason_is_told(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, venue=await make_venue(database))
    series = await held(ask, hall)
    shown = {"seriesId": series["id"], "token": series["token"]}
    await act(ask, "seriesConfirm", **shown)
    payload = await act(ask, "seriesRelease", **shown)
    assert payload["changes"] is None
    [error] = payload["errors"]
    assert (error["__typename"], error["code"], error["path"]) == (
        "SeriesUnchanged", "INVALID_STATE", ["input", "seriesId"],
    )  # fmt: skip
    assert error["message"].startswith("Nothing was done to any of 3 bookings.")
    assert [(one["done"], one["refusal"]["code"], one["booking"]["status"]) for one in error["changes"]] == [
        (False, "INVALID_STATE", "CONFIRMED")
    ] * 3


async def test_one_key_for_two_series_is_a_conflict_for_staff_only(ask: Asker, database: Database) -> None:
    """Guests are told apart by their series: two of them may use one key."""
    hall = await make_resource(database, capacity=9)
    key = uuid.uuid4().hex
    for viewer, codes in (
        (GUEST, [[], []]),
        (Viewer(Role.STAFF, hall.organization_id, "grace"), [[], ["IDEMPOTENCY_CONFLICT"]]),
    ):
        told = []
        for _ in "12":
            series = await held(ask, hall)
            shown = {"seriesId": series["id"], "token": series["token"], "idempotencyKey": key}
            told.append([error["code"] for error in (await act(ask, "seriesConfirm", viewer, **shown))["errors"]])
        assert told == codes


def hall_id(resource: Resource) -> str:
    """An id of another kind."""
    return encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)
