"""What people do with the platform, from end to end: real servers, a real worker, the example data."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.viewer import Role
from models.database import Database
from schema.global_id import GlobalKind, encode
from server.examples import atlas, lagoon, mirante
from server.examples.guests import CUSTOMER
from server.examples.kinds import Example
from tests.e2e.support import (
    WATCH_BOOKING,
    WATCH_CAPACITY,
    Client,
    Json,
    Platform,
    Refused,
    client_of,
)
from tests.support.factories import make_resource

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

VENUE = """
query($slug: String!) { venue(slug: $slug) { id name timeZone currency organization { slug }
  resources(first: 100) { edges { node { id slug name availabilityType sharing capacity version
    requirements { resource { slug } perUnit perBooking } rules { type } } } } } }
"""
SLOTS = """
query($id: ID!, $window: WindowInput!, $minutes: Int, $quantity: Int) { node(id: $id) { ... on Resource {
  slots(window: $window, durationMinutes: $minutes, quantity: $quantity)
    { startsAt endsAt localStart capacity vacancies status bookable refusals { code } } } } }
"""
CALENDAR = """
query($id: ID!, $from: Date!, $to: Date!) { node(id: $id) { ... on Resource {
  calendar(from: $from, to: $to) { date vacancies status bookable refusals { code } } } } }
"""
AVAILABILITY = """
query($input: AvailabilityInput!) { availability(input: $input) { resource { slug } startsAt endsAt capacity vacancies
  status bookable version refusals { code message parameters } alternatives { startsAt endsAt bookable } } }
"""
MY_BOOKINGS = """
query($filter: BookingFilter) { viewer { role organization { slug } }
  bookings(first: 100, filter: $filter) { edges { node { id reference customer status } } pageInfo { hasNextPage } } }
