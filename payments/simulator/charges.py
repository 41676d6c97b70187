"""Charges: one attempt of a payment intent to get money from one payment method."""

from typing import Final

from payments.simulator.cards import Decline
from payments.simulator.documents import Document, new_id
from payments.simulator.lists import listed
from payments.simulator.operations import Call, Operation, get
from payments.simulator.parameters import LISTED, optional, text
from payments.simulator.world import World

DAY_SECONDS: Final = 24 * 3_600
AUTHORIZED_SECONDS: Final = 7 * DAY_SECONDS
# docs.stripe.com/payments/capture-later: Visa, when the customer is not there: 4 days and 18 hours.
AUTHORIZED_OFF_SESSION_SECONDS: Final = {"visa": 4 * DAY_SECONDS + 18 * 3_600}


def retrieve(world: World, call: Call) -> Document:
    """The charge."""
    return world.get("charge", call.path["id"])


def find_all(world: World, call: Call) -> Document:
    """A page of the charges, all or those of an intent or a customer."""
    wanted = {name: call.params[name] for name in ("customer", "payment_intent") if name in call.params}
    return listed(
        world,
        "charge",
        call.params,
        "/v1/charges",
        lambda charge: all(charge[name] == value for name, value in wanted.items()),
    )


def new_charge(
    world: World, intent: Document, method: Document, *, decline: Decline | None = None, captured: bool = False
) -> Document:
    """The charge of an attempt that the bank authorized, or, with `decline`, refused. Kept; who calls tells of it."""
    paid = decline is None
    charge: Document = {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if captured else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or "VACANCY",
        "captured": captured,
        "created": world.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if decline is None else decline.code,
        "failure_message": None if decline is None else decline.message,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(world, intent, method, held=paid and not captured),
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
        "_charged_back": False,
    }
    return world.put("charge", charge)


def _outcome(decline: Decline | None) -> Document:
    outcome: Document = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 10,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if decline is not None:
        outcome |= {
            "network_decline_code": "05",
            "network_status": "declined_by_network",
            "reason": decline.decline_code,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        }
    return outcome


def _details(world: World, intent: Document, method: Document, *, held: bool) -> Document:
    kind = method["type"]
    if kind != "card":
        return {"type": kind, kind: {**method[kind], "iban_last4": None, "verified_name": None}}
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    card: Document = {name: method["card"][name] for name in shown}
    card |= {
        "amount_authorized": intent["amount"],
        "authorization_code": "123456",
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": new_id("ntx")[4:19],
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": _three_d_secure() if intent["_authenticated"] else None,
    }
    if held:
        off_session = AUTHORIZED_OFF_SESSION_SECONDS if intent["_off_session"] else {}
        card["capture_before"] = world.now() + off_session.get(card["brand"], AUTHORIZED_SECONDS)
    return {"type": "card", "card": card}


def _three_d_secure() -> Document:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("tds")[4:],
        "version": "2.2.0",
    }


OPERATIONS: Final[tuple[Operation, ...]] = (
    get("/v1/charges", find_all, {**LISTED, "customer": optional(text(100)), "payment_intent": optional(text(100))}),
    get("/v1/charges/{id}", retrieve),
)
