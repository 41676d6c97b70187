"""What staff do, from end to end, and what they see of other organizations: nothing."""

import secrets
from typing import Any

import pytest

from engine.viewer import Role
from schema.global_id import GlobalKind, encode
from server.examples import atlas, lagoon, mirante
from server.examples.kinds import Example
from tests.e2e.asking import (
    MY_BOOKINGS,
    ONE_BOOKING,
    VENUE,
    availability_of,
    free_slot,
    item_of,
    resources_of,
    window_of,
)
from tests.e2e.clients import WATCH_BOOKING, Client, Json, Refused, client_of
from tests.e2e.platforms import Platform

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

RESOURCE = "resource { id slug capacity version }"


async def test_staff_make_a_venue_and_decide_over_its_capacity(platform: Platform, guest: Client) -> None:
    slug = f"annex-{secrets.token_hex(4)}"
    venue_input = {"slug": slug, "name": "Annex", "timeZone": "Africa/Algiers", "currency": "DZD", "country": "DZ"}
    async with (
        client_of(platform, token=platform.token(Role.MANAGER, atlas.EXAMPLE.id)) as manager,
        client_of(platform, server=1, token=platform.token(Role.STAFF, atlas.EXAMPLE.id)) as staff,
    ):
        for who, code in ((guest, "UNAUTHENTICATED"), (staff, "FORBIDDEN")):
            refused = await who.do("venueCreate", selects="venue { id }", **venue_input)
            assert [error["code"] for error in refused["errors"]] == [code]
        venue = (await manager.did("venueCreate", selects="venue { id slug }", **venue_input))["venue"]
        room = (
            await manager.did(
                "resourceCreate", selects=RESOURCE, venueId=venue["id"], slug="studio", name="Studio",
                availabilityType="OPENING_HOURS", capacity=10, startGridMinutes=60,
                openingHours=[{"weekday": day, "opens": "08:00", "closes": "20:00"} for day in range(1, 8)],
            )
        )["resource"]  # fmt: skip
        window = window_of(await free_slot(guest, room["id"], minutes=120, quantity=10))
        held = await guest.did("bookingHold", items=[item_of(room["id"], window, quantity=6)])
        shown = {"bookingId": held["booking"]["id"], "token": held["token"]}

        less = {"selects": RESOURCE, "resourceId": room["id"], "window": window}
        [error] = (await staff.do("capacitySet", capacity=5, **less))["errors"]
        assert (error["code"], error["references"]) == ("CAPACITY_IN_USE", [held["booking"]["reference"]])
        lowered = (await staff.did("capacitySet", capacity=6, reason="Repairs", **less))["resource"]
        assert (lowered["capacity"], lowered["version"]) == (10, room["version"] + 2)
        assert (await availability_of(guest, room["id"], window))["status"] == "SOLD_OUT"

        await staff.did("resourceClose", **less)
        [error] = (await guest.do("bookingHold", items=[item_of(room["id"], window)]))["errors"]
        assert error["code"] == "CLOSED"
        assert (await guest.did("bookingConfirm", **shown))["booking"]["status"] == "CONFIRMED"
        await staff.did("resourceOpen", **less)
        await staff.did("capacitySet", capacity=7, **less)
        assert (await availability_of(guest, room["id"], window))["vacancies"] == 1
        assert (await guest.did("bookingHold", items=[item_of(room["id"], window)]))["booking"]["status"] == "ON_HOLD"
        seen = await staff.ask(MY_BOOKINGS, filter={"resourceId": room["id"], "status": ["CONFIRMED"]})
        assert [edge["node"]["reference"] for edge in seen["bookings"]["edges"]] == [held["booking"]["reference"]]


