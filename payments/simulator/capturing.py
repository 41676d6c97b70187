"""What becomes of authorized money: captured in whole or in part, given back, or given up when its time is over."""

from typing import Final

from payments.simulator.disputes import open_dispute
from payments.simulator.documents import Document, shown
from payments.simulator.payment_methods import card_of
from payments.simulator.refusals import invalid
from payments.simulator.world import World

CANCELABLE: Final = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")


def capture(world: World, intent: Document, amount: int | None) -> Document:
    """Take `amount` of what is authorized, by default all; the rest is let go. Raises Refusal."""
    if intent["status"] != "requires_capture":
        already = intent["status"] == "succeeded"
        because = "has already been captured" if already else f"has a status of {intent['status']}"
        raise invalid(
            f"This PaymentIntent could not be captured because it {because}."
            + (
                ""
                if already
                else " Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
            ),
            code="payment_intent_unexpected_state",
            details={"payment_intent": shown(intent)},
        )
    amount = intent["amount_capturable"] if amount is None else amount
    if amount > intent["amount_capturable"]:
        raise invalid(
            f"The provided amount_to_capture ({amount}) is greater than the amount that can be captured "
            f"({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = world.get("charge", intent["latest_charge"])
    charge.update(captured=True, amount_captured=amount)
    world.put("charge", charge)
    world.happened("charge.captured", charge)
    return money_taken(world, intent, charge)


def money_taken(world: World, intent: Document, charge: Document) -> Document:
    """The intent has succeeded with what `charge` captured; some buyers dispute that at once."""
    intent.update(status="succeeded", amount_capturable=0, amount_received=charge["amount_captured"])
    world.put("payment_intent", intent)
    world.happened("payment_intent.succeeded", intent)
    card = card_of(world.get("payment_method", charge["payment_method"]))
    if card is not None and card.dispute is not None:
        open_dispute(world, charge, card.dispute)
    return intent


def cancel(world: World, intent: Document, reason: str | None) -> Document:
    """End the intent; what is authorized goes back. Raises Refusal when it has ended already."""
    if intent["status"] not in CANCELABLE:
        raise invalid(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": shown(intent)},
        )
    return _end(world, intent, reason)


def expire(world: World, identifier: str) -> None:
    """The bank no longer holds the money of this intent. Nothing to do if it was captured or canceled."""
    intent = world.documents.find("payment_intent", identifier)
    if intent is not None and intent["status"] == "requires_capture":
        world.happened("charge.expired", world.get("charge", intent["latest_charge"]))
        _end(world, intent, "expired")


def _end(world: World, intent: Document, reason: str | None) -> Document:
    """Since 2025-03-31 this makes no refund, and the charge keeps its amounts: what was never captured never came."""
    intent.update(
        status="canceled",
        canceled_at=world.now(),
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )
    world.put("payment_intent", intent)
    world.happened("payment_intent.canceled", intent)
    return intent
