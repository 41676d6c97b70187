"""A shop with places to sell and a till: what guests do there, and what has become of them and of their money."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
import stripe

from engine.availability import Wish
from engine.checkout import CheckedOut, CheckoutRequest, begin, complete
from engine.collecting import drive
from engine.holds import HoldRequest, ItemRequest, hold
from engine.ports import PaymentGateway
from engine.viewer import GUEST
from models.database import Database
from models.keys import BookingKey
from models.ledger.calls import change_booking
from models.ledger.money import BookingMoney
from models.ledger.payments import read_money
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction
from models.price import RatePlan
from models.resource import Resource
from server.collector import collect_once
from tests.support.checkouts import BACK, VISA, now, terms_of
from tests.support.factories import between, change_of, key_of, let_run_out, make_resource, make_venue
from tests.support.payments import SECRET_KEY, Simulator
from tests.support.settings import put
from tests.support.staff import fresh_key

PRICE: Final = 25_00
WINDOW: Final = between("2030-06-01 10:00", "2030-06-01 11:00")
HOURLY: Final[dict[str, Any]] = {"amount": PRICE, "every": "MINUTES", "minutes": 60}
ROUNDS_MAX: Final = 20
PAGES_MAX: Final = 50


class Fate(NamedTuple):
    """What has become of a booking and of its money, here and at the provider."""

    status: str
    payment: str
    """The last payment's state here; `NONE` where there is none."""
    captured: int
    """At the provider, less what went back."""
    authorized: int
    """At the provider: held, and neither taken nor let go."""

    @property
    def is_settled(self) -> bool:
        """Nothing is left to do: who has the booking has paid, who has not has not, and nothing is held."""
        if self.authorized or self.payment not in ("NONE", "NEW", "CAPTURED", "VOID"):
            return False
        return self.captured == (PRICE if self.status == "CONFIRMED" else 0)


async def make_places(database: Database, count: int) -> Resource:
    """Something with so many places, for PRICE an hour, all of it due at once."""
    venue = await make_venue(database, time_zone="UTC", currency="EUR")
    places = await make_resource(database, venue=venue, capacity=count)
    await put(database, RatePlan, key_of(places), identity="STANDARD", name="Standard", parameters=HOURLY)
    return places


async def hold_place(database: Database, places: Resource) -> BookingRecord:
    """A hold of one place."""
    key = fresh_key()
    item = ItemRequest(key_of(places), Wish(window=WINDOW))
    return await hold(database, GUEST, HoldRequest(key, key.encode(), (item,), NO_CONTACT, {}), now=now())


async def check_out(
    database: Database,
    gateway: PaymentGateway,
    booking: BookingKey,
    *,
    key: str | None = None,
    method: str | None = None,
) -> CheckedOut:
    """What bookingCheckout does for a guest with the booking's token."""
    key = key or fresh_key()
    request = CheckoutRequest(key, key.encode(), booking, booking, method=method)
    return await begin(database, terms_of(gateway), GUEST, request, now=now)


async def come_back(database: Database, gateway: PaymentGateway, booking: BookingKey) -> CheckedOut:
    """What bookingCheckoutComplete does."""
    return await complete(database, terms_of(gateway), GUEST, booking, booking, now=now)


async def pay(client: stripe.StripeClient, reference: str, method: str = VISA) -> stripe.PaymentIntent | None:
    """Be the guest in the browser; None if the bank declines."""
    params: Any = {"payment_method": method, "return_url": BACK}
    try:
        return await client.v1.payment_intents.confirm_async(reference, params)
    except stripe.CardError:
        return None


async def pay_by_bank(simulator: Simulator, client: stripe.StripeClient, reference: str) -> None:
    """Pay by what can not be held, and is taken at once."""
    params: Any = {"payment_method_data": {"type": "ideal"}, "return_url": BACK}
    asked = await client.v1.payment_intents.confirm_async(reference, params)
    await simulator.authenticate(asked)


