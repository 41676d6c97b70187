"""Money that goes back, comes later or is disputed, from end to end: booking, provider and audit agree to the cent.

Each is a process: the provider tells a server by webhooks, and what follows is the worker's.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from models.database import Database
from models.price import CancellationPolicy
from models.resource import Resource
from schema.global_id import GlobalKind, decode, encode
from tests.e2e.clients import Client, Json
from tests.e2e.platforms import Platform
from tests.support.audits import assert_audit_clean
from tests.support.factories import key_of
from tests.support.payments import Simulator
from tests.support.prices import make_guesthouse, make_room
from tests.support.settings import put
from tests.support.waiting import eventually

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

NIGHT = 100_00
ROOMS = 3
FEE = {"steps": [{"hoursBefore": 48, "fee": 25_00}]}
VISA = "pm_card_visa"
DISPUTED = "pm_card_createDispute"
POLL_SECONDS = 0.05
MONEY = "{ amount }"
PAYMENT = f"""query($id: ID!, $token: String) {{ booking(id: $id, token: $token) {{ items {{ id }} payment {{
  status captured {MONEY} refunded {MONEY} chargedBack {MONEY} outstanding {MONEY} events {{ kind outcome }} }} }} }}"""
UNDER_WAY = "SELECT count(*) FROM payment WHERE booking_id = $1 AND check_at < clock_timestamp() + interval '5 minutes'"
"""Payments that somebody is to look at so soon that the audit says nothing of them yet."""

Taken = list[tuple[int, list[int]]]
"""What the provider took by each payment of a booking, and each refund of that; oldest first."""


class Stay:
    """A guest in a guesthouse of three rooms at 100.00 a night, and what became of their money."""

    def __init__(self, platform: Platform, guest: Client, simulator: Simulator, room: Resource) -> None:
        self.guest, self.room = guest, room
        self.stripe = simulator.client()
        self._platform = platform

    async def books(self, *, rooms: int = 1, card: str = VISA) -> None:
        """A night in so many rooms, paid."""
        held = await self.guest.did("bookingHold", items=[self.item(rooms=rooms)])
        self.shown = {"bookingId": held["booking"]["id"], "token": held["token"]}
        assert (await self.guest.pay(card=card, **self.shown))["status"] == "CONFIRMED"

    def item(self, *, rooms: int = 1, nights: int = 1) -> Json:
        """So many nights, from a day on that is far enough ahead for every term."""
        arrival = datetime.now(UTC).date() + timedelta(days=60)
        stay = {"arrival": str(arrival), "departure": str(arrival + timedelta(days=nights))}
        return {"resourceId": encode(GlobalKind.RESOURCE, *key_of(self.room)), "stay": stay, "quantity": rooms}

    async def booking(self) -> Json:
        """As the guest sees it."""
        shown = {"id": self.shown["bookingId"], "token": self.shown["token"]}
        found: Json = (await self.guest.ask(PAYMENT, **shown))["booking"]
        return found

    async def money(self) -> dict[str, int]:
        """What the booking says that was captured, refunded, charged back, and is outstanding."""
        payment = (await self.booking())["payment"]
        return {name: payment[name]["amount"] for name in ("captured", "refunded", "chargedBack", "outstanding")}

    async def until(self, **money: int) -> None:
        """Wait until the booking says so of its money."""

        async def is_so() -> bool:
            return money.items() <= (await self.money()).items()

        await eventually(is_so, poll_seconds=POLL_SECONDS)

    async def at_provider(self) -> Taken:
        """What the provider says."""
        found: Taken = []
        intents = await self.stripe.v1.payment_intents.list_async({"limit": 100})
        for intent in reversed(intents.data):
            if intent.metadata.to_dict().get("booking") == str(self._id):
                assert intent.amount_capturable == 0
                refunds = await self.stripe.v1.refunds.list_async({"payment_intent": intent.id})
                assert {refund.status for refund in refunds.data} <= {"succeeded"}
                found.append((intent.amount_received, [refund.amount for refund in reversed(refunds.data)]))
        return found

    async def ends_with(self, taken: Taken, *, status: str, charged_back: int = 0) -> None:
        """Nothing is left to do, and all say the same of what was done."""
        await self._until_settled()
        assert (await self.booking())["payment"]["status"] == status
        assert await self.money() == {
            "captured": sum(amount for amount, _ in taken),
            "refunded": sum(sum(refunds) for _, refunds in taken),
            "chargedBack": charged_back,
            "outstanding": 0,
        }
        assert await self.at_provider() == taken
        await assert_audit_clean(self._platform.app_url)

    async def _until_settled(self) -> None:
        owner = await asyncpg.connect(self._platform.owner_url)

        async def is_settled() -> bool:
            return bool(await owner.fetchval(UNDER_WAY, self._id) == 0)

        try:
            await eventually(is_settled, poll_seconds=POLL_SECONDS)
        finally:
            await owner.close()

    @property
    def _id(self) -> object:
        found = decode(self.shown["bookingId"])
        assert found is not None
        return found.id


@pytest.fixture
async def stay(platform: Platform, platform_database: Database, guest: Client) -> AsyncIterator[Stay]:
    room = await make_room(platform_database, await make_guesthouse(platform_database), capacity=ROOMS)
    async with Simulator(platform.settings.payments.url) as simulator:
        yield Stay(platform, guest, simulator, room)


async def test_who_cancels_in_time_gets_all_back(stay: Stay) -> None:
    await stay.books()
    await stay.guest.did("bookingCancel", **stay.shown)
    await stay.until(refunded=NIGHT)
    await stay.ends_with([(NIGHT, [NIGHT])], status="REFUNDED")


async def test_of_a_part_its_share_goes_back_but_for_its_share_of_the_fee(
    stay: Stay, platform_database: Database
) -> None:
    """Of three rooms one is cancelled, and then two: of the fee of 25.00 one costs 8.33, and two 16.67."""
    await put(platform_database, CancellationPolicy, key_of(stay.room), identity="FEE", parameters=FEE)
    await stay.books(rooms=ROOMS)
    part = {"itemId": (await stay.booking())["items"][0]["id"], "quantity": 1}
    await stay.guest.did("bookingItemCancel", **part, **stay.shown)
    await stay.until(refunded=91_67)
    await stay.ends_with([(3 * NIGHT, [91_67])], status="PARTIALLY_REFUNDED")

    await stay.guest.did("bookingCancel", **stay.shown)
    await stay.until(refunded=275_00)
    await stay.ends_with([(3 * NIGHT, [91_67, 183_33])], status="PARTIALLY_REFUNDED")


async def test_a_longer_stay_is_paid_by_a_second_payment(stay: Stay) -> None:
    await stay.books()
    changed = await stay.guest.did("bookingChange", items=[stay.item(nights=2)], **stay.shown)
    assert changed["booking"]["status"] == "CONFIRMED", "and is paid meanwhile"
    await stay.until(captured=NIGHT, outstanding=NIGHT)
    assert (await stay.guest.pay(**stay.shown))["status"] == "CONFIRMED"
    await stay.until(captured=2 * NIGHT)
    await stay.ends_with([(NIGHT, []), (NIGHT, [])], status="CAPTURED")


@pytest.mark.parametrize(
    ("evidence", "event", "refunds", "status"),
    [("winning_evidence", "FAILED", [NIGHT], "REFUNDED"), ("losing_evidence", "SUCCEEDED", [], "CAPTURED")],
)
async def test_what_is_disputed_does_not_go_back_twice(
    stay: Stay, evidence: str, event: str, refunds: list[int], status: str
) -> None:
    """The guest cancels while their bank has the money: it goes back to them if the venue wins, and only then."""
    await stay.books(card=DISPUTED)
    await stay.until(chargedBack=NIGHT)
    await stay.guest.did("bookingCancel", **stay.shown)
    await stay.ends_with([(NIGHT, [])], status="CAPTURED", charged_back=NIGHT)

    [dispute] = [each for each in (await stay.stripe.v1.disputes.list_async()).data if each.status == "needs_response"]
    await stay.stripe.v1.disputes.update_async(dispute.id, {"evidence": {"uncategorized_text": evidence}})

    async def is_told() -> bool:
        return {"kind": "DISPUTE", "outcome": event} in (await stay.booking())["payment"]["events"]

    await eventually(is_told, poll_seconds=POLL_SECONDS)
    await stay.until(refunded=sum(refunds))
    await stay.ends_with([(NIGHT, refunds)], status=status, charged_back=NIGHT - sum(refunds))
