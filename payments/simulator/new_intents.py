"""A payment intent as it begins, and the payment methods that it can be paid with."""

from typing import Any, Final

from payments.simulator.documents import Document, new_id
from payments.simulator.parameters import merged
from payments.simulator.payment_methods import AUTHORIZED_AHEAD, TYPES
from payments.simulator.refusals import invalid
from payments.simulator.world import World

CURRENCIES_OF_TYPE: Final = {"ideal": frozenset({"eur"})}


def new_intent(world: World, params: dict[str, Any]) -> Document:
    """The intent that `params` describe, not kept yet. Raises Refusal when no payment method fits them."""
    types = _types(params)
    identifier = new_id("pi")
    return {
        "id": identifier,
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": _automatic(params),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{identifier}_{new_id('secret')}",
        "confirmation_method": "automatic",
        "created": world.now(),
        "currency": params["currency"],
        "customer": params.get("customer"),
        "customer_account": None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": types,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_authenticated": False,
        "_off_session": False,
        "_return_url": None,
        "_token": None,  # opens the page on which this attempt is authenticated
    }


def fill(intent: Document, params: dict[str, Any]) -> None:
    """Set the details that `params` give."""
    intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
    options: Document = {"card": {"installments": None, "network": None, "request_three_d_secure": "automatic"}}
    for kind, given in {**intent["payment_method_options"], **params.get("payment_method_options", {})}.items():
        options[kind] = {**options.get(kind, {}), **intent["payment_method_options"].get(kind, {}), **given}
    intent["payment_method_options"] = options if "card" in intent["payment_method_types"] else {}
    for name in ("description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor_suffix"):
        if name in params:
            intent[name] = params[name]


def _automatic(params: dict[str, Any]) -> Document | None:
    """Payment methods are automatic unless types are named: Stripe's default since 2023-08-16."""
    if "allowed_payment_method_types" in params:
        return None
    given: Document = params.get("automatic_payment_methods", {"enabled": True})
    return {"allow_redirects": "always", **given} if given["enabled"] else None


def _types(params: dict[str, Any]) -> list[str]:
    """Those that fit: others that were allowed are left out silently (docs.stripe.com/changelog, 2026-07-29)."""
    automatic = _automatic(params)
    allowed = params.get("allowed_payment_method_types", TYPES)
    excluded = params.get("excluded_payment_method_types", ())

    def fits(kind: str) -> bool:
        return (
            kind in allowed
            and kind not in excluded
            and (kind in AUTHORIZED_AHEAD or params.get("capture_method") != "manual")
            and (kind == "card" or automatic is None or automatic["allow_redirects"] != "never")
            and params["currency"] in CURRENCIES_OF_TYPE.get(kind, {params["currency"]})
        )

    fitting = [kind for kind in TYPES if fits(kind)]
    if not fitting:
        raise invalid("No valid payment method types for this Payment Intent.", param="allowed_payment_method_types")
    return fitting
