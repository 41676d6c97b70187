"""Series in GraphQL, where it is not told by the story (tests/e2e/test_series.py)."""

import uuid
from typing import Any

from engine.viewer import Role, Viewer
from models.database import Database
from models.keys import BookingKey
from models.resource import Resource
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import TOKENS, Asker
from tests.support.factories import at, make_hold, make_resource, make_venue
from tests.support.statements import recorded_statements

PREVIEW = """query ($input: SeriesPreviewInput!) { seriesPreview(input: $input) {
  occurrences { date startsAt localStart bookable refusals { code message parameters } } } }"""
HOLD = """mutation ($input: SeriesHoldInput!) { seriesHold(input: $input) {
  series { id token occurrences { date token booking { id series } } bookings { id } }
  errors { code path ... on SeriesConflict { occurrences { date startsAt refusals { code message } } } } } }"""
LISTED = """query ($filter: BookingFilter!) { bookings(filter: $filter) { edges { node { id series } } } }"""


def asked(resource: Resource, **more: Any) -> dict[str, Any]:
    window = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}
    resource_id = encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)
    return {"resourceId": resource_id, "window": window, "recurrence": "FREQ=DAILY;COUNT=3", **more}


async def test_a_preview_takes_as_many_statements_for_few_dates_as_for_many(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, capacity=9)
    await ask(PREVIEW, {"input": asked(hall)})
    counts = {}
    for rule in ("FREQ=DAILY;COUNT=2", "FREQ=WEEKLY;COUNT=100"):
        with recorded_statements(database) as statements:
            found = await ask(PREVIEW, {"input": asked(hall, recurrence=rule)})
        counts[len(found["seriesPreview"]["occurrences"])] = len(statements)
    assert counts == {2: 2, 100: 2}


async def test_a_time_that_the_clocks_skip_is_told_by_its_date(ask: Asker, database: Database) -> None:
    """Half past one on March 31, 2030, does not exist in Lisbon."""
    hall = await make_resource(database, venue=await make_venue(database, time_zone="Europe/Lisbon"))
    window = {"startsAt": "2030-03-30T01:30:00Z", "endsAt": "2030-03-30T03:00:00Z"}
    input = asked(hall, window=window, recurrence="FREQ=DAILY;COUNT=2")
    data = await ask(PREVIEW, {"input": input}, now=at("2030-03-01 12:00"))
    [first, second] = data["seriesPreview"]["occurrences"]
    assert (first["localStart"], first["refusals"]) == ("2030-03-30T01:30:00+00:00", [])
    assert (second["date"], second["startsAt"], second["localStart"], second["bookable"]) == (
        "2030-03-31", None, None, False,
    )  # fmt: skip
    assert second["refusals"][0]["code"] == "INVALID_TIME"
    assert "Europe/Lisbon" in second["refusals"][0]["message"]


async def test_each_booking_has_a_token_of_its_own(ask: Asker, database: Database) -> None:
    hall = await make_resource(database)
    payload = (await ask(HOLD, {"input": asked(hall, idempotencyKey=uuid.uuid4().hex)}))["seriesHold"]
    assert payload["errors"] == []
    opened = [TOKENS.verify(one["token"]) for one in payload["series"]["occurrences"]]
    assert [encode(GlobalKind.BOOKING, *key) for key in opened if isinstance(key, BookingKey)] == [
        one["id"] for one in payload["series"]["bookings"]
    ]
    assert len(set(opened)) == 3


async def test_bookings_are_found_by_their_series(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, capacity=9)
    await make_hold(database, hall)
    ada = Viewer(Role.CUSTOMER, hall.organization_id, "ada")
    made = [
        (await ask(HOLD, {"input": asked(hall, idempotencyKey=uuid.uuid4().hex)}, viewer=ada))["seriesHold"]["series"]
        for _ in "12"
    ]
    ids = [one["id"] for one in made[0]["bookings"]]
    for viewer in (ada, Viewer(Role.STAFF, hall.organization_id, "grace")):
        found = (await ask(LISTED, {"filter": {"seriesId": made[0]["id"]}}, viewer=viewer))["bookings"]["edges"]
        assert [edge["node"]["id"] for edge in found] == ids[::-1]
        assert {edge["node"]["series"] for edge in found} == {made[0]["id"]}
    staff = Viewer(Role.STAFF, hall.organization_id, "grace")
    others = [Viewer(Role.CUSTOMER, hall.organization_id, "bob"), Viewer(Role.STAFF, uuid.uuid4(), "eve")]
    for viewer in others:
        assert (await ask(LISTED, {"filter": {"seriesId": made[0]["id"]}}, viewer=viewer))["bookings"]["edges"] == []
    for nothing in ("nothing", encode(GlobalKind.BOOKING, hall.organization_id, uuid.uuid4())):
        assert (await ask(LISTED, {"filter": {"seriesId": nothing}}, viewer=staff))["bookings"]["edges"] == []


async def test_what_stands_against_each_date(ask: Asker, database: Database) -> None:
    hall = await make_resource(database, capacity=1)
    await make_hold(database, hall)
    payload = (await ask(HOLD, {"input": asked(hall, idempotencyKey=uuid.uuid4().hex)}))["seriesHold"]
    assert payload["series"] is None
    [error] = payload["errors"]
    assert (error["code"], error["path"]) == ("SOLD_OUT", ["input"])
    assert [[refusal["message"] for refusal in one["refusals"]] for one in error["occurrences"]] == [
        ["Sold out."], [], [],
    ]  # fmt: skip
