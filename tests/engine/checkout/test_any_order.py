"""Whatever guests, banks, time and the network do to a booking, in any order: it ends booked and paid, or neither."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Final

import asyncpg
import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.payment import PaymentUnavailable
from models.errors import BookingError
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from models.queries.work import expire_over
from models.resource import Resource
from tests.conftest import PROPERTY_EXAMPLES
from tests.support.checkouts import BACK, DECLINED, VISA, Till
from tests.support.factories import let_run_out

NIGHT: Final = 100_00
NIGHTS: Final = 600
"""Of which each example takes one of its own."""

EXAMPLES: Final = PROPERTY_EXAMPLES // 3
LOOKS_MAX: Final = 10

Act = Callable[[Till, asyncpg.Connection, Resource, BookingRecord, int], Awaitable[object]]
Acts = dict[str, Act]


async def _over(till: Till, owner: asyncpg.Connection, room: Resource, record: BookingRecord, _night: int) -> None:
    await let_run_out(owner, record)
    await expire_over(till.database, room.organization_id, limit=100, patient=True)


async def _ideal(till: Till, _owner: asyncpg.Connection, _room: Resource, record: BookingRecord, _night: int) -> None:
    """A way to pay that can not be held."""
    reference = str((await till.money(record)).payments[-1].reference)
    await till.client.v1.payment_intents.confirm_async(
        reference, {"payment_method_data": {"type": "ideal"}, "return_url": BACK}
    )
    intent = await till.client.v1.payment_intents.retrieve_async(reference)
    if intent.next_action is not None:
        await till.simulator.authenticate(intent)


async def _card(till: Till, _owner: asyncpg.Connection, _room: Resource, record: BookingRecord, _night: int) -> None:
    """A browser that is quicker than everything else."""
    reference = str((await till.money(record)).payments[-1].reference)
    await till.client.v1.payment_intents.confirm_async(reference, {"payment_method": VISA, "return_url": BACK})


def _faulty(what: str) -> Act:
    async def act(till: Till, *_: object) -> None:
        await till.simulator.fault("lost_after", what)

    return act


ACTS: Final[Acts] = {
    "begin": lambda till, owner, room, record, night: till.begin(record),
    "begin with a card": lambda till, owner, room, record, night: till.begin(record, VISA),
    "begin with a bad card": lambda till, owner, room, record, night: till.begin(record, DECLINED),
    "card": _card,
    "ideal": _ideal,
    "complete": lambda till, owner, room, record, night: till.complete(record),
    "look": lambda till, owner, room, record, night: till.drive(record),
    "release": lambda till, owner, room, record, night: till.change(record, BookingAction.RELEASE),
    "over": _over,
    "another guest": lambda till, owner, room, record, night: till.hold(room, night=night),
    "the answer of a new payment is lost": _faulty("POST /v1/payment_intents"),
    "the answer of a capture is lost": _faulty("POST /v1/payment_intents/*/capture"),
    "the answer of a cancellation is lost": _faulty("POST /v1/payment_intents/*/cancel"),
    "the answer of a refund is lost": _faulty("POST /v1/refunds"),
}
EXPECTED: Final = (BookingError, PaymentUnavailable, stripe.StripeError)
"""Of who asks for what can not be done now: refused by us or by the provider, or its answer is lost."""

pytestmark = pytest.mark.timeout(600)  # more examples may be asked for, of a machine that does other things too

_nights = count()


@settings(max_examples=EXAMPLES)
@given(st.lists(st.sampled_from(sorted(ACTS)), min_size=3, max_size=10))
async def test_booked_and_paid_or_neither(
    till: Till, room: Resource, owner: asyncpg.Connection, names: list[str]
) -> None:
    night = next(_nights) % NIGHTS
    record = await till.hold(room, night=night)
    await till.begin(record)
    for name in names:
        with suppress(*EXPECTED):
            await ACTS[name](till, owner, room, record, night)
    await till.simulator.raw("DELETE", "/simulator/faults")
    await _settled(till, owner)
    await _over(till, owner, room, record, night)
    await _settled(till, owner)

    money = await till.money(record)
    kept = 0
    for payment in money.payments:
        if payment.reference is not None:
            intent = await till.client.v1.payment_intents.retrieve_async(payment.reference)
            assert intent.status in ("succeeded", "canceled"), names
            kept += payment.captured - payment.refunded
            assert payment.captured == intent.amount_received
    status = money.record.booking.status
    assert status != "ON_HOLD"
    assert kept == (NIGHT if status == "CONFIRMED" else 0), (status, names)


async def _settled(till: Till, owner: asyncpg.Connection) -> None:
    """Let the worker look until nothing but time is left to wait for."""
    for _ in range(LOOKS_MAX):
        before = await owner.fetch("SELECT * FROM payment_event ORDER BY booking_id, position")
        await owner.execute("UPDATE payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")
        await till.collect()
        if await owner.fetch("SELECT * FROM payment_event ORDER BY booking_id, position") == before:
            return
    raise AssertionError("there is always more to do")
