"""What guests and customers do, from end to end: real servers, a real worker, the example data."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from engine.viewer import Role
from server.examples import atlas, lagoon, mirante
from server.examples.guests import CUSTOMER
from tests.e2e.asking import (
    AVAILABILITY,
    MY_BOOKINGS,
    ONE_BOOKING,
    SLOTS,
    VENUE,
    availability_of,
    days_ahead,
    free_slot,
    item_of,
    least_of,
    resources_of,
    window_of,
)
from tests.e2e.clients import WATCH_BOOKING, WATCH_CAPACITY, Client, Json, Refused, client_of
from tests.e2e.platforms import Platform

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

CALENDAR = """
query($id: ID!, $from: Date!, $to: Date!) { node(id: $id) { ... on Resource {
  calendar(from: $from, to: $to) { date vacancies status bookable refusals { code } } } } }
"""


async def test_a_guest_takes_desks_and_gives_them_back(platform: Platform, guest: Client) -> None:
    venue = (await guest.ask(VENUE, slug="atlas-algiers"))["venue"]
    assert (venue["timeZone"], venue["currency"], venue["organization"]) == ("Africa/Algiers", "DZD", {"slug": "atlas"})
    desks = resources_of(venue)["desk-hall"]
    slot = await free_slot(guest, desks["id"], minutes=120, quantity=5)
    window = window_of(slot)
    before = await availability_of(guest, desks["id"], window, quantity=2)

    async with (
        client_of(platform, server=1) as elsewhere,
        elsewhere.watching(WATCH_CAPACITY, ids=[desks["id"]], window=window) as watch,
    ):
        seen = await watch.next()
        assert seen["snapshot"]
        assert least_of(seen) == before["vacancies"]

        held = await guest.did("bookingHold", items=[item_of(desks["id"], window, quantity=2)], contact={"name": "Ada"})
        booking, token = held["booking"], held["token"]
        assert booking["status"] == "ON_HOLD"
        assert 590 <= booking["holdSecondsLeft"] <= 600
        assert booking["items"][0]["localStart"] == slot["localStart"]
        fallen = await watch.next()
        assert (fallen["version"], least_of(fallen)) == (seen["version"] + 1, before["vacancies"] - 2)
        assert not fallen["snapshot"]
        assert (await availability_of(guest, desks["id"], window))["vacancies"] == before["vacancies"] - 2

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
        assert (risen["version"], least_of(risen)) == (fallen["version"] + 1, before["vacancies"])
    after = await availability_of(guest, desks["id"], window)
    assert (after["vacancies"], after["version"]) == (before["vacancies"], before["version"] + 2)


async def test_a_room_and_the_whole_house_keep_each_other_out(guest: Client) -> None:
    house = resources_of((await guest.ask(VENUE, slug="casa-do-mirante"))["venue"])
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
    yoga = resources_of((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["yoga-class"]
    found = (await guest.ask(SLOTS, id=yoga["id"], window=days_ahead(1, 15)))["node"]["slots"]
    saturday = next(slot for slot in found if slot["status"] == "SOLD_OUT")
    assert [refusal["code"] for refusal in saturday["refusals"]] == ["SOLD_OUT"]
    asked = {"resourceIds": [yoga["id"]], "window": window_of(saturday)}
    [availability] = (await guest.ask(AVAILABILITY, input=asked))["availability"]
    assert availability["refusals"][0]["parameters"] == {"vacancies": 0}

    refused = await guest.do("bookingHold", items=[item_of(yoga["id"], window_of(saturday), quantity=2)])
    [error] = refused["errors"]
    assert (error["__typename"], error["code"], error["vacancies"]) == ("SoldOut", "SOLD_OUT", 0)
    assert (refused["booking"], refused["token"], error["retryable"]) == (None, None, False)
    assert availability["alternatives"]
    assert all(offer["bookable"] and offer["vacancies"] >= 2 for offer in error["alternatives"])
    held = await guest.did("bookingHold", items=[item_of(yoga["id"], window_of(error["alternatives"][0]), quantity=2)])
    await guest.pay(bookingId=held["booking"]["id"], token=held["token"])

    late = {**window_of(saturday), "startsAt": _later(saturday["startsAt"], minutes=15)}
    [error] = (await guest.do("bookingHold", items=[item_of(yoga["id"], late)]))["errors"]
    assert (error["__typename"], error["code"], error["rule"]) == ("RuleViolation", "OFF_GRID", "SESSION_TIMES")


async def test_each_party_of_a_tour_takes_a_guide_and_each_of_them_a_kayak(guest: Client) -> None:
    there = resources_of((await guest.ask(VENUE, slug="lagoon-kayaks"))["venue"])
    tours = (await guest.ask(SLOTS, id=there["lagoon-tour"]["id"], window=days_ahead(3, 33)))["node"]["slots"]

    async def free(slug: str, tour: Json) -> int:
        return int((await availability_of(guest, there[slug]["id"], window_of(tour)))["vacancies"])

    nobody_there = [tour for tour in tours if await free("guides", tour) == lagoon.GUIDES]
    tour = nobody_there[0]
    window = window_of(tour)
    kayaks = await free("kayaks", tour)
    for party in range(lagoon.GUIDES):
        await guest.did("bookingHold", items=[item_of(there["lagoon-tour"]["id"], window, quantity=2)])
        assert await free("kayaks", tour) == kayaks - 2 * (party + 1)
    assert await free("guides", tour) == 0
    [error] = (await guest.do("bookingHold", items=[item_of(there["lagoon-tour"]["id"], window)]))["errors"]
    assert (error["code"], error["resource"]["slug"], error["vacancies"]) == ("SOLD_OUT", "guides", 0)


async def test_a_pool_is_shared_by_those_who_do_the_same(guest: Client) -> None:
    pool = resources_of((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["pool-lanes"]
    slot = await free_slot(guest, pool["id"], minutes=60, quantity=atlas.LANES)

    async def swim(activity: str | None, lanes: int = 1) -> list[str]:
        item = {**item_of(pool["id"], window_of(slot), quantity=lanes), "activity": activity}
        return [error["code"] for error in (await guest.do("bookingHold", items=[item]))["errors"]]

    assert await swim("lap swimming", lanes=2) == []
    assert await swim("lap swimming") == []
    assert await swim("aqua gym") == ["ACTIVITY_CONFLICT"]
    assert await swim(None) == ["ACTIVITY_CONFLICT"]
    assert await swim("lap swimming", lanes=4) == ["SOLD_OUT"]
    assert await swim("lap swimming", lanes=3) == []


async def test_a_customer_sees_their_own_bookings_and_nobody_elses(platform: Platform, guest: Client) -> None:
    desks = resources_of((await guest.ask(VENUE, slug="atlas-algiers"))["venue"])["desk-hall"]
    window = window_of(await free_slot(guest, desks["id"], minutes=60, quantity=3))
    own = platform.token(Role.CUSTOMER, atlas.EXAMPLE.id)
    other = platform.token(Role.CUSTOMER, atlas.EXAMPLE.id, subject=f"somebody-{secrets.token_hex(4)}")
    elsewhere = platform.token(Role.CUSTOMER, mirante.EXAMPLE.id)
    async with client_of(platform, token=own) as customer:
        held = await customer.did("bookingHold", items=[item_of(desks["id"], window)])
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


def _later(instant: str, *, minutes: int) -> str:
    return (datetime.fromisoformat(instant) + timedelta(minutes=minutes)).isoformat()


def _one_night(arrival: str) -> Json:
    return {"arrival": arrival, "departure": str((datetime.fromisoformat(arrival) + timedelta(days=1)).date())}