class Till(NamedTuple):
    """One shop: `places` to sell, and all that is behind it."""

    database: Database
    owner: "asyncpg.Pool[asyncpg.Record]"
    gateway: PaymentGateway
    simulator: Simulator
    client: stripe.StripeClient
    places: Resource

    async def hold(self) -> BookingKey:
        """A hold of one place."""
        record = await hold_place(self.database, self.places)
        return BookingKey(record.booking.organization_id, record.booking.id)

    async def open(self, booking: BookingKey) -> str:
        """Go to pay; the provider's id of what is to be paid."""
        said = (await check_out(self.database, self.gateway, booking)).said
        assert said is not None
        return said.reference

    async def drive(self, booking: BookingKey) -> BookingMoney:
        """Take the step that is taken for a webhook, a page and by time alike."""
        return await drive(self.database, self.gateway, booking, now=now)

    async def confirm(self, booking: BookingKey) -> None:
        """Confirm the booking whatever was paid, as staff may."""
        money = await read_money(self.database, booking)
        assert money is not None
        await change_booking(self.database, change_of(money.record, BookingAction.CONFIRM))

    async def run_out(self, booking: BookingKey) -> None:
        """The hold's time is over, and the sweeper has been there."""
        money = await read_money(self.database, booking)
        assert money is not None
        async with self.owner.acquire() as owner:
            await let_run_out(owner, money.record)
        await self.database.ledger.fetchval("SELECT worker_expire_over($1, 100, true)", booking.organization_id)

    async def work_off(self) -> None:
        """What a worker does until nothing is due."""
        for _ in range(ROUNDS_MAX):
            found, _ = await collect_once(self.database, self.gateway, now=now)
            if not found:
                return
        raise AssertionError(f"something is due again and again, after {ROUNDS_MAX} rounds")

    async def seconds_until_looked_at(self, booking: BookingKey) -> float | None:
        """When somebody will look at the booking's payments by time alone; None: nobody ever will."""
        seconds: float | None = await self.owner.fetchval(
            "SELECT extract(epoch FROM min(check_at) - clock_timestamp())::float FROM payment"
            " WHERE organization_id = $1 AND booking_id = $2",
            *booking,
        )
        return seconds

    async def let_time_pass(self) -> None:
        """Everything that somebody is to look at later is to be looked at now."""
        await self.owner.execute("UPDATE payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")

    async def fate_of(self, booking: BookingKey) -> Fate:
        """What has become of it, if its payments are among the last that were made."""
        return (await self.fates([booking], pages=1))[booking]

    async def fates(self, bookings: Sequence[BookingKey], *, pages: int = PAGES_MAX) -> dict[BookingKey, Fate]:
        """What has become of them, here and at the provider, where all that carries a booking's id is counted."""
        intents = await self._intents(pages)
        found: dict[BookingKey, Fate] = {}
        for booking in bookings:
            money = await read_money(self.database, booking)
            assert money is not None
            captured = authorized = 0
            for intent in intents.get(str(booking.id), ()):
                charge = intent["latest_charge"]
                captured += intent["amount_received"] - (0 if charge is None else charge["amount_refunded"])
                authorized += intent["amount_capturable"]
            last = str(money.payments[-1].state) if money.payments else "NONE"
            found[booking] = Fate(str(money.record.booking.status), last, captured, authorized)
        return found

    async def _intents(self, pages: int) -> dict[str, list[dict[str, Any]]]:
        """The last payments that the provider has, by the booking that is noted with them.

        As they come: to make stripe-python's objects of them would take longer than all the rest of looking.
        """
        found: dict[str, list[dict[str, Any]]] = {}
        params: dict[str, str | int] = {"limit": 10 if pages == 1 else 100, "expand[]": "data.latest_charge"}
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        for _ in range(pages):
            answer = await self.simulator.raw("GET", "/v1/payment_intents", params=params, headers=headers)
            page = orjson.loads(answer.raise_for_status().content)
            for intent in page["data"]:
                found.setdefault(intent["metadata"].get("booking", ""), []).append(intent)
            if not page["has_more"]:
                break
            params["starting_after"] = page["data"][-1]["id"]
        return found
