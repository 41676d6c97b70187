"""Payment intents: what somebody is to pay, from the first sight of the payment page to the captured money."""

import secrets
from typing import Any, Final

from payments.simulator.capturing import cancel, capture
from payments.simulator.confirming import CONFIRMABLE, Attempt, choose_method, confirm
from payments.simulator.customers import living
from payments.simulator.documents import Document, new_id, shown
from payments.simulator.lists import listed
from payments.simulator.money import shown_money
from payments.simulator.operations import Call, Operation, get, post
from payments.simulator.parameters import (
    ADDRESS,
    COMMON,
    LISTED,
    Parameters,
    amount,
    boolean,
    currency,
    either,
    list_of,
    merged,
    metadata,
    object_of,
    one_of,
    optional,
    required,
    text,
    unsettable,
)
from payments.simulator.payment_methods import AUTHORIZED_AHEAD, DATA, TYPES
from payments.simulator.refusals import Malformed, invalid, missing
from payments.simulator.world import World

AMOUNT_MIN: Final = {"eur": 50, "usd": 50}  # "The minimum amount is $0.50 US or equivalent": stripe-python
CURRENCIES_OF_TYPE: Final = {"ideal": frozenset({"eur"})}
HIDDEN_FROM_BROWSERS: Final = ("customer", "latest_charge", "metadata", "statement_descriptor_suffix", "transfer_group")

CAPTURE_METHOD: Final = one_of("automatic", "automatic_async", "manual")
SHIPPING: Final = object_of(
    {
        "address": required(ADDRESS),
        "carrier": optional(text(100)),
        "name": required(text(256)),
        "phone": optional(text(20)),
        "tracking_number": optional(text(100)),
    }
)
METHOD: Final[Parameters] = {
    "payment_method": optional(text(100)),
    "payment_method_data": optional(object_of(DATA)),
    "payment_method_options": optional(
        object_of(
            {
                "card": optional(
                    object_of(
                        {
                            "capture_method": optional(unsettable(one_of("manual"))),
                            "request_three_d_secure": optional(one_of("any", "automatic", "challenge")),
                        }
                    )
                )
            }
        )
    ),
    "setup_future_usage": optional(unsettable(one_of("off_session", "on_session"))),
}
DETAILS: Final[Parameters] = {
    **METHOD,
    "description": optional(unsettable(text(1_000))),
    "metadata": optional(metadata),
    "receipt_email": optional(unsettable(text(512))),
    "shipping": optional(unsettable(SHIPPING)),
    "statement_descriptor_suffix": optional(unsettable(text(22))),
}
CONFIRMATION: Final[Parameters] = {
    "error_on_requires_action": optional(boolean),
    "off_session": optional(either(boolean, one_of("one_off", "recurring"))),
    "return_url": optional(text(2_048)),
    "use_stripe_sdk": optional(boolean),
}
BROWSER: Final[Parameters] = {"client_secret": optional(text(200))}


def create(world: World, call: Call) -> Document:
    """A new intent; with `confirm`, paid at once. Raises Refusal 402, the intent being kept, if the bank declines."""
    params = call.params
    _check_creation(params)
    _check_amount(params["amount"], params["currency"])
    if params.get("customer") is not None:
        living(world, params["customer"], "customer", status=400)
    intent = _new_intent(world, params)
    _fill(intent, params)
    choose_method(world, intent, params)
    world.put("payment_intent", intent)
    world.happened("payment_intent.created", intent)
    return confirm(world, intent, Attempt.of(params, call.base_url)) if params.get("confirm") else intent


def retrieve(world: World, call: Call) -> Document:
    """The intent; to a browser, which shows its secret, without what is none of its business."""
    intent = _opened(world, call)
    return _for(call, intent)


def update(world: World, call: Call) -> Document:
    """Change an intent that is not authorized yet, or the metadata and description of any."""
    intent, params = world.get("payment_intent", call.path["id"]), call.params
    frozen = sorted(set(params) - {"description", "metadata", "expand", "receipt_email"})
    if frozen and intent["status"] not in CONFIRMABLE:
        raise invalid(
            f"This PaymentIntent's {frozen[0]} could not be updated because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            param=frozen[0],
            details={"payment_intent": shown(intent)},
        )
    if params.get("customer") is not None:
        living(world, params["customer"], "customer", status=400)
    draft: Document = intent | {name: params[name] for name in ("amount", "currency", "customer") if name in params}
    _check_amount(draft["amount"], draft["currency"])
    choose_method(world, draft, params)
    _fill(draft, params)
    intent.update(draft)  # only now: what is refused changes nothing
    return world.put("payment_intent", intent)


def confirm_intent(world: World, call: Call) -> Document:
    """Pay, by the server, or by the browser with the intent's secret."""
    intent, params = _opened(world, call), call.params
    if intent["status"] in CONFIRMABLE:
        draft = dict(intent)
        choose_method(world, draft, params)
        _fill(draft, params)
        intent.update(draft)
    return _for(call, confirm(world, intent, Attempt.of(params, call.base_url)))


def capture_intent(world: World, call: Call) -> Document:
    """Take the authorized money, or a part of it."""
    intent = world.get("payment_intent", call.path["id"])
    captured = capture(world, intent, call.params.get("amount_to_capture"))
    captured["metadata"] = merged(captured["metadata"], call.params.get("metadata"))
    return world.put("payment_intent", captured)


def cancel_intent(world: World, call: Call) -> Document:
    """Give it up."""
    return cancel(world, world.get("payment_intent", call.path["id"]), call.params.get("cancellation_reason"))


