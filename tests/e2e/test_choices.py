"""Any two of five rooms, beside the whole house, from end to end: two servers, and somebody who watches."""

from datetime import UTC, datetime, time, timedelta

import pytest

from engine.viewer import Role
from models.database import Database
from schema.global_id import GlobalKind, encode
from tests.e2e.asking import least_of
from tests.e2e.clients import WATCH_CAPACITY, Client, Json, client_of
from tests.e2e.platforms import Platform
from tests.support.factories import make_venue

pytestmark = pytest.mark.xdist_group("platform")

MADE = "resource { id slug choices { slug } }"
CHOSEN = "booking { id status items { resource { slug } chosen { slug } } } token"
CALENDAR = """
query($id: ID!, $from: Date!, $to: Date!) { node(id: $id) { ... on Resource {
  calendar(from: $from, to: $to) { vacancies status bookable } } } }
"""


async def test_any_two_of_five_rooms(platform: Platform, platform_database: Database, guest: Client) -> None:
    house = await _house(platform, platform_database)
    arrival = datetime.now(UTC).date() + timedelta(days=30)
    stay = {"arrival": str(arrival), "departure": str(arrival + timedelta(days=2))}

    def wants(slug: str, rooms: int = 1) -> Json:
        return {"items": [{"resourceId": house[slug], "stay": stay, "quantity": rooms}], "selects": CHOSEN}

    async def left(slug: str) -> int:
        span = {"from": str(arrival), "to": str(arrival + timedelta(days=1))}
        [night] = (await guest.ask(CALENDAR, id=house[slug], **span))["node"]["calendar"]
        return int(night["vacancies"])

    night = {"startsAt": f"{arrival}T18:00:00Z", "endsAt": f"{arrival}T20:00:00Z"}
    async with (
        client_of(platform, server=1) as elsewhere,
        guest.watching(WATCH_CAPACITY, ids=[house["any-room"]], window=night) as watch,
    ):
        assert least_of(await watch.next()) == 5
        first = await guest.did("bookingHold", **wants("any-room", 2))
        second = await elsewhere.did("bookingHold", **wants("any-room", 2))
        taken = _chosen(first) + _chosen(second)
        assert len(set(taken)) == 4
        assert await watch.until(lambda pushed: least_of(pushed) == 1)

        [error] = (await guest.do("bookingHold", **wants("any-room", 2)))["errors"]
        assert (error["code"], error["vacancies"], error["resource"]["slug"]) == ("SOLD_OUT", 1, "any-room")
        third = await guest.did("bookingHold", **wants("any-room"))
        assert set(taken + _chosen(third)) == {f"room-{n}" for n in range(5)}
        assert (await left("any-room"), await left("whole-house"), await left("room-0")) == (0, 0, 0)

        for booking in (first, second, third):
            shown = {"bookingId": booking["booking"]["id"], "token": booking["token"], "selects": CHOSEN}
            released = await elsewhere.did("bookingRelease", **shown)
            assert _chosen(released) == _chosen(booking)
        assert await watch.until(lambda pushed: least_of(pushed) == 5)

        whole = await guest.did("bookingHold", **wants("whole-house"))
        assert _chosen(whole) == []
        assert await watch.until(lambda pushed: least_of(pushed) == 0), "its members have changed, and not itself"
        [error] = (await elsewhere.do("bookingHold", **wants("any-room")))["errors"]
        assert (error["code"], error["vacancies"]) == ("SOLD_OUT", 0)


async def _house(platform: Platform, database: Database) -> dict[str, str]:
    """Five rooms, any of them, and all of them at once, as a manager makes them; their ids by slug."""
    venue = await make_venue(database, time_zone="Europe/Lisbon", check_in_time=time(15), check_out_time=time(11))
    venue_id = encode(GlobalKind.VENUE, venue.organization_id, venue.id)
    token = platform.token(Role.MANAGER, venue.organization_id)
    found: dict[str, str] = {}
    async with client_of(platform, token=token) as manager:

        async def make(slug: str, **more: object) -> Json:
            made = {"venueId": venue_id, "slug": slug, "name": slug, "availabilityType": "NIGHTLY", "capacity": 1}
            resource: Json = (await manager.did("resourceCreate", selects=MADE, **{**made, **more}))["resource"]
            found[slug] = resource["id"]
            return resource

        rooms = [(await make(f"room-{n}"))["id"] for n in range(5)]
        any_room = await make("any-room", capacity=5, choices=rooms)
        assert {member["slug"] for member in any_room["choices"]} == {f"room-{n}" for n in range(5)}
        await make("whole-house", requirements=[{"resourceId": room, "perBooking": 1} for room in rooms])
    return found


def _chosen(payload: Json) -> list[str]:
    return [member["slug"] for item in payload["booking"]["items"] for member in item["chosen"]]
