"""Waiting, from end to end: a sold-out boat, parties of several sizes, real servers and the worker's offers."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.database import Database
from schema.global_id import GlobalKind, encode
from tests.e2e.clients import Client, Json, Watch, client_of
from tests.e2e.platforms import Platform
from tests.support.factories import make_resource
from tests.support.waiting import eventually

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

OFFERED_SECONDS_MAX = 20.0
ENTRY = "entry { id status quantity } token"
WATCH = """
subscription($id: ID!, $token: String) { waitlistChanged(entryId: $id, token: $token)
  { status version bookingToken booking { id status holdSecondsLeft items { quantity startsAt } } } }
"""


class Boat:
    """A resource of four places, and an hour of it on a day far enough ahead."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.day = datetime.now(UTC).date() + timedelta(days=60)

    def window(self, start: int, end: int) -> Json:
        return {"startsAt": f"{self.day}T{start:02}:00:00Z", "endsAt": f"{self.day}T{end:02}:00:00Z"}

    async def book(self, guest: Client, quantity: int) -> Json:
        """Places that are somebody's; what opens the booking."""
        item = {"resourceId": self.id, "window": self.window(10, 11), "quantity": quantity}
        held = await guest.did("bookingHold", items=[item])
        shown = {"bookingId": held["booking"]["id"], "token": held["token"]}
        await guest.did("bookingConfirm", **shown)
        return shown

    async def wait(self, guest: Client, quantity: int, **more: Any) -> Json:
        """Somebody who waits; what opens the entry."""
        contact = {"email": f"party-of-{quantity}@example.com"}
        joined = await guest.did(
            "waitlistJoin",
            selects=ENTRY,
            resourceId=self.id,
            window=self.window(10, 11),
            quantity=quantity,
            contact=contact,
            **more,
        )
        assert joined["entry"]["status"] == "WAITING"
        return {"id": joined["entry"]["id"], "token": joined["token"]}


async def test_parties_of_several_sizes_wait_for_a_boat(
    platform: Platform, platform_database: Database, guest: Client
) -> None:
    resource = await make_resource(platform_database, capacity=4)
    boat = Boat(encode(GlobalKind.RESOURCE, resource.organization_id, resource.id))
    first, second = [await boat.book(guest, 2) for _ in range(2)]

    async with AsyncExitStack() as stack:
        elsewhere = await stack.enter_async_context(client_of(platform, server=1))

        async def watching(entry: Json) -> Watch:
            return await stack.enter_async_context(elsewhere.watching(WATCH, **entry))

        family = await watching(await boat.wait(guest, 4))
        couple = await watching(await boat.wait(guest, 2))
        single = await watching(await boat.wait(guest, 1, flexible=boat.window(9, 12)))
        assert [(await each.next())["version"] for each in (family, couple)] == [1, 1]

        # The one who is flexible gets another hour while the boat is still full.
        offer = await offered(single)
        assert [item["startsAt"][11:16] for item in offer["booking"]["items"]] in (["09:00"], ["11:00"])

        # Two places come back: the family of four is passed over, and keeps its place.
        await guest.did("bookingCancel", **first)
        offer = await offered(couple)
        assert offer["booking"]["status"] == "ON_HOLD"
        assert 1_700 < offer["booking"]["holdSecondsLeft"] <= 1_800
        assert [item["quantity"] for item in offer["booking"]["items"]] == [2]
        taken = {"bookingId": offer["booking"]["id"], "token": offer["bookingToken"]}
        assert (await elsewhere.did("bookingConfirm", **taken))["booking"]["status"] == "CONFIRMED"
        assert (await couple.next())["status"] == "ACCEPTED"
        with pytest.raises(EOFError):
            await couple.next()

        # All four come back, not at once: the family is offered nothing until it can be all of it, in one booking.
        await guest.did("bookingCancel", **second)
        await elsewhere.did("bookingCancel", **taken)
        offer = await offered(family)
        assert offer["version"] == 2, "there was no offer before"
        assert [item["quantity"] for item in offer["booking"]["items"]] == [4]
        await guest.did("bookingConfirm", bookingId=offer["booking"]["id"], token=offer["bookingToken"])
        assert (await family.next())["status"] == "ACCEPTED"


async def test_an_offer_that_is_given_up_goes_to_the_next(platform_database: Database, guest: Client) -> None:
    resource = await make_resource(platform_database, capacity=1)
    boat = Boat(encode(GlobalKind.RESOURCE, resource.organization_id, resource.id))
    booked = await boat.book(guest, 1)
    first, second = [await boat.wait(guest, 1) for _ in range(2)]
    await guest.did("bookingCancel", **booked)

    async def status_of(entry: Json) -> str:
        found = await guest.ask(
            "query($token: String) { waitlistEntry(token: $token) { status } }", token=entry["token"]
        )
        status: str = found["waitlistEntry"]["status"]
        return status

    async def first_is_offered() -> bool:
        return await status_of(first) == "OFFERED"

    async def second_is_offered() -> bool:
        return await status_of(second) == "OFFERED"

    await eventually(first_is_offered, seconds_max=OFFERED_SECONDS_MAX, poll_seconds=0.1)
    left = await guest.did(
        "waitlistLeave", selects=ENTRY.removesuffix("token"), entryId=first["id"], token=first["token"]
    )
    assert left["entry"]["status"] == "LEFT"
    await eventually(second_is_offered, seconds_max=OFFERED_SECONDS_MAX, poll_seconds=0.1)


async def offered(watch: Watch) -> Json:
    """The push that tells of an offer."""
    found: Json = await watch.until(lambda pushed: pushed["status"] == "OFFERED", seconds_max=OFFERED_SECONDS_MAX)
    return found
