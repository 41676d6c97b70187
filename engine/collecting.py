"""Collecting: one step that brings a booking's money to where it belongs, whoever takes it and however often.

It asks the provider how things are, writes that down in one transaction in which it is also decided what becomes of the
booking and the money (models/ledger/sql/58_payments.sql), does at the provider what was decided, and writes that down.
Nothing else is ever done with money, be it because a page, a webhook, or time has said so. It may die between any two
of these: to do it again has one effect.
"""

from typing import Final

from engine.balances import charge_balance
from engine.disputes import look_at_disputes
from engine.late import conditions_of
from engine.payment import Payment, PaymentKey, PaymentRefused
from engine.ports import Clock, PaymentGateway
from engine.seen import seen_of
from engine.settling import key_of, read_again, settle, to_look_at
from models.booking import BookingStatus
from models.database import Database
from models.errors import NotFound
from models.keys import BookingKey
from models.ledger.calls import Stale
from models.ledger.failures import busy
from models.ledger.money import BookingMoney, PaymentSnapshot, RefundSnapshot
from models.ledger.payments import SeenPayment, payment_seen, read_money, refund_seen
from models.payment import PaymentDecision, PaymentProgress, RefundState

ROUNDS_MAX: Final = 6
"""Of one payment in one step: others may be at it, and what they write is to be looked at anew."""

ENDED: Final = frozenset({PaymentProgress.CAPTURED, PaymentProgress.VOID})
MONEY: Final = frozenset({PaymentProgress.HELD, PaymentProgress.CAPTURED})
UNKNOWN_THERE: Final = SeenPayment(PaymentProgress.NEW)
"""Of a payment that the provider was not asked for, or whose answer was not written: nobody was told how to pay it."""


async def drive(database: Database, gateway: PaymentGateway, key: BookingKey, *, now: Clock) -> BookingMoney:
    """Take the step for every payment of the booking, settle what was taken, and see to every refund and to what has
    fallen due; returns all as it is then.

    Raises NotFound, Busy, and what the gateway raises: what was not done is done by whoever comes next.
    """
    money = await read_money(database, key)
    if money is None:
        raise NotFound("There is no such booking.")
    for payment in money.payments:
        money = await follow(database, gateway, money, payment.number, now=now)
    money = await _refund(database, gateway, await look_at_disputes(database, gateway, money), now)
    charged = await charge_balance(database, gateway, money)
    if charged is not None:
        money = await follow(database, gateway, charged.money, charged.number, now=now, said=charged.said)
    return money


async def follow(
    database: Database,
    gateway: PaymentGateway,
    money: BookingMoney,
    number: int,
    *,
    now: Clock,
    said: Payment | None = None,
) -> BookingMoney:
    """Take the step for one payment; `said`: what the provider has just said of it. Raises as `drive`."""
    payment = money.payment(number)
    seen = await _ask(gateway, payment) if said is None else seen_of(payment, said)
    for _ in range(ROUNDS_MAX):
        try:
            late = await _late(database, money, seen, now)
            money = await payment_seen(database, money.payment(number), seen, late=late)
        except Stale:
            money = await read_again(database, money)
            seen = await _ask(gateway, money.payment(number))
            continue
        payment = money.payment(number)
        if payment.decision is None or payment.state in ENDED:
            return money
        before, seen = seen, await _carry_out(gateway, payment)
        if seen == before:  # the provider can not do it yet
            return money
    raise busy()


async def _ask(gateway: PaymentGateway, payment: PaymentSnapshot) -> SeenPayment:
    if payment.state == PaymentProgress.VOID:
        return SeenPayment(PaymentProgress.VOID)  # for good, so the provider need not be asked
    return UNKNOWN_THERE if payment.reference is None else seen_of(payment, await gateway.look(payment.reference))


async def _carry_out(gateway: PaymentGateway, payment: PaymentSnapshot) -> SeenPayment:
    if payment.reference is None:
        return SeenPayment(PaymentProgress.VOID)
    if payment.decision == PaymentDecision.CAPTURE:
        return seen_of(payment, await gateway.capture(payment.reference, PaymentKey.of(payment), payment.amount))
    return seen_of(payment, await gateway.void(payment.reference, PaymentKey.of(payment)))


async def _late(database: Database, money: BookingMoney, seen: SeenPayment, now: Clock) -> dict[str, object] | None:
    if money.record.booking.status != BookingStatus.EXPIRED or seen.state not in MONEY:
        return None
    return await conditions_of(database, money.record, now=now())


async def _refund(database: Database, gateway: PaymentGateway, money: BookingMoney, now: Clock) -> BookingMoney:
    """Settle, and ask for each refund once; one that fails is settled anew, as often as the ledger allows."""
    asked: set[int] = set()
    money = await settle(database, money)
    while refund := next((each for each in to_look_at(money) if each.number not in asked), None):
        asked.add(refund.number)
        money = await _give_back(database, gateway, money, refund)
        money = await settle(database, await follow(database, gateway, money, refund.payment_number, now=now))
    return money


async def _give_back(
    database: Database, gateway: PaymentGateway, money: BookingMoney, refund: RefundSnapshot
) -> BookingMoney:
    payment, key = money.payment(refund.payment_number), key_of(money)
    assert payment.reference is not None, "what goes back was taken"
    try:
        made = await gateway.refund(payment.reference, PaymentKey(key, refund.number), refund.amount)
    except PaymentRefused:
        return await refund_seen(database, key, refund.number, reference=None, state=RefundState.FAILED)
    state = RefundState.FAILED if made.failed else RefundState.SUCCEEDED if made.is_final else RefundState.REQUESTED
    return await refund_seen(database, key, refund.number, reference=made.reference, state=state)
