"""Settling: what was taken for a booking is compared with what is owed for it, and what is too much goes back.

What is owed follows from what was agreed on (`engine.owing`); the ledger writes what is to go back, for just the
version of the booking for which that was counted, before the provider is asked (models/ledger/sql/59_settling.sql).
"""

import logging
from collections.abc import Sequence
from typing import Final

from engine.owing import owed
from engine.price_changes import quote_of
from models.booking import BookingStatus
from models.database import Database
from models.keys import BookingKey
from models.ledger import settling as ledger
from models.ledger.calls import Stale
from models.ledger.failures import busy
from models.ledger.money import BookingMoney, PaymentSnapshot, RefundSnapshot
from models.ledger.payments import read_money
from models.payment import PaymentDecision, PaymentProgress, RefundState

logger = logging.getLogger(__name__)

ROUNDS_MAX: Final = 5
"""A booking may be changed while it is counted what is owed for it; then that is counted anew."""

UNDECIDED: Final = frozenset({BookingStatus.ON_HOLD, BookingStatus.PENDING})
MONEY: Final = frozenset({PaymentProgress.HELD, PaymentProgress.CAPTURED})


async def settle(database: Database, money: BookingMoney) -> BookingMoney:
    """Write what is to go back of the booking's money, unless that is known; nothing while the booking is undecided.

    Raises Busy. What can not be given back, because that has failed three times, is logged for staff.
    """
    for _ in range(ROUNDS_MAX):
        if not _is_to_settle(money):
            return money
        booking = money.record.booking
        quote = await quote_of(database, money.record)
        wanted = 0 if quote is None else owed(booking, quote, paid=paid(money)).amount
        try:
            money = await ledger.settle(database, key_of(money), version=booking.version, owed=wanted)
        except Stale:
            money = await read_again(database, money)
            continue
        if paid(money) > wanted:
            logger.error("Booking %s: refunds have failed, staff is to give back what is left", booking.id)
        return money
    raise busy()


def to_look_at(money: BookingMoney) -> Sequence[RefundSnapshot]:
    """The refunds that the provider is to be asked for: those that are not done, and, where it says that less has gone
    back than we know of, those that were: a bank may have sent one back."""
    return [refund for refund in money.refunds if refund.state == RefundState.REQUESTED or _is_missed(money, refund)]


def paid(money: BookingMoney) -> int:
    """What is ours, as far as is known, of all payments that count for the booking, in minor units of its currency."""
    return sum(
        ours(payment, money.refunds)
        for payment in money.payments
        if payment.state in MONEY and payment.decision != PaymentDecision.VOID
    )


def ours(payment: PaymentSnapshot, refunds: Sequence[RefundSnapshot]) -> int:
    """What of a payment is ours; ledger_ours says the same."""
    if payment.state == PaymentProgress.HELD:
        return payment.amount
    known = sum(
        refund.amount
        for refund in refunds
        if refund.payment_number == payment.number and refund.state != RefundState.FAILED
    )
    return max(0, payment.captured - payment.charged_back - max(payment.refunded, known))


def key_of(money: BookingMoney) -> BookingKey:
    """Whose money it is."""
    return BookingKey(money.record.booking.organization_id, money.record.booking.id)


async def read_again(database: Database, money: BookingMoney) -> BookingMoney:
    """The same booking's money as it is now."""
    found = await read_money(database, key_of(money))
    assert found is not None, "bookings stay"
    return found


def _is_to_settle(money: BookingMoney) -> bool:
    booking = money.record.booking
    return booking.status not in UNDECIDED and any(
        payment.state == PaymentProgress.CAPTURED
        and payment.decision == PaymentDecision.CAPTURE
        and payment.settled_version != booking.version
        for payment in money.payments
    )


def _is_missed(money: BookingMoney, refund: RefundSnapshot) -> bool:
    if refund.state != RefundState.SUCCEEDED:
        return False
    known = sum(
        each.amount
        for each in money.refunds
        if each.payment_number == refund.payment_number and each.state == RefundState.SUCCEEDED
    )
    return money.payment(refund.payment_number).refunded < known
