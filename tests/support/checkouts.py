"""Guests who pay: a hold with a price, what collects it, and everything that a guest or the bank can do about it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import stripe

from engine import changes, checkout
from engine.availability import Wish
from engine.changes import ChangeRequest
from engine.checkout import CheckedOut, CheckoutRequest
from engine.collecting import drive
from engine.holds import HoldRequest, ItemRequest, hold
from engine.ports import OnlinePayments, PaymentGateway
from engine.viewer import GUEST, Viewer
from models.database import Database
from models.ledger.money import BookingMoney, PaymentSnapshot
from models.ledger.payments import read_money
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction, hash_request
from models.resource import Resource
from payments.breaker import Breaker
from payments.calls import Calls
from payments.gateway import StripeGateway
from payments.settings import StripeSettings
from server.collector import collect_once
from tests.support.factories import at, booking_key_of, key_of
from tests.support.payments import PUBLISHABLE_KEY, SECRET_KEY, Simulator
from tests.support.prices import FRIDAY
from tests.support.staff import fresh_key

NOW = at("2030-05-31 12:00")
BACK = "https://shop.example/back"
VISA = "pm_card_visa"
DECLINED = "pm_card_chargeDeclinedInsufficientFunds"
AUTHENTICATED = "pm_card_authenticationRequired"
PERIODS = {"checkout_seconds": 600, "retry_seconds": 300, "ceiling_seconds": 1_800}


def now() -> datetime:
    """A moment before what is booked."""
    return NOW


@dataclass(frozen=True)
class Till:
    """One installation that collects money, and its guests."""

    database: Database
    simulator: Simulator
    online: OnlinePayments
    client: stripe.StripeClient = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client", self.simulator.client())

    @property
    def gateway(self) -> PaymentGateway:
        """What asks the provider."""
        return self.online.gateway

    async def hold(self, room: Resource, *, viewer: Viewer = GUEST, night: int = 0) -> BookingRecord:
        """One night: Friday's, or so many after it."""
        key = fresh_key()
        wish = Wish(stay=(FRIDAY + timedelta(days=night), FRIDAY + timedelta(days=night + 1)))
        request = HoldRequest(key, key.encode(), (ItemRequest(key_of(room), wish),), NO_CONTACT, {})
        return await hold(self.database, viewer, request, now=NOW)

    async def begin(
        self,
        record: BookingRecord,
        method: str | None = None,
        *,
        key: str | None = None,
        viewer: Viewer = GUEST,
        online: OnlinePayments | None = None,
        **more: Any,
    ) -> CheckedOut:
        """bookingCheckout, as the guest who holds the booking."""
        booking = booking_key_of(record)
        given = {"return_url": BACK, "method": method} | more
        hashed = hash_request("checkout", given)
        request = CheckoutRequest(key or fresh_key(), hashed, booking, booking, **given)
        return await checkout.begin(self.database, online or self.online, viewer, request, now=now)

    async def complete(self, record: BookingRecord) -> CheckedOut:
        """bookingCheckoutComplete, as the guest who holds the booking."""
        booking = booking_key_of(record)
        return await checkout.complete(self.database, self.online, GUEST, booking, booking, now=now)

    async def change(
        self, record: BookingRecord, action: BookingAction, *, viewer: Viewer = GUEST, collects: bool = True
    ) -> BookingRecord:
        """What the guest, or whoever asks, does to the booking."""
        booking, key = booking_key_of(record), fresh_key()
        request = ChangeRequest(key, key.encode(), booking, booking, action, collects=collects)
        return await changes.change(self.database, viewer, request)

    async def drive(self, record: BookingRecord) -> BookingMoney:
        """The step, as the worker takes it."""
        return await drive(self.database, self.gateway, booking_key_of(record), now=now)

    async def collect(self) -> int:
        """A round of the worker; of how many bookings."""
        found, _ = await collect_once(self.database, self.gateway, now=now)
        return found

    async def money(self, record: BookingRecord) -> BookingMoney:
        """All that is known of the booking's money."""
        found = await read_money(self.database, booking_key_of(record))
        assert found is not None
        return found

    async def payment(self, record: BookingRecord) -> PaymentSnapshot:
        """Its only payment."""
        (payment,) = (await self.money(record)).payments
        return payment

    async def pay(self, record: BookingRecord, method: str = VISA) -> stripe.PaymentIntent:
        """What the guest's browser does, without a word to us."""
        payment = await self.payment(record)
        assert payment.reference is not None
        return await self.client.v1.payment_intents.confirm_async(
            payment.reference, {"payment_method": method, "return_url": BACK}
        )

    async def authenticate(self, record: BookingRecord, outcome: str = "succeed") -> httpx.Response:
        """What the guest does on the bank's page."""
        payment = await self.payment(record)
        assert payment.reference is not None
        intent = await self.client.v1.payment_intents.retrieve_async(payment.reference)
        return await self.simulator.authenticate(intent, outcome)

    async def intent(self, record: BookingRecord) -> stripe.PaymentIntent:
        """What the provider knows of its only payment."""
        payment = await self.payment(record)
        assert payment.reference is not None
        return await self.client.v1.payment_intents.retrieve_async(payment.reference)

    async def totals(self) -> dict[str, Any]:
        """Money at the provider: authorized, captured, refunded in EUR."""
        told = await self.simulator.ask()
        return {name: told["money"].get("eur", {}).get(name, 0) for name in ("authorized", "captured", "refunded")}

    async def events(self, owner: "asyncpg.Connection", record: BookingRecord) -> list[tuple[str, str, int]]:
        """The history of its money."""
        rows = await owner.fetch(
            "SELECT kind, outcome, amount FROM payment_event WHERE booking_id = $1 ORDER BY position", record.booking.id
        )
        return [tuple(row) for row in rows]


@asynccontextmanager
async def till_of(database: Database, simulator: Simulator, **periods: int) -> AsyncIterator[Till]:
    """What collects by this simulator; `periods` in seconds, the usual ones where none are given."""
    async with gateway_to(simulator.url) as gateway:
        yield Till(database, simulator, terms_of(gateway, **periods))


def calls_to(url: str) -> Calls:
    """Calls of a simulator, which try nothing twice, and after which no breaker stays open: each fault is seen."""
    settings = StripeSettings(secret_key=SECRET_KEY, url=url)
    return Calls(settings, retries_max=0, breaker=Breaker(failures_max=1_000_000))


def terms_of(gateway: PaymentGateway, **periods: int) -> OnlinePayments:
    """Collecting through this gateway; `periods` as in `till_of`."""
    return OnlinePayments(gateway, PUBLISHABLE_KEY, **PERIODS | periods)


@asynccontextmanager
async def gateway_to(url: str) -> AsyncIterator[StripeGateway]:
    """The gateway to a simulator."""
    calls = calls_to(url)
    try:
        yield StripeGateway(calls)
    finally:
        await calls.close()


def in_seconds(record: BookingRecord) -> float:
    """How long the hold lasts from when it was read."""
    assert record.booking.hold_expires_at is not None
    return (record.booking.hold_expires_at.astimezone(UTC) - record.now).total_seconds()
