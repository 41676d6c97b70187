"""Balances: what falls due after a deposit is taken of the card that its guest left for that.

The ledger says when, how much and how often (models/ledger/sql/59_settling.sql): a card that is declined is tried again
after 1, 3 and 7 days; then what is outstanding is for the venue to see to, and for the guest to pay by bookingCheckout.
"""

from dataclasses import replace
from typing import NamedTuple

from engine.payment import Payment, PaymentFailure, PaymentKey, PaymentOrder, PaymentRefused
from engine.ports import PaymentGateway
from engine.seen import first_seen
from engine.settling import key_of
from models.database import Database
from models.ledger.calls import Stale
from models.ledger.money import BookingMoney, PaymentSnapshot
from models.ledger.payments import payment_seen
from models.ledger.settling import begin_balance
from models.payment import PaymentProgress, PaymentPurpose


class Charged(NamedTuple):
    """A card was tried: `said` is what the provider says of the booking's `number`-th payment then."""

    money: BookingMoney
    number: int
    said: Payment


async def charge_balance(database: Database, gateway: PaymentGateway, money: BookingMoney) -> Charged | None:
    """Try the kept card for what has fallen due, if it is time to; None: nothing is to be done now.

    Raises Busy, and what the gateway raises; to do it again has one effect. A provider that refuses the card is as a
    bank that declines it.
    """
    if not any(_keeps_card(payment) for payment in money.payments):
        return None
    if _to_charge(money) is None:
        money = await begin_balance(database, key_of(money))
    row = _to_charge(money)
    if row is None or row.charge_at is None or row.charge_at > money.record.now:
        return None
    reference = row.reference
    if reference is None:
        opened = await gateway.open(balance_order(row))
        reference = opened.reference
        try:
            money = await payment_seen(database, row, first_seen(opened, row.customer))
        except Stale:  # somebody else is at it
            return None
    return Charged(money, row.number, await _charged(gateway, row, reference))


def balance_order(row: PaymentSnapshot) -> PaymentOrder:
    """What is to be paid by a kept card. Its guest may pay the very same payment by themselves."""
    return PaymentOrder(PaymentKey.of(row), row.amount, row.currency, buyer_is_there=False, customer=row.customer)


async def _charged(gateway: PaymentGateway, row: PaymentSnapshot, reference: str) -> Payment:
    assert row.method is not None, "who keeps a card knows it"
    attempt = row.failures + 1
    try:
        return await gateway.charge(reference, PaymentKey.of(row), row.method, attempt=attempt)
    except PaymentRefused as refused:
        looked = await gateway.look(reference)
        return replace(looked, failure=PaymentFailure(refused.code, None, f"refused-{attempt}"))


def _keeps_card(payment: PaymentSnapshot) -> bool:
    return payment.state == PaymentProgress.CAPTURED and payment.customer is not None and payment.method is not None


def _to_charge(money: BookingMoney) -> PaymentSnapshot | None:
    open_ = (
        payment
        for payment in money.payments
        if payment.purpose == PaymentPurpose.BALANCE
        and payment.state in (PaymentProgress.NEW, PaymentProgress.OPEN)
        and payment.decision is None
    )
    return next(open_, None)
