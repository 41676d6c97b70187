"""What a hold promises, from end to end: it ends by itself, repetitions and versions count, it is whole."""

import asyncio
import secrets

import pytest

from models.database import Database
from schema.global_id import GlobalKind, encode
from tests.e2e.asking import (
    VENUE,
    availability_of,
    days_ahead,
    free_slot,
    item_of,
    least_of,
    resources_of,
    window_of,
)
from tests.e2e.clients import WATCH_BOOKING, WATCH_CAPACITY, Client, Json, client_of
from tests.e2e.platforms import Platform
from tests.support.factories import make_resource

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")


async def test_a_hold_that_nobody_confirms_ends_by_itself_and_is_pushed(
    platform: Platform, platform_database: Database, guest: Client
) -> None:
    resource = await make_resource(platform_database, capacity=3, hold_seconds=1, hold_ceiling_seconds=4)
    resource_id = encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)
    window = days_ahead(1, 2)
    async with (
        client_of(platform, server=1) as elsewhere,
        elsewhere.watching(WATCH_CAPACITY, ids=[resource_id], window=window) as watch,
    ):
        assert least_of(await watch.next()) == 3
        held = await guest.did("bookingHold", items=[item_of(resource_id, window, quantity=3)])
        assert least_of(await watch.next()) == 0
        async with elsewhere.watching(WATCH_BOOKING, id=held["booking"]["id"], token=held["token"]) as mine:
            ended = await mine.until(lambda pushed: pushed["status"] != "ON_HOLD")
            assert (ended["status"], ended["version"]) == ("EXPIRED", 2)
        assert least_of(await watch.next()) == 3
    shown = {"bookingId": held["booking"]["id"], "token": held["token"]}
    [error] = (await guest.do("bookingConfirm", **shown))["errors"]
    assert (error["__typename"], error["code"]) == ("HoldExpired", "HOLD_EXPIRED")


async def test_a_call_that_is_repeated_has_one_effect_at_whichever_server(
    platform: Platform, platform_database: Database, guest: Client
) -> None:
    resource = await make_resource(platform_database, capacity=5)
    resource_id = encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)
    window, key = days_ahead(1, 2), secrets.token_hex(16)
    asked: Json = {"key": key, "items": [item_of(resource_id, window, quantity=2)], "contact": {"name": "Ada"}}
    async with client_of(platform, server=1) as elsewhere:
        first, *rest = await asyncio.gather(*(who.did("bookingHold", **asked) for who in (guest, elsewhere) * 4))
        for again in rest:
            assert again["token"] == first["token"]
            assert again["booking"]["id"] == first["booking"]["id"]
        assert (await availability_of(guest, resource_id, window))["vacancies"] == 3
        [error] = (await elsewhere.do("bookingHold", **{**asked, "contact": {"name": "Eve"}}))["errors"]
        assert (error["__typename"], error["code"]) == ("InputError", "IDEMPOTENCY_CONFLICT")

        shown = {"bookingId": first["booking"]["id"], "token": first["token"]}
        confirm_key = secrets.token_hex(16)
        confirmed = await elsewhere.did("bookingConfirm", key=confirm_key, **shown)
        assert (await guest.did("bookingConfirm", key=confirm_key, **shown))["booking"] == confirmed["booking"]
        [error] = (await guest.do("bookingConfirm", **shown))["errors"]
        assert error["code"] == "INVALID_STATE"
        # The first call again, after all: the same booking, as it is now.
        assert (await guest.did("bookingHold", **asked))["booking"]["status"] == "CONFIRMED"


async def test_who_decided_on_what_has_changed_since_is_told(platform_database: Database, guest: Client) -> None:
    resource = await make_resource(platform_database, capacity=5)
    resource_id = encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)
    window = days_ahead(1, 2)
    seen = (await availability_of(guest, resource_id, window))["version"]
    expected: Json = {"expected": [{"resourceId": resource_id, "version": seen}]}
    held = await guest.did("bookingHold", items=[item_of(resource_id, window)], **expected)
    [error] = (await guest.do("bookingHold", items=[item_of(resource_id, window)], **expected))["errors"]
    assert (error["__typename"], error["code"], error["current"]) == ("VersionConflict", "VERSION_CONFLICT", seen + 1)
    shown = {"bookingId": held["booking"]["id"], "token": held["token"]}
    [error] = (await guest.do("bookingConfirm", expectedVersion=7, **shown))["errors"]
    assert (error["code"], error["current"]) == ("VERSION_CONFLICT", 1)
    await guest.did("bookingConfirm", expectedVersion=1, **shown)


async def test_all_items_are_held_or_none(platform_database: Database, guest: Client) -> None:
    plenty = await make_resource(platform_database, capacity=5)
    foreign = await make_resource(platform_database, capacity=5)
    window = days_ahead(1, 2)
    ids = [encode(GlobalKind.RESOURCE, each.organization_id, each.id) for each in (plenty, foreign)]
    [error] = (await guest.do("bookingHold", items=[item_of(id_, window) for id_ in ids]))["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "items"]), "of two organizations"

    desks = resources_of((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])
    room = desks["meeting-room-casbah"]
    slot = window_of(await free_slot(guest, room["id"], minutes=60, quantity=1))
    before = (await availability_of(guest, desks["desk-hall"]["id"], slot))["vacancies"]
    both = [item_of(desks["desk-hall"]["id"], slot), item_of(room["id"], slot)]
    held = await guest.did("bookingHold", items=both)
    assert [item["resource"]["slug"] for item in held["booking"]["items"]] == ["desk-hall", "meeting-room-casbah"]
    [error] = (await guest.do("bookingHold", items=both))["errors"]
    assert (error["code"], error["resource"]["slug"]) == ("SOLD_OUT", "meeting-room-casbah")
    assert (await availability_of(guest, desks["desk-hall"]["id"], slot))["vacancies"] == before - 1