def find_all(world: World, call: Call) -> Document:
    """A page of the intents, all or those of a customer."""
    customer = call.params.get("customer")
    return listed(
        world,
        "payment_intent",
        call.params,
        "/v1/payment_intents",
        lambda intent: customer in (None, intent["customer"]),
    )


def _opened(world: World, call: Call) -> Document:
    """The intent, if the caller may have it: with the publishable key, only with its secret."""
    intent = world.documents.find("payment_intent", call.path["id"])
    secret = call.client_secret
    if intent is None or (secret is not None and not secrets.compare_digest(secret, intent["client_secret"])):
        raise missing("payment_intent", call.path["id"], "intent")
    return intent


def _for(call: Call, intent: Document) -> Document:
    if call.client_secret is None:
        return intent
    return {name: value for name, value in intent.items() if name not in HIDDEN_FROM_BROWSERS}


def _new_intent(world: World, params: dict[str, Any]) -> Document:
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
        "payment_method_types": _types(params),
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


def _automatic(params: dict[str, Any]) -> Document | None:
    """Payment methods are automatic unless types are named: Stripe's default since 2023-08-16."""
    if "payment_method_types" in params:
        return None
    given: Document = params.get("automatic_payment_methods", {"enabled": True})
    return {"allow_redirects": "always", **given} if given["enabled"] else None


def _types(params: dict[str, Any]) -> list[str]:
    if "payment_method_types" in params:
        return list(dict.fromkeys(params["payment_method_types"]))
    if _automatic(params) is None:
        return ["card"]
    held = params.get("capture_method") == "manual"
    redirects = (_automatic(params) or {})["allow_redirects"] != "never"
    fitting = [kind for kind in TYPES if not held or kind in AUTHORIZED_AHEAD]
    fitting = [kind for kind in fitting if redirects or kind == "card"]
    return [kind for kind in fitting if params["currency"] in CURRENCIES_OF_TYPE.get(kind, {params["currency"]})]


def _fill(intent: Document, params: dict[str, Any]) -> None:
    intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
    options: Document = {"card": {"installments": None, "network": None, "request_three_d_secure": "automatic"}}
    for kind, given in {**intent["payment_method_options"], **params.get("payment_method_options", {})}.items():
        options[kind] = {**options.get(kind, {}), **intent["payment_method_options"].get(kind, {}), **given}
    intent["payment_method_options"] = options if "card" in intent["payment_method_types"] else {}
    for name in ("description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor_suffix"):
        if name in params:
            intent[name] = params[name]


def _check_creation(params: dict[str, Any]) -> None:
    if "payment_method_types" in params and "automatic_payment_methods" in params:
        raise Malformed(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
            param="payment_method_types",
        )
    if not params.get("confirm"):
        for name in CONFIRMATION:
            if name in params and name != "use_stripe_sdk":
                raise Malformed(f"`{name}` can only be used when `confirm` is true.", param=name)
    for kind in params.get("payment_method_types", ()):
        if params.get("capture_method") == "manual" and kind not in AUTHORIZED_AHEAD:
            raise invalid(
                f"The payment method type `{kind}` does not support manual capture.", param="payment_method_types"
            )
        if params["currency"] not in CURRENCIES_OF_TYPE.get(kind, {params["currency"]}):
            raise invalid(
                f"The currency provided ({params['currency']}) is invalid for the payment method type `{kind}`.",
                param="currency",
            )


def _check_amount(money: int, code: str) -> None:
    least = AMOUNT_MIN.get(code, 1)
    if money < least:
        raise invalid(
            f"Amount must be at least {shown_money(least, code)} {code}", code="amount_too_small", param="amount"
        )


OPERATIONS: Final[tuple[Operation, ...]] = (
    post(
        "/v1/payment_intents",
        create,
        {
            **COMMON,
            **DETAILS,
            **CONFIRMATION,
            "amount": required(amount),
            "automatic_payment_methods": optional(
                object_of({"allow_redirects": optional(one_of("always", "never")), "enabled": required(boolean)})
            ),
            "capture_method": optional(CAPTURE_METHOD),
            "confirm": optional(boolean),
            "confirmation_method": optional(one_of("automatic")),
            "currency": required(currency),
            "customer": optional(text(100)),
            "payment_method_types": optional(list_of(one_of(*TYPES), 10)),
        },
    ),
    get("/v1/payment_intents", find_all, {**LISTED, "customer": optional(text(100))}),
    Operation("GET", "/v1/payment_intents/{id}", retrieve, {**COMMON, **BROWSER}, publishable=True),
    post(
        "/v1/payment_intents/{id}",
        update,
        {
            **COMMON,
            **DETAILS,
            "amount": optional(amount),
            "currency": optional(currency),
            "customer": optional(text(100)),
        },
    ),
    Operation(
        "POST",
        "/v1/payment_intents/{id}/confirm",
        confirm_intent,
        {
            **COMMON,
            **METHOD,
            **CONFIRMATION,
            **BROWSER,
            "receipt_email": DETAILS["receipt_email"],
            "shipping": DETAILS["shipping"],
        },
        publishable=True,
    ),
    post(
        "/v1/payment_intents/{id}/capture",
        capture_intent,
        {**COMMON, "amount_to_capture": optional(amount), "metadata": optional(metadata)},
    ),
    post(
        "/v1/payment_intents/{id}/cancel",
        cancel_intent,
        {
            **COMMON,
            "cancellation_reason": optional(one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer")),
        },
    ),
)
