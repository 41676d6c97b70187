"""200 guests, 20 places, and everything goes wrong: 20 are sold, and whoever has one has paid, and nobody else has."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pytest
import stripe

from engine.payment import PaymentState
from models.database import Database
from models.errors import BookingError, SoldOut
from models.keys import BookingKey
from models.ledger.webhooks import take_event
from payments.webhooks import read_webhook
from server.collector import collect_once
from tests.money.till import PRICE, Till, check_out, come_back, make_places, pay
from tests.payments.simulator.webhooks import Receiver, receiver
from tests.support.checkouts import DECLINED, VISA, now
from tests.support.staff import fresh_key

GUESTS: Final = 200
PLACES: Final = 20
SEED: Final = 20_261_122
TRIES_MAX: Final = 6
PERIOD_SECONDS: Final = 0.2
"""Of the worker, and of time: what somebody is to look at later is looked at then."""

FAULTS: Final = ("lost_before", "lost_after", "error_before", "error_after", "rate_limited")
CHANCE: Final = 0.03
LATE: Final = (
    {"kind": "event_delayed", "chance": 0.2, "seconds": 1.5},
    {"kind": "event_duplicated", "chance": 0.2, "copies": 2},
    {"kind": "event_dropped", "chance": 0.1},
    {"kind": "event_reordered", "chance": 0.2, "count": 4, "seconds": 1.0},
)


class Crowd:
    """Who wants a place, and what they hold. Each guest has one of five ways, by chance."""

    def __init__(self, till: Till, chances: random.Random) -> None:
        self.till = till
        self.bookings: list[BookingKey] = []
        self._chances = chances

    async def is_over(self) -> bool:
        """Whether all places are sold."""
        return await self.sold() == PLACES

    async def sold(self) -> int:
        """How many have a place for good."""
        sold: int = await self.till.owner.fetchval("SELECT count(*) FROM booking WHERE status = 'CONFIRMED'")
        return sold

    async def guest(self) -> None:
        """Wants a place until there is one, or none are left; and then pays, or does not."""
        booking = await self._place()
        if booking is None:
            return
        way = self._chances.choices(
            [self._pays_here, self._pays_in_a_browser, self._is_declined, self._leaves, self._pays_late],
            [50, 20, 10, 10, 10],
        )[0]
        try:
            await way(booking)
        except (BookingError, stripe.StripeError):  # who is refused, or can not be told how it went, gives up
            await self.till.run_out(booking)

    async def _place(self) -> BookingKey | None:
        while not await self.is_over():
            try:
                booking = await self.till.hold()
            except SoldOut:
                await asyncio.sleep(self._chances.uniform(0.05, PERIOD_SECONDS))
                continue
            self.bookings.append(booking)
            return booking
        return None

    async def _pays_here(self, booking: BookingKey) -> None:
        """By bookingCheckout alone, which is repeated while it says that it may be."""
        key = fresh_key()
        for _ in range(TRIES_MAX):
            try:
                done = await check_out(self.till.database, self.till.gateway, booking, key=key, method=VISA)
                if done.error is None:
                    return
            except BookingError as error:
                if not error.retryable:
                    raise
        await self.till.run_out(booking)

    async def _pays_in_a_browser(self, booking: BookingKey) -> None:
        """And comes back, or closes the window."""
        await pay(self.till.client, await self.till.open(booking))
        if self._chances.random() < 0.5:
            await come_back(self.till.database, self.till.gateway, booking)

    async def _is_declined(self, booking: BookingKey) -> None:
        """And gives up."""
        with suppress(BookingError):
            await check_out(self.till.database, self.till.gateway, booking, method=DECLINED)
        await self.till.run_out(booking)

    async def _leaves(self, booking: BookingKey) -> None:
        """Without a word, before or after the payment page."""
        with suppress(BookingError):
            if self._chances.random() < 0.5:
                await self.till.open(booking)
        await self.till.run_out(booking)

    async def _pays_late(self, booking: BookingKey) -> None:
        """The hold has ended, and the place may be another's: or it is let go before the money is there."""
        intent = await self.till.open(booking)
        await self.till.run_out(booking)
        await pay(self.till.client, intent)


async def inbox(database: Database, receiving: Receiver) -> None:
    """What servers do with webhooks, until cancelled."""
    taken = 0
    while True:
        for received in receiving.received[taken:]:
            taken += 1
            webhook = read_webhook(received.body)
            if webhook.booking is not None:
                await take_event(database, webhook.booking, webhook.id, webhook.type, webhook.created_at)
        await asyncio.sleep(0.01)


async def worker(till: Till) -> None:
    """What workers do, until cancelled; and time passes."""
    while True:
        await collect_once(till.database, till.gateway, now=now)
        await asyncio.sleep(PERIOD_SECONDS)
        await till.let_time_pass()


@asynccontextmanager
async def at_work(till: Till) -> AsyncIterator[None]:
    """An inbox and two workers for the length of a `with`."""
    async with receiver() as receiving:
        await till.client.v1.webhook_endpoints.create_async({"url": receiving.url, "enabled_events": ["*"]})
        tasks = [asyncio.create_task(inbox(till.database, receiving))]
        tasks += [asyncio.create_task(worker(till)) for _ in range(2)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


@pytest.mark.timeout(300)
async def test_twenty_places_are_sold_to_who_has_paid(till: Till) -> None:
    till = till._replace(places=await make_places(till.database, PLACES))
    crowd = Crowd(till, random.Random(SEED))
    async with at_work(till):
        for fault in FAULTS:
            await till.simulator.fault(fault, "POST /v1/payment_intents*", chance=CHANCE, count=10_000)
        for late in LATE:
            await till.simulator.tell("/faults", **{"match": "*", "count": 10_000, **late})
        await asyncio.gather(*(crowd.guest() for _ in range(GUESTS)))
    await till.simulator.raw("DELETE", "/simulator/faults")
    await till.let_time_pass()
    await till.work_off()

    fates = await till.fates(crowd.bookings)
    assert {booking: fate for booking, fate in fates.items() if not fate.is_settled} == {}
    assert sum(fate.status == "CONFIRMED" for fate in fates.values()) == PLACES
    money = (await till.simulator.ask())["money"]["eur"]
    assert (money["captured"] - money["refunded"], money["authorized"]) == (PLACES * PRICE, 0)
    assert len(fates) > PLACES, "somebody had a place and lost it"


async def captured_first(till: Till, booking: BookingKey, intent: str) -> None:
    """What is tempting: take the money that is there, and then confirm."""
    held = await till.gateway.look(intent)
    assert held.state is PaymentState.HELD
    assert held.key is not None
    await till.gateway.capture(intent, held.key, held.amount)
    with suppress(BookingError):
        await till.confirm(booking)


async def confirmed_first(till: Till, booking: BookingKey, _intent: str) -> None:
    """What is done."""
    await till.drive(booking)


@pytest.mark.parametrize(("way", "is_settled"), [(confirmed_first, True), (captured_first, False)])
async def test_control_who_captures_before_confirming_has_charged_without_a_booking(
    till: Till, way: Callable[[Till, BookingKey, str], Any], is_settled: bool
) -> None:
    till = till._replace(places=await make_places(till.database, 1))
    booking = await till.hold()
    intent = await till.open(booking)
    await pay(till.client, intent)
    await till.run_out(booking)
    await till.hold()
    await way(till, booking, intent)
    fate = await till.fate_of(booking)
    assert fate.is_settled == is_settled, fate
    await till.drive(booking)
    assert (await till.fate_of(booking)).is_settled, "whatever was done, the step brings it to its end"