async def test_staff_of_one_organization_can_not_tell_whether_anything_of_another_exists(
    platform: Platform, guest: Client
) -> None:
    desks = resources_of((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["desk-hall"]
    window = window_of(await free_slot(guest, desks["id"], minutes=60, quantity=1))
    held = (await guest.did("bookingHold", items=[item_of(desks["id"], window)]))["booking"]
    venue = (await guest.ask(VENUE, slug="atlas-algiers"))["venue"]
    foreign = {GlobalKind.BOOKING: held["id"], GlobalKind.RESOURCE: desks["id"], GlobalKind.VENUE: venue["id"]}
    unknown = [{kind: _unknown(kind, example) for kind in foreign} for example in (mirante.EXAMPLE, atlas.EXAMPLE)]
    malformed = dict.fromkeys(foreign, "no id at all")

    async with client_of(platform, token=platform.token(Role.MANAGER, mirante.EXAMPLE.id)) as manager:

        async def answers(ids: dict[GlobalKind, str]) -> list[Any]:
            booking, resource, venue_id = (
                ids[kind] for kind in (GlobalKind.BOOKING, GlobalKind.RESOURCE, GlobalKind.VENUE)
            )
            of_resource = {"selects": RESOURCE, "resourceId": resource}
            new: Json = {"slug": "annex", "name": "Annex", "availabilityType": "OPENING_HOURS", "capacity": 1}
            return [
                await manager.ask("query($id: ID!) { node(id: $id) { id } }", id=booking),
                await manager.ask(ONE_BOOKING, id=booking),
                await manager.ask(MY_BOOKINGS, filter={"resourceId": resource}),
                *[await manager.do(f"booking{verb}", bookingId=booking) for verb in ("Extend", "Confirm", "Cancel")],
                await manager.do("capacitySet", capacity=0, **of_resource),
                await manager.do("resourceClose", **of_resource),
                await manager.do("resourceOpen", **of_resource),
                await manager.do("resourceUpdate", name="Ours now", **of_resource),
                await manager.do("resourceCreate", selects=RESOURCE, venueId=venue_id, **new),
                await manager.do("venueUpdate", selects="venue { id }", venueId=venue_id, name="Ours now"),
                await _refusal_of_watching(manager, booking),
            ]

        of_foreign = await answers(foreign)
        for others in (*unknown, malformed):
            assert of_foreign == await answers(others)
        codes = {error["code"] for answer in of_foreign if "errors" in answer for error in answer["errors"]}
        assert codes == {"NOT_FOUND"}
        own = await manager.ask(MY_BOOKINGS)
        assert own["viewer"]["organization"] == {"slug": "mirante"}
        assert own["bookings"]["pageInfo"]["hasNextPage"]
    assert (await guest.ask(VENUE, slug="atlas-algiers"))["venue"]["name"] == venue["name"]


async def test_a_venue_that_is_not_published_is_seen_by_its_staff_alone(platform: Platform, guest: Client) -> None:
    slug = f"secret-{secrets.token_hex(4)}"
    async with (
        client_of(platform, token=platform.token(Role.MANAGER, lagoon.EXAMPLE.id)) as manager,
        client_of(platform, token=platform.token(Role.MANAGER, atlas.EXAMPLE.id)) as stranger,
    ):
        created = await manager.did(
            "venueCreate", selects="venue { id }", slug=slug, name="Not yet", timeZone="Australia/Lord_Howe",
            currency="AUD", country="AU", isPublished=False,
        )  # fmt: skip
        venue_id = created["venue"]["id"]
        node = "query($id: ID!) { node(id: $id) { id } }"
        for who in (guest, stranger):
            assert await who.ask(VENUE, slug=slug) == {"venue": None}
            assert await who.ask(node, id=venue_id) == {"node": None}
        assert (await manager.ask(VENUE, slug=slug))["venue"]["id"] == venue_id
        await manager.did("venueUpdate", selects="venue { id }", venueId=venue_id, isPublished=True)
        assert (await guest.ask(VENUE, slug=slug))["venue"]["id"] == venue_id


def _unknown(kind: GlobalKind, example: Example) -> str:
    return encode(kind, example.id, example.resource_id(secrets.token_hex(4)))


async def _refusal_of_watching(client: Client, booking_id: str) -> Json:
    async with client.watching(WATCH_BOOKING, id=booking_id) as watch:
        with pytest.raises(Refused) as refusal:
            await watch.next()
    return {"errors": [{"code": code} for code in refusal.value.codes]}
