"""The calls of the ledger that collect money (sql/57 and sql/58): each is one transaction, and may be repeated.

None asks the payment provider; what it has said is told to them.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from models.database import Database
from models.keys import BookingKey
from models.ledger.calls import repeated
from models.ledger.money import BookingMoney, PaymentSnapshot
from models.ledger.payloads import command_payload
from models.ledger.requests import Command
from models.payment import PaymentProgress, RefundState


class PaymentPeriod(NamedTuple):
    """How long a hold is kept for who pays.

    `seconds` from when checkout begins; `retry_seconds` from a failed attempt, once; and no longer than
    `ceiling_seconds` from the first checkout of the booking.
    """

    seconds: int = 600
    retry_seconds: int = 300
    ceiling_seconds: int = 1_800


@dataclass(frozen=True, slots=True)
class Checkout:
    """A request to begin to collect what is due now of a booking."""

    command: Command
    booking_id: uuid.UUID
    period: PaymentPeriod
    expected_version: int | None = None


class SeenPayment(NamedTuple):
    """What the provider says of a payment; of one that it knows nothing of, its state alone."""

    state: PaymentProgress
    reference: str | None = None
    amount: int | None = None
    currency: str | None = None
    captured: int | None = None
    refunded: int | None = None
    failure_code: str | None = None
    decline_code: str | None = None
    failure_id: str | None = None
    method: str | None = None
    customer: str | None = None
    is_disputed: bool | None = None


async def checkout(database: Database, request: Checkout) -> tuple[BookingMoney, PaymentSnapshot]:
    """The payment by which the booking may be paid now, with time to: the one there is, or a new one; once per key.

    Raises HoldExpired, NothingDue, InvalidState, VersionConflict, NotFound, IdempotencyConflict, Busy. Locks as
    `calls.change_booking`.
    """
    payload = {
        **command_payload(request.command),
        "booking_id": request.booking_id,
        "expected_version": request.expected_version,
        "period_seconds": request.period.seconds,
        "retry_seconds": request.period.retry_seconds,
        "ceiling_seconds": request.period.ceiling_seconds,
    }
    answer = await repeated(database, request.command.organization_id, "SELECT ledger_checkout($1, $2)", payload)
    if answer["outcome"] == "REPLAYED":
        money = await read_money(database, BookingKey(request.command.organization_id, request.booking_id))
        assert money is not None, "a key is remembered with its booking, and bookings stay"
        return money, money.payment(answer["result"]["payment"])
    money = BookingMoney.from_json(answer)
    return money, money.payment(answer["number"])


async def payment_seen(
    database: Database, payment: PaymentSnapshot, seen: SeenPayment, *, late: Mapping[str, Any] | None = None
) -> BookingMoney:
    """Write what the provider says of the payment, and decide what follows, in one transaction.

    `payment` is as it was read before the provider was asked: raises Stale if something was written since, for then the
    answer may be older than that. `late`: the conditions by which a booking that has expired may be admitted once more.
    Raises NotFound, Busy. Locks all that the booking claims or would claim, customer and promo code if it is late, the
    booking, and then the payment.
    """
    payload = {
        "booking_id": payment.booking_id,
        "number": payment.number,
        "version": payment.version,
        "seen": {name: value for name, value in seen._asdict().items() if value is not None},
        "late": late,
    }
    answer = await repeated(database, payment.organization_id, "SELECT ledger_payment_seen($1, $2)", payload)
    return BookingMoney.from_json(answer)


async def refund_seen(
    database: Database, key: BookingKey, number: int, *, reference: str | None, state: RefundState
) -> BookingMoney:
    """Write what the provider says of a refund; one that has come to its end stays so. Raises Busy."""
    payload = {"booking_id": key.id, "number": number, "reference": reference, "state": state}
    answer = await repeated(database, key.organization_id, "SELECT ledger_refund_seen($1, $2)", payload)
    return BookingMoney.from_json(answer)


async def read_money(database: Database, key: BookingKey) -> BookingMoney | None:
    """The booking with its money as it is now, or None."""
    text = await database.ledger.fetchval("SELECT ledger_booking_money($1, $2)", *key)
    return None if text is None else BookingMoney.from_json(orjson.loads(text))


async def take_payments(database: Database, *, limit: int, lease_seconds: int) -> Sequence[BookingKey]:
    """Bookings whose payments somebody is to look at now; each is this caller's alone for `lease_seconds`."""
    rows = await database.ledger.fetch("SELECT * FROM worker_take_payments($1, $2)", limit, lease_seconds)
    return [BookingKey(row["organization_id"], row["booking_id"]) for row in rows]
