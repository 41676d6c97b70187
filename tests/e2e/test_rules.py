"""How a manager changes what a venue lets through, and what guests, watchers and strangers see of it."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.viewer import Role
from models.database import Database
from models.venue import Organization
from schema.global_id import GlobalKind, encode
from server.examples import atlas, mirante
from tests.e2e.clients import WATCH_CAPACITY, Client, client_of
from tests.e2e.platforms import Platform
from tests.support.factories import key_of, make_resource, make_venue

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

PAYLOAD = """
rule { id version scope isRemoved } breaks { count references isComplete }
preview { resourceCount decisions { resource { slug } before { type } after { type ruleId } }
  sample { before { code } after { code } } }
"""
VERSION = "query($id: ID!) { node(id: $id) { ... on Resource { version rules { id type scope priority version } } } }"
HISTORY = """query($id: ID!) { node(id: $id) { ... on BookingRule { isRemoved
  history { edges { node { version actor isRemoved } } } } } }"""
STATUS = "query($id: ID!, $token: String) { booking(id: $id, token: $token) { status version } }"


async def test_a_manager_changes_a_venue(platform: Platform, platform_database: Database, guest: Client) -> None:
    mine, neighbour = await _two_rooms(platform_database)
    off_grid = {"resourceId": mine, "window": _window("10:10", "11:00")}
    held = await guest.did("bookingHold", items=[off_grid])
    shown = {"id": held["booking"]["id"], "token": held["token"]}
    before = (await guest.ask(STATUS, **shown))["booking"]
    venue = (await guest.ask("query($id: ID!) { node(id: $id) { ... on Resource { venue { id } } } }", id=mine))["node"]
    rule: dict[str, Any] = {
        "selects": PAYLOAD, "venueId": venue["venue"]["id"], "type": "START_GRID", "parameters": {"minutes": 60}
    }  # fmt: skip

    async with (
        client_of(platform, token=platform.token(Role.MANAGER, atlas.EXAMPLE.id, "amina")) as manager,
        client_of(platform, server=1) as other,
        other.watching(WATCH_CAPACITY, ids=[mine, neighbour], window=_window("00:00", "23:00")) as watch,
    ):
        versions = {push["resource"]["slug"]: push["version"] for push in [await watch.next(), await watch.next()]}
        dry = await manager.did("bookingRuleSet", dryRun=True, sample=off_grid, **rule)
        assert dry["rule"] is None
        assert [one["after"] for one in dry["preview"]["decisions"]] == [[{"type": "START_GRID", "ruleId": None}]] * 2
        assert dry["preview"]["sample"] == {"before": [], "after": [{"code": "OFF_GRID"}]}
        assert dry["breaks"] == {"count": 1, "references": [held["booking"]["reference"]], "isComplete": True}
        assert (await guest.ask(VERSION, id=mine))["node"]["rules"] == []
        another = await guest.did("bookingHold", items=[{**off_grid, "quantity": 2}])
        await guest.did("bookingRelease", bookingId=another["booking"]["id"], token=another["token"])
        versions["mine"] = (await watch.until(lambda push: push["version"] == versions["mine"] + 2))["version"]

        done = await manager.did("bookingRuleSet", **rule)
        pushes = [await watch.next() for _ in versions]
        assert {push["resource"]["slug"]: push["version"] - 1 for push in pushes} == versions, "each is pushed, once"
        assert (done["preview"], done["breaks"], done["rule"]["scope"]) == (None, dry["breaks"], "VENUE")
        [error] = (await guest.do("bookingHold", items=[off_grid]))["errors"]
        assert (error["__typename"], error["code"], error["rule"]) == ("RuleViolation", "OFF_GRID", "START_GRID")
        assert (await guest.ask(STATUS, **shown))["booking"] == before, "what is booked stays"
        confirmed = await guest.did("bookingConfirm", bookingId=shown["id"], token=shown["token"])
        assert confirmed["booking"]["status"] == "CONFIRMED"

        await manager.did("bookingRuleRemove", selects=PAYLOAD, ruleId=done["rule"]["id"], expectedVersion=1)
        assert (await guest.did("bookingHold", items=[off_grid]))["booking"]["status"] == "ON_HOLD"
        history = (await manager.ask(HISTORY, id=done["rule"]["id"]))["node"]
        assert [tuple(edge["node"].values()) for edge in history["history"]["edges"]] == [
            (1, "manager:amina", False),
            (2, "manager:amina", True),
        ]
        assert await guest.ask(HISTORY, id=done["rule"]["id"]) == {"node": None}


async def test_a_manager_of_another_organization_finds_nothing(
    platform: Platform, platform_database: Database, guest: Client
) -> None:
    mine, _ = await _two_rooms(platform_database)
    grid: dict[str, Any] = {"selects": PAYLOAD, "type": "START_GRID", "parameters": {"minutes": 60}}
    async with client_of(platform, token=platform.token(Role.MANAGER, atlas.EXAMPLE.id)) as manager:
        rule = (await manager.did("bookingRuleSet", resourceId=mine, **grid))["rule"]["id"]
    unknown = encode(GlobalKind.BOOKING_RULE, mirante.EXAMPLE.id, atlas.EXAMPLE.id)
    async with client_of(platform, token=platform.token(Role.MANAGER, mirante.EXAMPLE.id)) as stranger:
        for dry_run in (False, True):
            answers = [
                await stranger.do("bookingRuleSet", resourceId=mine, dryRun=dry_run, **grid),
                *[await stranger.do("bookingRuleSet", ruleId=id_, dryRun=dry_run, **grid) for id_ in (rule, unknown)],
                *[
                    await stranger.do("bookingRuleRemove", selects=PAYLOAD, ruleId=id_, dryRun=dry_run)
                    for id_ in (rule, unknown)
                ],
            ]
            assert [[error["code"] for error in answer["errors"]] for answer in answers] == [["NOT_FOUND"]] * 5
            assert answers[1] == answers[2]
            assert answers[3] == answers[4]
    assert [error["code"] for error in (await guest.do("bookingRuleSet", ruleId=rule, **grid))["errors"]] == [
        "UNAUTHENTICATED"
    ]
    assert (await guest.ask(VERSION, id=mine))["node"]["rules"][0]["version"] == 1


async def _two_rooms(database: Database) -> tuple[str, str]:
    """Of a venue of the example organization; the first has a few places."""
    async with database.reading() as session:
        organization = await session.get_one(Organization, atlas.EXAMPLE.id)
    venue = await make_venue(database, organization=organization, slug=f"rules-{secrets.token_hex(4)}")
    rooms = [await make_resource(database, venue=venue, slug=slug, capacity=5) for slug in ("mine", "neighbour")]
    first, second = (encode(GlobalKind.RESOURCE, *key_of(room)) for room in rooms)
    return first, second


def _window(start: str, end: str) -> dict[str, str]:
    """On a day that can be booked."""
    day = datetime.now(UTC).date() + timedelta(days=20)
    return {"startsAt": f"{day}T{start}:00Z", "endsAt": f"{day}T{end}:00Z"}
