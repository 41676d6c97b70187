"""Checking out: a guest goes to pay what is due now, and comes back.

`begin` gives what the guest's browser pays with, and the hold time; or pays at once, with what the guest has chosen.
`complete` is what the page asks when it is done. Both only look, and take the step that is taken anyway
(`engine.collecting`): a guest who never comes back is booked all the same once they have paid.
"""

import hashlib
import logging
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from engine import payment
from engine.balances import balance_order
from engine.bookings import check_version, command_on, get_booking
from engine.collecting import drive, follow
from engine.idempotency import check_key
from engine.payment import Payment, PaymentKey, PaymentOrder, PaymentRefused
from engine.ports import Clock, OnlinePayments
from engine.price_changes import quote_of
from engine.seen import first_seen
from engine.settling import read_again
from engine.viewer import Viewer
from models.booking import BookingStatus
from models.database import Database
from models.errors import (
    BookingError,
    HoldExpired,
    InvalidInput,
    PaymentDeclined,
    PaymentRequired,
    PaymentUnavailable,
)
from models.keys import BookingKey
from models.ledger import payments as ledger
from models.ledger.calls import Stale, refusal_of
from models.ledger.money import BookingMoney, PaymentSnapshot
from models.ledger.payments import PaymentPeriod
from models.ledger.requests import Command
from models.payment import PaymentDecision, PaymentProgress, PaymentPurpose

logger = logging.getLogger(__name__)

URL_LENGTH_MAX: Final = 2_048
METHOD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,99}")
ATTEMPTS_MAX: Final = 10
"""Of one booking, through us: nobody tries a list of cards with it. What a browser tries, the provider watches."""

