"""What comes back of a booking, as its holder and the venue are told, and that it is what was promised."""

from datetime import time
from typing import Any

import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.resource import AvailabilityType, Resource
from models.venue import Organization
from tests.resolvers.conftest import Asker, id_of, staff_of
from tests.resolvers.managers import FEE, Manager, euros
from tests.support.factories import make_organization, make_resource, make_venue
from tests.support.staff import fresh_key

MONEY = "{ amount currency }"
TERMS = f"cancellation {{ refundNow {MONEY} steps {{ until refund {MONEY} }} }}"
CANCEL_QUOTE = f"""query ($id: ID!, $token: String) {{ bookingCancelQuote(bookingId: $id, token: $token) {{
    refund {MONEY} kept {MONEY} until booking {{ version {TERMS} }} }} }}"""


@pytest.fixture
async def organization(database: Database) -> Organization:
    return await make_organization(database)


@pytest.fixture
async def room(database: Database, organization: Organization) -> Resource:
    venue = await make_venue(
        database,
        organization=organization,
        time_zone="Europe/Lisbon",
        currency="EUR",
        check_in_time=time(15),
        check_out_time=time(11),
    )
    return await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)


@pytest.fixture
def manager(ask: Asker, organization: Organization) -> Manager:
    return Manager(ask, staff_of(organization, Role.MANAGER))


class Guest:
    """Somebody who holds a room, and cancels."""

    def __init__(self, ask: Asker, room: Resource) -> None:
        self.ask, self.room = ask, room
        self.booking, self.token = "", ""

    async def holds(self) -> dict[str, Any]:
        """Two nights for two, from 1 July at 15:00 in Lisbon, which is 14:00 UTC."""
        item = {
            "resourceId": id_of(self.room),
            "stay": {"arrival": "2030-07-01", "departure": "2030-07-03"},
            "guests": [{"type": "ADULT", "count": 2}],
        }
        operation = f"""mutation ($input: BookingHoldInput!) {{ bookingHold(input: $input) {{
            token booking {{ id {TERMS} }} errors {{ code message }} }} }}"""
        given = {"input": {"idempotencyKey": fresh_key(), "items": [item]}}
        held = (await self.ask(operation, given))["bookingHold"]
        assert held["errors"] == []
        self.booking, self.token = held["booking"]["id"], held["token"]
        return dict(held["booking"])

    async def asks(self, viewer: Viewer = GUEST) -> dict[str, Any]:
        """What would come back."""
        asked = {"id": self.booking, "token": self.token}
        return dict((await self.ask(CANCEL_QUOTE, asked, viewer=viewer))["bookingCancelQuote"])

    async def cancels(self) -> dict[str, Any]:
        """The booking, once it is cancelled."""
        operation = f"""mutation ($input: BookingActionInput!) {{ bookingCancel(input: $input) {{
            booking {{ status {TERMS} }} errors {{ code }} }} }}"""
        given = {"input": {"idempotencyKey": fresh_key(), "bookingId": self.booking, "token": self.token}}
        done = (await self.ask(operation, given))["bookingCancel"]
        assert done["errors"] == []
        return dict(done["booking"])


@pytest.fixture
def guest(ask: Asker, room: Resource) -> Guest:
    return Guest(ask, room)


@pytest.fixture
async def prices(manager: Manager, room: Resource) -> None:
    await manager.sets_prices(room)


UNTIL = "2030-06-29T14:00:00Z"


@pytest.mark.usefixtures("prices")
async def test_what_comes_back_is_told_and_then_done(manager: Manager, guest: Guest, room: Resource) -> None:
    """Paid 200.00 and 2 × 2 × 4.00 = 16.00 of tax; all but the fee of 25.00 comes back, and the tax whole: 191.00."""
    await manager.done("cancellationPolicy", resourceId=id_of(room), **FEE)
    held = await guest.holds()
    promised = {
        "refundNow": euros(19_100),
        "steps": [{"until": UNTIL, "refund": euros(19_100)}, {"until": "2030-07-01T14:00:00Z", "refund": euros(1_600)}],
    }
    assert held["cancellation"] == promised
    quote = await guest.asks()
    assert (quote["refund"], quote["kept"], quote["until"]) == (euros(19_100), euros(2_500), UNTIL)
    assert quote["booking"] == {"version": 1, "cancellation": promised}
    assert await guest.asks(manager.viewer) == quote
    cancelled = await guest.cancels()
    assert cancelled == {"status": "CANCELLED", "cancellation": {"refundNow": euros(19_100), "steps": []}}


@pytest.mark.usefixtures("prices")
async def test_a_policy_that_changes_later_changes_nothing_for_the_guest(
    manager: Manager, guest: Guest, room: Resource
) -> None:
    policy = await manager.done("cancellationPolicy", resourceId=id_of(room), **FEE)
    held = await guest.holds()
    await manager.done("cancellationPolicy", cancellationPolicyId=policy["id"], parameters={"steps": []})
    await manager.done(
        "cancellationPolicy", resourceId=id_of(room), code="NONE", name="None", parameters={}, priority=9
    )
    assert (await guest.asks())["booking"]["cancellation"] == held["cancellation"]
    assert (await guest.cancels())["cancellation"]["refundNow"] == held["cancellation"]["refundNow"]
    strict = await Guest(guest.ask, room).holds()
    assert strict["cancellation"]["refundNow"] == euros(1_600), "the tax is owed for being there, and comes back"


@pytest.mark.usefixtures("prices")
async def test_what_has_ended_can_not_be_cancelled(guest: Guest) -> None:
    await guest.holds()
    await guest.cancels()
    codes = await guest.ask.codes(CANCEL_QUOTE, {"id": guest.booking, "token": guest.token})
    assert codes == ["NOT_CANCELLABLE"]


async def test_what_costs_nothing_has_nothing_to_give_back(guest: Guest) -> None:
    held = await guest.holds()
    assert held["cancellation"] is None
    quote = await guest.asks()
    assert (quote["refund"], quote["kept"], quote["until"]) == (None, None, None)
    assert (await guest.cancels())["cancellation"] is None


@pytest.mark.usefixtures("prices")
async def test_nobody_else_is_told(ask: Asker, guest: Guest, database: Database) -> None:
    await guest.holds()
    other = staff_of(await make_organization(database), Role.MANAGER)
    assert await ask.codes(CANCEL_QUOTE, {"id": guest.booking}, viewer=other) == ["NOT_FOUND"]
    assert await ask.codes(CANCEL_QUOTE, {"id": id_of(guest.room), "token": guest.token}) == ["NOT_FOUND"]
