"""Refunds: captured money given back, never more than there is."""

from typing import Any, Final

from payments.simulator.documents import Document, new_id
from payments.simulator.lists import listed
from payments.simulator.money import shown_money
from payments.simulator.operations import Call, Operation, get, post
from payments.simulator.parameters import (
    COMMON,
    LISTED,
    amount,
    merged,
    metadata,
    one_of,
    optional,
    text,
)
from payments.simulator.payment_methods import card_of
from payments.simulator.refusals import Malformed, Refusal, invalid
from payments.simulator.world import World

SETTLED_AFTER_SECONDS: Final = 3_600
"""By the simulated clock: when a pending refund succeeds, or one that will fail does."""


def create(world: World, call: Call) -> Document:
    """Give back `amount` of a charge, by default all that is left of it. Raises Refusal for more than that."""
    charge = _charge(world, call.params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    wanted: int = call.params.get("amount", left)
    if left == 0:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", param="charge"
        )
    if charge["_charged_back"]:
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            param="charge",
        )
    if wanted > left:
        whole = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        code = charge["currency"]
        raise invalid(
            f"Refund amount ({shown_money(wanted, code)}) is greater than {whole} ({shown_money(left, code)})",
            param="amount",
        )
    return _issue(world, _new_refund(world, charge, wanted, call.params), charge)


def retrieve(world: World, call: Call) -> Document:
    """The refund."""
    return world.get("refund", call.path["id"])


def update(world: World, call: Call) -> Document:
    """Change the metadata."""
    refund = world.get("refund", call.path["id"])
    refund["metadata"] = merged(refund["metadata"], call.params.get("metadata"))
    world.put("refund", refund)
    world.happened("refund.updated", refund)
    return refund


def find_all(world: World, call: Call) -> Document:
    """A page of the refunds, all or those of a charge or an intent."""
    wanted = {name: call.params[name] for name in ("charge", "payment_intent") if name in call.params}
    return listed(
        world,
        "refund",
        call.params,
        "/v1/refunds",
        lambda refund: all(refund[name] == value for name, value in wanted.items()),
    )


def finish(world: World, identifier: str) -> None:
    """What the bank says in the end: a pending refund succeeds; one that fails gives the money back to us."""
    refund = world.documents.find("refund", identifier)
    if refund is None or refund["_becomes"] == refund["status"]:
        return
    refund["status"] = refund["_becomes"]
    if refund["status"] == "failed":
        refund["failure_reason"] = "unknown"
        charge = world.get("charge", refund["charge"])
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        world.put("charge", charge)
    world.put("refund", refund)
    world.happened("refund.updated", refund)
    world.happened("charge.refund.updated", refund)
    if refund["status"] == "failed":
        world.happened("refund.failed", refund)


def _new_refund(world: World, charge: Document, money: int, params: dict[str, Any]) -> Document:
    kind = charge["payment_method_details"]["type"]
    details: Document = {"type": kind}
    if kind == "card":
        details["card"] = {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": money,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "destination_details": details,
        "metadata": merged({}, params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _issue(world: World, refund: Document, charge: Document) -> Document:
    card = card_of(world.get("payment_method", charge["payment_method"]))
    fate = card.refund if card is not None else "succeeded"
    refund["status"] = "pending" if fate == "pending" else "succeeded"
    refund["_becomes"] = "failed" if fate == "failing" else "succeeded"
    if fate != "succeeded":
        world.at(world.now() + SETTLED_AFTER_SECONDS, "refund", refund["id"])
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    world.put("refund", refund)
    world.put("charge", charge)
    world.happened("charge.refunded", charge)
    world.happened("refund.created", refund)
    return refund


def _charge(world: World, params: dict[str, Any]) -> Document:
    if "charge" not in params and "payment_intent" not in params:
        raise Malformed("One of the following params should be provided for this request: payment_intent or charge.")
    if "charge" in params:
        charge = world.get("charge", params["charge"], "charge", status=404)
    else:
        intent = world.get("payment_intent", params["payment_intent"], "payment_intent", status=404)
        if intent["latest_charge"] is None or intent["status"] not in ("succeeded", "requires_capture"):
            raise _nothing_to_refund(intent)
        charge = world.get("charge", intent["latest_charge"])
    if charge["status"] != "succeeded":
        raise invalid(f"Charge {charge['id']} was not successful, and cannot be refunded.", param="charge")
    if not charge["captured"]:
        raise invalid(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must cancel the "
            "PaymentIntent to reverse the authorization instead of refunding the Charge directly.",
            param="charge",
        )
    return charge


def _nothing_to_refund(intent: Document) -> Refusal:
    return invalid(
        f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.", param="payment_intent"
    )


OPERATIONS: Final[tuple[Operation, ...]] = (
    post(
        "/v1/refunds",
        create,
        {
            **COMMON,
            "amount": optional(amount),
            "charge": optional(text(100)),
            "metadata": optional(metadata),
            "payment_intent": optional(text(100)),
            "reason": optional(one_of("duplicate", "fraudulent", "requested_by_customer")),
        },
    ),
    get(
        "/v1/refunds",
        find_all,
        {**LISTED, "charge": optional(text(100)), "payment_intent": optional(text(100))},
    ),
    get("/v1/refunds/{id}", retrieve),
    post("/v1/refunds/{id}", update, {**COMMON, "metadata": optional(metadata)}),
)
