"""Payment intents: what somebody is to pay, from the first sight of the payment page to the captured money."""

import secrets
from typing import Any, Final

from payments.simulator.capturing import cancel, capture
from payments.simulator.confirming import CONFIRMABLE, Attempt, choose_method, confirm
from payments.simulator.customers import living
from payments.simulator.documents import Document, shown
from payments.simulator.intent_parameters import BROWSER, CANCEL, CAPTURE, CHANGE, CONFIRM, CONFIRMATION, CREATION
from payments.simulator.lists import listed
from payments.simulator.money import shown_money
from payments.simulator.new_intents import fill, new_intent
from payments.simulator.operations import Call, Operation, get, post
from payments.simulator.parameters import COMMON, LISTED, merged, optional, text
from payments.simulator.refusals import Malformed, invalid, missing
from payments.simulator.world import World

AMOUNT_MIN: Final = {"eur": 50, "usd": 50}  # "The minimum amount is $0.50 US or equivalent": stripe-python
HIDDEN_FROM_BROWSERS: Final = ("customer", "latest_charge", "metadata", "statement_descriptor_suffix", "transfer_group")
EXCLUSIVE: Final = ("allowed_payment_method_types", "automatic_payment_methods", "excluded_payment_method_types")


def create(world: World, call: Call) -> Document:
    """A new intent; with `confirm`, paid at once. Raises Refusal 402, the intent being kept, if the bank declines."""
    params = call.params
    _check_creation(params)
    _check_amount(params["amount"], params["currency"])
    if params.get("customer") is not None:
        living(world, params["customer"], "customer", status=400)
    intent = new_intent(world, params)
    fill(intent, params)
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
    fill(draft, params)
    intent.update(draft)  # only now: what is refused changes nothing
    return world.put("payment_intent", intent)


def confirm_intent(world: World, call: Call) -> Document:
    """Pay, by the server, or by the browser with the intent's secret."""
    intent, params = _opened(world, call), call.params
    if intent["status"] in CONFIRMABLE:
        draft = dict(intent)
        choose_method(world, draft, params)
        fill(draft, params)
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
    if intent is None or (
        secret is not None and not secrets.compare_digest(secret.encode(), intent["client_secret"].encode())
    ):
        raise missing("payment_intent", call.path["id"], "intent")
    return intent


def _for(call: Call, intent: Document) -> Document:
    if call.client_secret is None:
        return intent
    return {name: value for name, value in intent.items() if name not in HIDDEN_FROM_BROWSERS}


def _check_creation(params: dict[str, Any]) -> None:
    exclusive = [name for name in EXCLUSIVE if name in params]
    if len(exclusive) > 1:
        raise Malformed(f"You may only specify one of these parameters: {', '.join(exclusive)}.", param=exclusive[0])
    if not params.get("confirm"):
        for name in CONFIRMATION:
            if name in params and name != "use_stripe_sdk":
                raise Malformed(f"`{name}` can only be used when `confirm` is true.", param=name)


def _check_amount(money: int, code: str) -> None:
    least = AMOUNT_MIN.get(code, 1)
    if money < least:
        raise invalid(
            f"Amount must be at least {shown_money(least, code)} {code}", code="amount_too_small", param="amount"
        )


OPERATIONS: Final[tuple[Operation, ...]] = (
    post("/v1/payment_intents", create, CREATION),
    get("/v1/payment_intents", find_all, {**LISTED, "customer": optional(text(100))}),
    Operation("GET", "/v1/payment_intents/{id}", retrieve, {**COMMON, **BROWSER}, publishable=True),
    post("/v1/payment_intents/{id}", update, CHANGE),
    Operation("POST", "/v1/payment_intents/{id}/confirm", confirm_intent, CONFIRM, publishable=True),
    post("/v1/payment_intents/{id}/capture", capture_intent, CAPTURE),
    post("/v1/payment_intents/{id}/cancel", cancel_intent, CANCEL),
)
