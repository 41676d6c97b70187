"""Webhooks in every order, twice, late and lost: the same end.

The events are the simulator's own, signed and sent by it to a post box of these tests, which hands them to the inbox in
each order. What the worker then does is done at once. Where the orders that are tried leave events out, those are lost.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import orjson
import pytest

from models.keys import BookingKey
from models.ledger.webhooks import Taken, take_event
from payments.signature import verify
from payments.webhooks import read_webhook
from tests.money.orders import Events, orders
from tests.money.till import PRICE, Fate, Till, hold_place, make_places, pay, pay_by_bank
from tests.payments.simulator.webhooks import Received, Receiver, receiver
from tests.support.factories import booking_key_of
from tests.support.waiting import eventually

AT_ONCE: Final = 6
"""Stories that are played at once."""

LETTER_SECONDS_MAX: Final = 60.0

Act = Callable[["Story"], Awaitable[None]]


class PostBox:
    """Webhooks that have come, by the intent that they are about and their type."""

    def __init__(self, receiving: Receiver, secret: str) -> None:
        self._receiving = receiving
        self._secret = secret
        self._sorted: dict[tuple[str, str], Received] = {}
        self._read = 0

    async def letter(self, intent: str, kind: str) -> Received:
        """The webhook, once it is there."""

        async def come() -> Received | None:
            for received in self._receiving.received[self._read :]:
                event = orjson.loads(received.body)
                it = event["data"]["object"]
                about = it["id"] if it["object"] == "payment_intent" else it.get("payment_intent")
                self._sorted[about, event["type"]] = received
                self._read += 1
            return self._sorted.get((intent, kind))

        return await eventually(come, seconds_max=LETTER_SECONDS_MAX)

    async def hand_in(self, till: Till, received: Received) -> Taken:
        """What the server does with it."""
        verify(received.body, received.signature, [self._secret], time.time())
        webhook = read_webhook(received.body)
        assert webhook.booking is not None
        return await take_event(till.database, webhook.booking, webhook.id, webhook.type, webhook.created_at)


class Story:
    """One guest, whose webhooks come in one order."""

    def __init__(self, till: Till, box: PostBox, booking: BookingKey, intent: str) -> None:
        self.till = till
        self.booking = booking
        self.intent = intent
        self._box = box

    async def told(self, kind: str) -> None:
        """A webhook comes, and the worker does what it does then."""
        received = await self._box.letter(self.intent, kind)
        if await self._box.hand_in(self.till, received) is Taken.NEW:
            seconds = await self.till.seconds_until_looked_at(self.booking)
            assert seconds is not None and seconds <= 0  # noqa: PT018
            await self.till.drive(self.booking)

    async def play(self, acts: Sequence[Act], order: Sequence[int | str]) -> None:
        """Do all of it; at the end time passes, so that what was lost is looked at."""
        for step in order:
            if isinstance(step, str):
                await self.told(step)
            else:
                await acts[step](self)
        await self.till.drive(self.booking)


async def pays(story: Story) -> None:
    """By card, which is held."""
    assert await pay(story.till.client, story.intent) is not None


async def is_declined(story: Story) -> None:
    """The bank says no."""
    assert await pay(story.till.client, story.intent, "pm_card_chargeDeclined") is None


async def is_asked(story: Story) -> None:
    """The bank wants to see them."""
    asked = await pay(story.till.client, story.intent, "pm_card_authenticationRequired")
    assert asked is not None
    assert asked.status == "requires_action"


async def is_seen(story: Story) -> None:
    """They say yes to the bank."""
    asked = await story.till.client.v1.payment_intents.retrieve_async(story.intent)
    await story.till.simulator.authenticate(asked)


async def leaves(story: Story) -> None:
    """And is not back before the hold ends."""
    await story.till.run_out(story.booking)


async def pays_too_late(story: Story) -> None:
    """Pays, but nobody hears of it before the hold ends and the place is another's."""
    await pays(story)
    await leaves(story)
    await hold_place(story.till.database, story.till.places)


async def pays_too_late_by_bank(story: Story) -> None:
    """The same by what can not be held."""
    await pay_by_bank(story.till.simulator, story.till.client, story.intent)
    await leaves(story)
    await hold_place(story.till.database, story.till.places)


class Tale(NamedTuple):
    """What a guest does, what is told of it, and how it ends, whatever the order.

    `least`: how many webhooks come at least; where all do, others show what happens when some are lost. `scarce`: there
    is one place.
    """

    acts: Sequence[Act]
    events: Events
    copies: int
    end: Fate
    least: int = 1
    scarce: bool = False


CREATED, FAILED, ACTION = "payment_intent.created", "payment_intent.payment_failed", "payment_intent.requires_action"
HELD, TAKEN, CANCELED = (
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.canceled",
)
BOOKED = Fate("CONFIRMED", "CAPTURED", PRICE, 0)
TALES: Final = {
    "paid, five events": Tale(
        [pays], Events({CREATED: 0, "charge.succeeded": 1, HELD: 1}, ["charge.captured", TAKEN]), 1, BOOKED, least=5
    ),
    "paid, three events, some twice": Tale([pays], Events({CREATED: 0, HELD: 1}, [TAKEN]), 2, BOOKED, least=5),
    "declined, then asked for by the bank, then paid": Tale(
        [is_declined, is_asked, is_seen], Events({FAILED: 1, ACTION: 2, HELD: 3}), 1, BOOKED
    ),
    "paid, and the hold ended before anybody knew": Tale(
        [pays, leaves], Events({HELD: 1, "charge.succeeded": 1}, [TAKEN]), 1, BOOKED
    ),
    "paid too late": Tale(
        [pays_too_late], Events({HELD: 1}, [CANCELED]), 2, Fate("EXPIRED", "VOID", 0, 0), scarce=True
    ),
    "paid too late, by what can not be held": Tale(
        [pays_too_late_by_bank],
        Events({TAKEN: 1}, ["refund.created"]),
        2,
        Fate("EXPIRED", "CAPTURED", 0, 0),
        scarce=True,
    ),
    "left": Tale([leaves], Events({CREATED: 0}, [CANCELED]), 2, Fate("EXPIRED", "VOID", 0, 0)),
}


@asynccontextmanager
async def post_box(till: Till) -> AsyncIterator[PostBox]:
    async with receiver() as receiving:
        made = await till.client.v1.webhook_endpoints.create_async({"url": receiving.url, "enabled_events": ["*"]})
        assert made.secret is not None
        yield PostBox(receiving, made.secret)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TALES)
async def test_every_order_of_webhooks_has_the_same_end(till: Till, name: str) -> None:
    tale = TALES[name]
    tried = list(orders(len(tale.acts), tale.events, copies=tale.copies, least=tale.least))
    bookings: dict[BookingKey, tuple[int | str, ...]] = {}
    turns = asyncio.Semaphore(AT_ONCE)

    async def play(order: tuple[int | str, ...], box: PostBox) -> None:
        async with turns:
            own = till._replace(places=await make_places(till.database, 1)) if tale.scarce else till
            booking = booking_key_of(await hold_place(own.database, own.places))
            bookings[booking] = order
            story = Story(own, box, booking, await own.open(booking))
            await story.play(tale.acts, order)

    async with post_box(till) as box, asyncio.TaskGroup() as group:
        for order in tried:
            group.create_task(play(order, box))

    fates = await till.fates(list(bookings))
    others = {bookings[booking]: fate for booking, fate in fates.items() if fate != tale.end}
    assert others == {}
    assert len(fates) == len(tried)
