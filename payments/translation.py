"""Stripe's objects as the business knows them."""

import uuid
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from engine.payment import Dispute, Payment, PaymentFailure, PaymentKey, PaymentState, Refund
from models.keys import BookingKey

STATES: Final = {
    "requires_payment_method": PaymentState.OPEN,
    "requires_confirmation": PaymentState.OPEN,
    "requires_action": PaymentState.AWAITS_BUYER,
    "processing": PaymentState.PROCESSING,
    "requires_capture": PaymentState.HELD,
    "succeeded": PaymentState.CAPTURED,
    "canceled": PaymentState.VOID,
}


def to_payment(intent: stripe.PaymentIntent) -> Payment:
    """The payment behind an intent whose `latest_charge` is expanded."""
    charge: Any = intent.latest_charge
    card = None if charge is None else charge.payment_method_details.to_dict().get("card", {})
    until = (card or {}).get("capture_before") if intent.status == "requires_capture" else None
    error = intent.last_payment_error
    return Payment(
        reference=intent.id,
        key=read_key(intent.metadata.to_dict()),
        state=STATES[intent.status],
        amount=intent.amount,
        currency=intent.currency.upper(),
        held=intent.amount_capturable,
        captured=intent.amount_received,
        refunded=0 if charge is None else charge.amount_refunded,
        held_until=None if until is None else datetime.fromtimestamp(until, UTC),
        failure=None if error is None else _failure(error.to_dict()),
        method=intent.payment_method if isinstance(intent.payment_method, str) else None,
        is_disputed=charge is not None and charge.disputed,
        client_secret=intent.client_secret,
        next_url=_next_url(intent),
    )


def to_refund(refund: stripe.Refund) -> Refund:
    """The refund as the business knows it."""
    return Refund(
        reference=refund.id,
        amount=refund.amount,
        currency=refund.currency.upper(),
        is_final=refund.status in ("succeeded", "failed", "canceled"),
        failed=refund.status in ("failed", "canceled"),
    )


def to_dispute(dispute: stripe.Dispute) -> Dispute:
    """The dispute as the business knows it."""
    return Dispute(
        reference=dispute.id,
        payment=dispute.payment_intent if isinstance(dispute.payment_intent, str) else None,
        amount=dispute.amount,
        currency=dispute.currency.upper(),
        is_won=dispute.status in ("won", "prevented"),
        is_lost=dispute.status == "lost",
    )


def metadata_of(key: PaymentKey) -> dict[str, str]:
    """What is kept with a payment at Stripe: whose it is, and nothing about anybody."""
    organization, booking = key.booking
    return {"organization": str(organization), "booking": str(booking), "number": str(key.number)}


def read_key(metadata: dict[str, str]) -> PaymentKey | None:
    """The key that `metadata_of` wrote; None for metadata that are not ours."""
    try:
        booking = BookingKey(uuid.UUID(metadata["organization"]), uuid.UUID(metadata["booking"]))
        return PaymentKey(booking, int(metadata["number"]))
    except (KeyError, ValueError):
        return None


def _failure(error: dict[str, Any]) -> PaymentFailure:
    """Each attempt that a bank declines makes a charge; one that was not authenticated has its payment method alone."""
    attempt = error.get("charge") or (error.get("payment_method") or {}).get("id")
    return PaymentFailure(error.get("code") or error["type"], error.get("decline_code"), attempt)


def _next_url(intent: stripe.PaymentIntent) -> str | None:
    action: dict[str, Any] = {} if intent.next_action is None else intent.next_action.to_dict()
    url: str | None = action.get("redirect_to_url", {}).get("url")
    return url