"""
ONE_BOOKING = "query($id: ID, $token: String) { booking(id: $id, token: $token) { id status } }"
RESOURCE = "resource { id slug capacity version }"


async def test_a_guest_takes_desks_and_gives_them_back(platform: Platform, guest: Client) -> None:
    venue = (await guest.ask(VENUE, slug="atlas-algiers"))["venue"]
    assert (venue["timeZone"], venue["currency"], venue["organization"]) == ("Africa/Algiers", "DZD", {"slug": "atlas"})
    desks = _resources(venue)["desk-hall"]
    slot = await _free_slot(guest, desks["id"], minutes=120, quantity=5)
    window = _window(slot)
    before = await _vacancies(guest, desks["id"], window, quantity=2)

    async with (
        client_of(platform, server=1) as elsewhere,
        elsewhere.watching(WATCH_CAPACITY, ids=[desks["id"]], window=window) as watch,
    ):
        seen = await watch.next()
        assert seen["snapshot"]
        assert _least(seen) == before["vacancies"]

        held = await guest.did("bookingHold", items=[_item(desks["id"], window, quantity=2)], contact={"name": "Ada"})
        booking, token = held["booking"], held["token"]
        assert booking["status"] == "ON_HOLD"
        assert 590 <= booking["holdSecondsLeft"] <= 600
        assert booking["items"][0]["localStart"] == slot["localStart"]
        fallen = await watch.next()
        assert (fallen["version"], _least(fallen)) == (seen["version"] + 1, before["vacancies"] - 2)
        assert not fallen["snapshot"]
        assert (await _vacancies(guest, desks["id"], window))["vacancies"] == before["vacancies"] - 2

        async with elsewhere.watching(WATCH_BOOKING, id=booking["id"], token=token) as mine:
            assert (await mine.next())["status"] == "ON_HOLD"
            shown = {"bookingId": booking["id"], "token": token}
            extended = (await guest.did("bookingExtend", **shown))["booking"]
            assert extended["holdExpiresAt"] > booking["holdExpiresAt"]
            confirmed = await guest.pay(**shown)
            assert (confirmed["status"], confirmed["holdExpiresAt"]) == ("CONFIRMED", None)
            assert await mine.until(lambda pushed: pushed["status"] == "CONFIRMED")
            assert await guest.ask(ONE_BOOKING, token=token) == {
                "booking": {"id": booking["id"], "status": "CONFIRMED"}
            }
            cancelled = (await elsewhere.did("bookingCancel", **shown))["booking"]
            assert (cancelled["status"], cancelled["version"]) == ("CANCELLED", 5)
            assert (await mine.until(lambda pushed: pushed["version"] == 5))["status"] == "CANCELLED"
            with pytest.raises(EOFError):
                await mine.next()
        risen = await watch.next()
        assert (risen["version"], _least(risen)) == (fallen["version"] + 1, before["vacancies"])
    after = await _vacancies(guest, desks["id"], window)
    assert (after["vacancies"], after["version"]) == (before["vacancies"], before["version"] + 2)


async def test_a_room_and_the_whole_house_keep_each_other_out(guest: Client) -> None:
    house = _resources((await guest.ask(VENUE, slug="casa-do-mirante"))["venue"])
    assert len(house["whole-house"]["requirements"]) == 4
    today = mirante.EXAMPLE.today(datetime.now(UTC))
    span = {"from": str(today + timedelta(days=1)), "to": str(today + timedelta(days=36))}
    nights = (await guest.ask(CALENDAR, id=house["whole-house"]["id"], **span))["node"]["calendar"]
    free = [night["date"] for night in nights if night["bookable"]]
    assert any(night["status"] == "SOLD_OUT" for night in nights)

    async def refusals(slug: str, stay: Json) -> list[str]:
        asked = {"resourceIds": [house[slug]["id"]], "stay": stay}
        [found] = (await guest.ask(AVAILABILITY, input=asked))["availability"]
        return [refusal["code"] for refusal in found["refusals"]]

    stay = _one_night(free[0])
    room = await guest.did("bookingHold", items=[{"resourceId": house["single-room"]["id"], "stay": stay}])
    item = room["booking"]["items"][0]
    assert item["localStart"].startswith(f"{stay['arrival']}T15:00:00")
    assert item["localEnd"].startswith(f"{stay['departure']}T11:00:00")
    assert await refusals("whole-house", stay) == ["SOLD_OUT"]
    refused = await guest.do("bookingHold", items=[{"resourceId": house["whole-house"]["id"], "stay": stay}])
    [error] = refused["errors"]
    assert (error["code"], error["resource"]["slug"]) == ("SOLD_OUT", "single-room")
    assert all(offer["bookable"] for offer in error["alternatives"])

    stay = _one_night(free[1])
    all_of_it = await guest.did("bookingHold", items=[{"resourceId": house["whole-house"]["id"], "stay": stay}])
    for slug in (*mirante.ROOMS, "whole-house"):
        assert await refusals(slug, stay) == ["SOLD_OUT"], slug
    for booking in (room, all_of_it):
        await guest.did("bookingRelease", bookingId=booking["booking"]["id"], token=booking["token"])
    assert await refusals("double-room", stay) == []


async def test_a_class_that_is_sold_out_says_when_there_are_places(guest: Client) -> None:
    yoga = _resources((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["yoga-class"]
    found = (await guest.ask(SLOTS, id=yoga["id"], window=_days_ahead(1, 15)))["node"]["slots"]
    saturday = next(slot for slot in found if slot["status"] == "SOLD_OUT")
    assert [refusal["code"] for refusal in saturday["refusals"]] == ["SOLD_OUT"]
    asked = {"resourceIds": [yoga["id"]], "window": _window(saturday)}
    [availability] = (await guest.ask(AVAILABILITY, input=asked))["availability"]
    assert availability["refusals"][0]["parameters"] == {"vacancies": 0}

    refused = await guest.do("bookingHold", items=[_item(yoga["id"], _window(saturday), quantity=2)])
    [error] = refused["errors"]
    assert (error["__typename"], error["code"], error["vacancies"]) == ("SoldOut", "SOLD_OUT", 0)
    assert (refused["booking"], refused["token"], error["retryable"]) == (None, None, False)
    assert availability["alternatives"]
    assert all(offer["bookable"] and offer["vacancies"] >= 2 for offer in error["alternatives"])
    held = await guest.did("bookingHold", items=[_item(yoga["id"], _window(error["alternatives"][0]), quantity=2)])
    await guest.pay(bookingId=held["booking"]["id"], token=held["token"])

    late = {**_window(saturday), "startsAt": _later(saturday["startsAt"], minutes=15)}
    [error] = (await guest.do("bookingHold", items=[_item(yoga["id"], late)]))["errors"]
    assert (error["__typename"], error["code"], error["rule"]) == ("RuleViolation", "OFF_GRID", "SESSION_TIMES")


async def test_each_party_of_a_tour_takes_a_guide_and_each_of_them_a_kayak(guest: Client) -> None:
    there = _resources((await guest.ask(VENUE, slug="lagoon-kayaks"))["venue"])
    tours = (await guest.ask(SLOTS, id=there["lagoon-tour"]["id"], window=_days_ahead(3, 33)))["node"]["slots"]

    async def free(slug: str, tour: Json) -> int:
        return int((await _vacancies(guest, there[slug]["id"], _window(tour)))["vacancies"])

    nobody_there = [tour for tour in tours if await free("guides", tour) == lagoon.GUIDES]
    tour = nobody_there[0]
    window = _window(tour)
    kayaks = await free("kayaks", tour)
    for party in range(lagoon.GUIDES):
        await guest.did("bookingHold", items=[_item(there["lagoon-tour"]["id"], window, quantity=2)])
        assert await free("kayaks", tour) == kayaks - 2 * (party + 1)
    assert await free("guides", tour) == 0
    [error] = (await guest.do("bookingHold", items=[_item(there["lagoon-tour"]["id"], window)]))["errors"]
    assert (error["code"], error["resource"]["slug"], error["vacancies"]) == ("SOLD_OUT", "guides", 0)


async def test_a_pool_is_shared_by_those_who_do_the_same(guest: Client) -> None:
    pool = _resources((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["pool-lanes"]
    slot = await _free_slot(guest, pool["id"], minutes=60, quantity=atlas.LANES)

    async def swim(activity: str | None, lanes: int = 1) -> list[str]:
        item = {**_item(pool["id"], _window(slot), quantity=lanes), "activity": activity}
        return [error["code"] for error in (await guest.do("bookingHold", items=[item]))["errors"]]

    assert await swim("lap swimming", lanes=2) == []
    assert await swim("lap swimming") == []
    assert await swim("aqua gym") == ["ACTIVITY_CONFLICT"]
    assert await swim(None) == ["ACTIVITY_CONFLICT"]
    assert await swim("lap swimming", lanes=4) == ["SOLD_OUT"]
    assert await swim("lap swimming", lanes=3) == []


async def test_a_customer_sees_their_own_bookings_and_nobody_elses(platform: Platform, guest: Client) -> None:
    desks = _resources((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["desk-hall"]
    window = _window(await _free_slot(guest, desks["id"], minutes=60, quantity=3))
    own = platform.token(Role.CUSTOMER, atlas.EXAMPLE.id)
    other = platform.token(Role.CUSTOMER, atlas.EXAMPLE.id, subject=f"somebody-{secrets.token_hex(4)}")
    elsewhere = platform.token(Role.CUSTOMER, mirante.EXAMPLE.id)
    async with client_of(platform, token=own) as customer:
        held = await customer.did("bookingHold", items=[_item(desks["id"], window)])
        assert held["booking"]["customer"] == CUSTOMER
        seen = await customer.ask(MY_BOOKINGS)
        assert seen["viewer"] == {"role": "CUSTOMER", "organization": {"slug": "atlas"}}
        nodes = [edge["node"] for edge in seen["bookings"]["edges"]]
        assert nodes[0]["id"] == held["booking"]["id"], "the newest first, before all of the example data"
        assert len(nodes) > 1
        assert {node["customer"] for node in nodes} == {CUSTOMER}
        assert (await customer.pay(bookingId=held["booking"]["id"]))["status"] == "CONFIRMED"
    for token in (other, elsewhere):
        async with client_of(platform, token=token) as stranger:
            assert await stranger.ask(ONE_BOOKING, id=held["booking"]["id"]) == {"booking": None}
            seen = await stranger.ask(MY_BOOKINGS, filter={"customer": CUSTOMER})
            assert held["booking"]["id"] not in [edge["node"]["id"] for edge in seen["bookings"]["edges"]]
            refused = await stranger.do("bookingCancel", bookingId=held["booking"]["id"])
            assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    with pytest.raises(Refused) as refusal:
        await guest.ask(MY_BOOKINGS)
    assert refusal.value.codes == ["UNAUTHENTICATED"]


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
        window = _window(await _free_slot(guest, room["id"], minutes=120, quantity=10))
        held = await guest.did("bookingHold", items=[_item(room["id"], window, quantity=6)])
        shown = {"bookingId": held["booking"]["id"], "token": held["token"]}

        less = {"selects": RESOURCE, "resourceId": room["id"], "window": window}
        [error] = (await staff.do("capacitySet", capacity=5, **less))["errors"]
        assert (error["code"], error["references"]) == ("CAPACITY_IN_USE", [held["booking"]["reference"]])
        lowered = (await staff.did("capacitySet", capacity=6, reason="Repairs", **less))["resource"]
        assert (lowered["capacity"], lowered["version"]) == (10, room["version"] + 2)
        assert (await _vacancies(guest, room["id"], window))["status"] == "SOLD_OUT"

        await staff.did("resourceClose", **less)
        [error] = (await guest.do("bookingHold", items=[_item(room["id"], window)]))["errors"]
        assert error["code"] == "CLOSED"
        assert (await guest.did("bookingConfirm", **shown))["booking"]["status"] == "CONFIRMED"
        await staff.did("resourceOpen", **less)
        await staff.did("capacitySet", capacity=7, **less)
        assert (await _vacancies(guest, room["id"], window))["vacancies"] == 1
        assert (await guest.did("bookingHold", items=[_item(room["id"], window)]))["booking"]["status"] == "ON_HOLD"
        seen = await staff.ask(MY_BOOKINGS, filter={"resourceId": room["id"], "status": ["CONFIRMED"]})
        assert [edge["node"]["reference"] for edge in seen["bookings"]["edges"]] == [held["booking"]["reference"]]


async def test_staff_of_one_organization_can_not_tell_whether_anything_of_another_exists(
    platform: Platform, guest: Client
) -> None:
    desks = _resources((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["desk-hall"]
    window = _window(await _free_slot(guest, desks["id"], minutes=60, quantity=1))
    held = (await guest.did("bookingHold", items=[_item(desks["id"], window)]))["booking"]
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


async def test_a_hold_that_nobody_confirms_ends_by_itself_and_is_pushed(
    platform: Platform, platform_database: Database, guest: Client
) -> None:
    resource = await make_resource(platform_database, capacity=3, hold_seconds=1, hold_ceiling_seconds=4)
    resource_id = encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)
    window = _days_ahead(1, 2)
    async with (
        client_of(platform, server=1) as elsewhere,
        elsewhere.watching(WATCH_CAPACITY, ids=[resource_id], window=window) as watch,
    ):
        assert _least(await watch.next()) == 3
        held = await guest.did("bookingHold", items=[_item(resource_id, window, quantity=3)])
        assert _least(await watch.next()) == 0
        async with elsewhere.watching(WATCH_BOOKING, id=held["booking"]["id"], token=held["token"]) as mine:
            ended = await mine.until(lambda pushed: pushed["status"] != "ON_HOLD")
            assert (ended["status"], ended["version"]) == ("EXPIRED", 2)
        assert _least(await watch.next()) == 3
    shown = {"bookingId": held["booking"]["id"], "token": held["token"]}
    [error] = (await guest.do("bookingConfirm", **shown))["errors"]
    assert (error["__typename"], error["code"]) == ("HoldExpired", "HOLD_EXPIRED")


async def test_a_call_that_is_repeated_has_one_effect_at_whichever_server(
    platform: Platform, platform_database: Database, guest: Client
) -> None:
    resource = await make_resource(platform_database, capacity=5)
    resource_id = encode(GlobalKind.RESOURCE, resource.organization_id, resource.id)
    window, key = _days_ahead(1, 2), secrets.token_hex(16)
    asked: Json = {"key": key, "items": [_item(resource_id, window, quantity=2)], "contact": {"name": "Ada"}}
    async with client_of(platform, server=1) as elsewhere:
        first, *rest = await asyncio.gather(*(who.did("bookingHold", **asked) for who in (guest, elsewhere) * 4))
        for again in rest:
            assert again["token"] == first["token"]
            assert again["booking"]["id"] == first["booking"]["id"]
        assert (await _vacancies(guest, resource_id, window))["vacancies"] == 3
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
    window = _days_ahead(1, 2)
    seen = (await _vacancies(guest, resource_id, window))["version"]
    expected: Json = {"expected": [{"resourceId": resource_id, "version": seen}]}
    held = await guest.did("bookingHold", items=[_item(resource_id, window)], **expected)
    [error] = (await guest.do("bookingHold", items=[_item(resource_id, window)], **expected))["errors"]
    assert (error["__typename"], error["code"], error["current"]) == ("VersionConflict", "VERSION_CONFLICT", seen + 1)
    shown = {"bookingId": held["booking"]["id"], "token": held["token"]}
    [error] = (await guest.do("bookingConfirm", expectedVersion=7, **shown))["errors"]
    assert (error["code"], error["current"]) == ("VERSION_CONFLICT", 1)
    await guest.did("bookingConfirm", expectedVersion=1, **shown)


async def test_all_items_are_held_or_none(platform_database: Database, guest: Client) -> None:
    plenty = await make_resource(platform_database, capacity=5)
    foreign = await make_resource(platform_database, capacity=5)
    window = _days_ahead(1, 2)
    ids = [encode(GlobalKind.RESOURCE, each.organization_id, each.id) for each in (plenty, foreign)]
    [error] = (await guest.do("bookingHold", items=[_item(id_, window) for id_ in ids]))["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "items"]), "of two organizations"

    desks = _resources((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])
    room = desks["meeting-room-casbah"]
    slot = _window(await _free_slot(guest, room["id"], minutes=60, quantity=1))
    before = (await _vacancies(guest, desks["desk-hall"]["id"], slot))["vacancies"]
    both = [_item(desks["desk-hall"]["id"], slot), _item(room["id"], slot)]
    held = await guest.did("bookingHold", items=both)
    assert [item["resource"]["slug"] for item in held["booking"]["items"]] == ["desk-hall", "meeting-room-casbah"]
    [error] = (await guest.do("bookingHold", items=both))["errors"]
    assert (error["code"], error["resource"]["slug"]) == ("SOLD_OUT", "meeting-room-casbah")
    assert (await _vacancies(guest, desks["desk-hall"]["id"], slot))["vacancies"] == before - 1


def _resources(venue: Json) -> dict[str, Json]:
    return {edge["node"]["slug"]: edge["node"] for edge in venue["resources"]["edges"]}


def _item(resource_id: str, window: Json, quantity: int = 1) -> Json:
    return {"resourceId": resource_id, "window": window, "quantity": quantity}


def _window(slot: Json) -> Json:
    return {"startsAt": slot["startsAt"], "endsAt": slot["endsAt"]}


def _days_ahead(first: int, last: int) -> Json:
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return {
        "startsAt": (today + timedelta(days=first)).isoformat(),
        "endsAt": (today + timedelta(days=last)).isoformat(),
    }


def _later(instant: str, *, minutes: int) -> str:
    return (datetime.fromisoformat(instant) + timedelta(minutes=minutes)).isoformat()


def _one_night(arrival: str) -> Json:
    return {"arrival": arrival, "departure": str((datetime.fromisoformat(arrival) + timedelta(days=1)).date())}


def _least(change: Json) -> int:
    """The vacancies at the fullest instant of what was pushed."""
    return min(int(step["vacancies"]) for step in change["steps"])


async def _free_slot(client: Client, resource_id: str, *, minutes: int, quantity: int) -> Json:
    """The first time from tomorrow on at which so many can be had."""
    asked = {"id": resource_id, "window": _days_ahead(1, 15), "minutes": minutes, "quantity": quantity}
    found: list[Json] = (await client.ask(SLOTS, **asked))["node"]["slots"]
    return next(slot for slot in found if slot["bookable"])


async def _vacancies(client: Client, resource_id: str, window: Json, quantity: int = 1) -> Json:
    asked = {"resourceIds": [resource_id], "window": window, "quantity": quantity}
    found: Json = (await client.ask(AVAILABILITY, input=asked))["availability"][0]
    return found


def _unknown(kind: GlobalKind, example: Example) -> str:
    return encode(kind, example.id, example.resource_id(secrets.token_hex(4)))


async def _refusal_of_watching(client: Client, booking_id: str) -> Json:
    async with client.watching(WATCH_BOOKING, id=booking_id) as watch:
        with pytest.raises(Refused) as refusal:
            await watch.next()
    return {"errors": [{"code": code} for code in refusal.value.codes]}