OF_THE_METHOD: Final = frozenset({"resource_missing", "invalid", "payment_method_unexpected_state"})
"""What the provider says of a payment method that there is not, or that can not be used here."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """`opened_by_token`: the booking that a shown token opens. `expected_version`: refuse if it changed since seen.

    `method`: the provider's id of what the guest pays with, to pay at once. `return_url`: where a bank sends them back.
    """

    key: str
    request_hash: bytes
    booking: BookingKey
    opened_by_token: BookingKey | None
    expected_version: int | None = None
    method: str | None = None
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """How it stands. `said`: what the provider has just said, with what the browser pays with; never kept.

    `error`: why the booking is not the guest's yet, if there is more to say than its status does.
    """

    money: BookingMoney
    said: Payment | None = None
    error: BookingError | None = None


async def begin(
    database: Database, online: OnlinePayments | None, viewer: Viewer, request: CheckoutRequest, *, now: Clock
) -> CheckedOut:
    """Begin to pay, once per key: the payment, with time to pay it; if a method is given, how paying it went.

    Raises NotFound for a booking that the viewer may not see, what `ledger.checkout` raises, InvalidInput for a method
    or URL that makes no sense, and PaymentUnavailable: if that is retryable, the hold has its time, and the same call
    goes on.
    """
    check_key(request.key)
    _check(request)
    await get_booking(database, viewer, request.booking, request.opened_by_token)
    collecting = _collecting(online)
    command = command_on(viewer, request.booking, request.key, request.request_hash)
    period = PaymentPeriod(collecting.checkout_seconds, collecting.retry_seconds, collecting.ceiling_seconds)
    asked = ledger.Checkout(command, request.booking.id, period, request.expected_version)
    money, row = await ledger.checkout(database, asked)
    if request.method is not None and sum(each.failures for each in money.payments) >= ATTEMPTS_MAX:
        message = "Too many attempts have failed: hold again, and pay in another way."
        raise PaymentDeclined(message, reason="too_many_attempts", until=None)
    try:
        money, said = await _opened(database, collecting, money, row)
        if request.method is not None and said.state in (payment.PaymentState.OPEN, payment.PaymentState.AWAITS_BUYER):
            said = await collecting.gateway.pay(
                said.reference,
                PaymentKey.of(row),
                request.method,
                attempt=_attempt(command),
                return_url=request.return_url,
            )
        money = await follow(database, collecting.gateway, money, row.number, now=now, said=said)
    except (payment.PaymentUnavailable, PaymentRefused) as error:
        raise _unavailable(error, request.method) from error
    return CheckedOut(money, said, _refusal(money) if request.method is not None else None)


async def complete(
    database: Database,
    online: OnlinePayments | None,
    viewer: Viewer,
    booking: BookingKey,
    opened_by_token: BookingKey | None,
    *,
    expected_version: int | None = None,
    now: Clock,
) -> CheckedOut:
    """Look how paying went, and take the step that follows. Raises as `begin`; to ask again does no harm."""
    found = await get_booking(database, viewer, booking, opened_by_token)
    check_version(expected_version, found.booking)
    try:
        money = await drive(database, _collecting(online).gateway, booking, now=now)
    except (payment.PaymentUnavailable, PaymentRefused) as error:
        raise _unavailable(error, None) from error
    return CheckedOut(money, error=_refusal(money))


async def _opened(
    database: Database, online: OnlinePayments, money: BookingMoney, row: PaymentSnapshot
) -> tuple[BookingMoney, Payment]:
    """The payment at the provider, as it is now; made there if it was not, and written before anybody is told of it."""
    if row.reference is not None:
        return money, await online.gateway.look(row.reference)
    order = await _order(database, online, money, row)
    said = await online.gateway.open(order)
    try:
        return await ledger.payment_seen(database, row, first_seen(said, order.customer)), said
    except Stale:
        current = await read_again(database, money)
    written = current.payment(row.number)
    if written.reference is None or written.decision == PaymentDecision.VOID:  # the hold has ended meanwhile
        await online.gateway.void(said.reference, PaymentKey.of(row))
        raise HoldExpired("The hold is over.")
    return current, await online.gateway.look(written.reference)


async def _order(database: Database, online: OnlinePayments, money: BookingMoney, row: PaymentSnapshot) -> PaymentOrder:
    """What is to be paid. The card is kept where something is to be paid later without its owner."""
    if row.purpose == PaymentPurpose.BALANCE:
        return balance_order(row)
    quote = await quote_of(database, money.record)
    assert quote is not None, "what has no price is not paid"
    keeps_card = bool(quote.due_later)
    customer = row.customer
    if keeps_card and customer is None:
        customer = await online.gateway.enroll(PaymentKey.of(row).booking)
    return PaymentOrder(PaymentKey.of(row), row.amount, row.currency, keeps_card=keeps_card, customer=customer)


def _refusal(money: BookingMoney) -> BookingError | None:
    """Why the booking is not paid, as its guest is told; None: it is, or the provider is still at it."""
    booking = money.record.booking
    last = money.payments[-1] if money.payments else None
    if last is not None and last.refusal is not None:
        fact = refusal_of(dict(last.refusal))
        return fact if isinstance(fact, BookingError) else None
    if booking.status == BookingStatus.EXPIRED:
        return HoldExpired("The hold is over, and nothing was charged.")
    if booking.status != BookingStatus.ON_HOLD and (
        last is None or last.purpose == PaymentPurpose.BOOKING or last.state == PaymentProgress.VOID
    ):
        return None
    if last is None or last.state in (PaymentProgress.NEW, PaymentProgress.VOID, PaymentProgress.AWAITS_BUYER):
        return PaymentRequired("It is not paid yet.")
    if last.state != PaymentProgress.OPEN:
        return None
    if last.failures == 0:
        return PaymentRequired("It is not paid yet.")
    ends_at = booking.hold_expires_at
    until = ends_at if ends_at is not None and ends_at > money.record.now else None
    reason = payment.told(last.decline_code or last.failure_code or "generic_decline")
    return PaymentDeclined("The payment was declined: try another way to pay.", reason=reason, until=until)


def _collecting(online: OnlinePayments | None) -> OnlinePayments:
    if online is None:
        raise PaymentUnavailable("Nothing is paid online here: confirm it.", retryable=False)
    return online


def _unavailable(error: Exception, method: str | None) -> BookingError:
    """What a guest is told when the provider does not answer, or will not have it."""
    if isinstance(error, PaymentRefused):
        if method is not None and error.code in OF_THE_METHOD:
            return InvalidInput("This payment method can not be used here.", path=("input", "paymentMethod"))
        logger.error("A payment can not be collected: %s", error)
        return PaymentUnavailable("This can not be paid online.", retryable=False)
    return PaymentUnavailable("The payment provider does not answer: try again.", retryable=True)


def _check(request: CheckoutRequest) -> None:
    if request.method is not None and not METHOD.fullmatch(request.method):
        raise InvalidInput("This is no id of a payment method.", path=("input", "paymentMethod"))
    if request.return_url is None:
        return
    parts = urlsplit(request.return_url)
    if len(request.return_url) > URL_LENGTH_MAX or parts.scheme not in ("https", "http") or not parts.netloc:
        raise InvalidInput("The address to come back to must begin with https://.", path=("input", "returnUrl"))


def _attempt(command: Command) -> str:
    """What tells this attempt to pay from the next: it follows from the key, so that a repetition is the same one."""
    return hashlib.sha256(f"{command.actor}\0{command.key}".encode()).hexdigest()[:32]
