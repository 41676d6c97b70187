"""A payment method as it begins: what a test card, or the form of a payment page, says."""

import time
from typing import Any

from payments.simulator.cards import BY_TOKEN, TestCard, card_of_number
from payments.simulator.documents import Document, new_id
from payments.simulator.parameters import merged
from payments.simulator.refusals import Malformed, card_error, missing
from payments.simulator.world import World


def new_method(world: World, data: dict[str, Any]) -> Document:
    """The payment method that `data` describes, not kept yet. Raises Malformed, or Refusal for the card."""
    if data["type"] == "card":
        if "card" not in data:
            raise Malformed("Missing required param: card.", code="parameter_missing", param="card")
        method = card_method(world, _given_card(data["card"]), data["card"])
        _check_expiry(world, method["card"])
    else:
        method = _method(world, "ideal", {"bank": data.get("ideal", {}).get("bank"), "bic": None})
    method["billing_details"].update(data.get("billing_details", {}))
    method["metadata"] = merged({}, data.get("metadata"))
    method["allow_redisplay"] = data.get("allow_redisplay", "unspecified")
    return method


def card_method(world: World, card: TestCard, given: dict[str, Any]) -> Document:
    """The payment method of `card`, with the expiry and the check of the code that were `given`."""
    year = given.get("exp_year", 2034)
    method = _method(
        world,
        "card",
        {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass" if "cvc" in given else "unchecked",
            },
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": given.get("exp_month", 12),
            "exp_year": year + 2_000 if year < 100 else year,
            "fingerprint": f"simulated{card.number[-7:]}",
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
    )
    method["_number"] = card.number
    return method


def _given_card(card: dict[str, Any]) -> TestCard:
    if "token" in card:
        if card["token"] not in BY_TOKEN:
            raise missing("token", card["token"], "card[token]", status=400)
        return BY_TOKEN[card["token"]]
    for name in ("number", "exp_month", "exp_year"):
        if name not in card:
            raise Malformed(f"Missing required param: card[{name}].", code="parameter_missing", param=f"card[{name}]")
    cvc = card.get("cvc", "123")
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) >= 3):
        raise card_error("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    return card_of_number(card["number"])


def _check_expiry(world: World, card: Document) -> None:
    today = time.gmtime(world.now())
    if not 1 <= card["exp_month"] <= 12:
        raise card_error("Your card's expiration month is invalid.", code="invalid_expiry_month", param="exp_month")
    if (card["exp_year"], card["exp_month"]) < (today.tm_year, today.tm_mon):
        raise card_error("Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year")


def _method(world: World, kind: str, details: Document) -> Document:
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "created": world.now(),
        "customer": None,
        "customer_account": None,
        kind: details,
        "livemode": False,
        "metadata": {},
        "type": kind,
        "_set_up": False,  # whether the bank has been asked, and lets it be charged off session
        "_spent": False,  # whether it was used without a customer, and so for the last time
    }
