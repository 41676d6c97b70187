"""Balances: what falls due after a deposit is taken of the card that its guest left for that.

The ledger says when, how much and how often (models/ledger/sql/59_settling.sql): a card that is declined is tried again
after 1, 3 and 7 days; then what is outstanding is for the venue to see to, and for the guest to pay by bookingCheckout.
"""

from dataclasses import replace
from typing import NamedTuple

from engine.payment import Payment, PaymentFailure, PaymentKey, PaymentOrder, PaymentRefused
from engine.ports import PaymentGateway
from engine.settling import key_of
from models.database import Database
from models.keys import BookingKey
from models.ledger.calls import Stale
from models.ledger.money import BookingMoney, PaymentSnapshot
from models.ledger.payments import SeenPayment, payment_seen
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
    opened = await gateway.open(balance_order(row)) if row.reference is None else await gateway.look(row.reference)
    if row.reference is None:
        seen = SeenPayment(
            PaymentProgress[opened.state.name],
            reference=opened.reference,
            amount=opened.amount,
            currency=opened.currency,
            customer=row.customer,
        )
        try:
            money = await payment_seen(database, row, seen)
        except Stale:  # somebody else is at it
            return None
    assert row.method is not None, "who keeps a card knows it"
    attempt = row.failures + 1
    try:
        said = await gateway.charge(opened.reference, _key(row), row.method, attempt=attempt)
    except PaymentRefused as refused:
        looked = await gateway.look(opened.reference)
        said = replace(looked, failure=PaymentFailure(refused.code, None, f"refused-{attempt}"))
    return Charged(money, row.number, said)


def balance_order(row: PaymentSnapshot) -> PaymentOrder:
    """What is to be paid by a kept card. Its guest may pay the very same payment by themselves."""
    return PaymentOrder(_key(row), row.amount, row.currency, buyer_is_there=False, customer=row.customer)


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


def _key(row: PaymentSnapshot) -> PaymentKey:
    return PaymentKey(BookingKey(row.organization_id, row.booking_id), row.number)
