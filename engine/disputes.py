"""Disputes: a guest asks their bank for the money back; what it holds, or has taken, is not ours.

A webhook has the booking looked at, and a dispute that is known is looked at once a day until it is won
(`ledger_look_later`). One whose webhooks are lost is found by asking for all that have begun of late.
"""

from collections.abc import Sequence
from datetime import datetime

from engine.payment import Dispute
from engine.ports import PaymentGateway
from engine.settling import key_of
from models.database import Database
from models.keys import BookingKey
from models.ledger.money import BookingMoney, DisputeSnapshot
from models.ledger.payments import read_money
from models.ledger.settling import dispute_seen
from models.ledger.webhooks import booking_of_payment
from models.payment import DisputeState


async def look_at_disputes(database: Database, gateway: PaymentGateway, money: BookingMoney) -> BookingMoney:
    """Write how disputes of the booking's payments stand. Raises Busy, and what the gateway raises."""
    for payment in money.payments:
        if not payment.is_disputed or payment.reference is None:
            continue
        for found in await gateway.disputes(payment.reference):
            state = DisputeState.WON if found.is_won else DisputeState.LOST if found.is_lost else DisputeState.OPEN
            seen = DisputeSnapshot(payment.number, found.reference, found.amount, found.currency, state)
            if seen not in money.disputes:
                money = await dispute_seen(database, key_of(money), seen)
    return money


async def newly_disputed(database: Database, gateway: PaymentGateway, *, since: datetime) -> Sequence[BookingKey]:
    """The bookings with a dispute that has begun since then and is not written: who looks after them writes it.

    Disputes of payments that are not ours, but of another installation with the same account, are left out. Raises what
    the gateway raises.
    """
    keys: dict[BookingKey, None] = {}
    for dispute in await gateway.disputes_since(since):
        key = await _unwritten(database, dispute)
        if key is not None:
            keys[key] = None
    return list(keys)


async def _unwritten(database: Database, dispute: Dispute) -> BookingKey | None:
    """Whose dispute it is, if it is a booking's of ours and not written."""
    if dispute.payment is None:
        return None
    key = await booking_of_payment(database, dispute.payment)
    if key is None:
        return None
    money = await read_money(database, key)
    assert money is not None, "bookings stay"
    return None if any(known.reference == dispute.reference for known in money.disputes) else key
