"""Confirming a payment intent: the attempt to pay, from the payment method to the money, or to the reason why not."""

from typing import Any, Final, NamedTuple

from payments.simulator.capturing import money_taken
from payments.simulator.cards import AUTHENTICATION_REQUIRED, Asks, Decline
from payments.simulator.charges import new_charge
from payments.simulator.documents import Document, new_id, shown
from payments.simulator.new_methods import new_method
from payments.simulator.payment_methods import AUTHORIZED_AHEAD, card_of, keep_for, usable
from payments.simulator.refusals import Refusal, invalid
from payments.simulator.world import World

CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHENTICATION_FAILED: Final = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod "
    "to attempt to fulfill this PaymentIntent again."
)


class Attempt(NamedTuple):
    """How somebody tries to pay."""

    off_session: bool = False
    error_on_requires_action: bool = False
    return_url: str | None = None
    use_stripe_sdk: bool = False
    base_url: str = ""

    @classmethod
    def of(cls, params: dict[str, Any], base_url: str) -> "Attempt":
        """The attempt that the parameters of a confirmation, or of a creation with `confirm`, describe."""
        return cls(
            off_session=bool(params.get("off_session", False)),
            error_on_requires_action=params.get("error_on_requires_action", False),
            return_url=params.get("return_url"),
            use_stripe_sdk=params.get("use_stripe_sdk", False),
            base_url=base_url,
        )


def choose_method(world: World, intent: Document, params: dict[str, Any]) -> None:
    """Set the intent's payment method to the one that `params` name or describe, if any. Raises Refusal."""
    if "payment_method" in params:
        method = usable(world, params["payment_method"])
    elif "payment_method_data" in params:
        method = world.put("payment_method", new_method(world, params["payment_method_data"]))
    else:
        return
    _check_fit(intent, method)
    intent["payment_method"] = method["id"]
    if intent["status"] in CONFIRMABLE:
        intent["status"] = "requires_confirmation"


def confirm(world: World, intent: Document, attempt: Attempt) -> Document:
    """Try to pay. The intent is then paid, authorized, or waits for authentication; raises Refusal 402 if refused."""
    if intent["status"] not in CONFIRMABLE:
        raise _unexpected(intent)
    if intent["payment_method"] is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": shown(intent)},
        )
    method = usable(world, intent["payment_method"])
    _check_return(intent, method, attempt)
    intent.update(last_payment_error=None, next_action=None, _authenticated=False, _off_session=attempt.off_session)
    if method["type"] != "card" or _asks(intent, method, off_session=attempt.off_session):
        return _ask(world, intent, method, attempt)
    return settle(world, intent)


def settle(world: World, intent: Document) -> Document:
    """Ask the bank for the money, authentication being done or not needed. Raises Refusal 402 if it declines."""
    method = world.get("payment_method", intent["payment_method"])
    card = card_of(method)
    if card is not None and card.decline is not None:
        raise decline(world, intent, method, card.decline)
    _remember(world, intent, method)
    intent["next_action"] = None
    ahead = method["type"] in AUTHORIZED_AHEAD and capture_method(intent, method["type"]) == "manual"
    charge = new_charge(world, intent, method, captured=not ahead)
    intent["latest_charge"] = charge["id"]
    world.happened("charge.succeeded", charge)
    if ahead:
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        world.put("payment_intent", intent)
        world.at(charge["payment_method_details"]["card"]["capture_before"], "authorization", intent["id"])
        world.happened("payment_intent.amount_capturable_updated", intent)
        return intent
    return money_taken(world, intent, charge)


def fail_authentication(world: World, intent: Document) -> Document:
    """The customer did not authenticate: another payment method may be tried."""
    method = world.get("payment_method", intent["payment_method"])
    return _failed(
        world,
        intent,
        {
            "code": "payment_intent_authentication_failure",
            "doc_url": "https://docs.stripe.com/error-codes/payment-intent-authentication-failure",
            "message": AUTHENTICATION_FAILED,
            "payment_method": shown(method),
            "type": "invalid_request_error",
        },
    )


def decline(world: World, intent: Document, method: Document, reason: Decline) -> Refusal:
    """Record that the bank declined, and return the answer 402 for whoever asked."""
    charge = new_charge(world, intent, method, decline=reason)
    world.happened("charge.failed", charge)
    intent["latest_charge"] = charge["id"]
    refusal = reason.refusal()
    refusal.details |= {"charge": charge["id"], "payment_method": shown(method)}
    _failed(world, intent, refusal.body()["error"])
    refusal.details["payment_intent"] = shown(intent)
    return refusal


def capture_method(intent: Document, kind: str) -> str:
    """How money from a payment method of `kind` is captured: by the intent, unless its options say otherwise."""
    options = intent["payment_method_options"].get(kind) or {}
    return str(options.get("capture_method") or intent["capture_method"])


def _failed(world: World, intent: Document, error: Document) -> Document:
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
    world.put("payment_intent", intent)
    world.happened("payment_intent.payment_failed", intent)
    return intent


def _ask(world: World, intent: Document, method: Document, attempt: Attempt) -> Document:
    """Have the customer authenticate with the bank; declined where that is not possible or not wanted."""
    if attempt.off_session or attempt.error_on_requires_action:
        raise decline(world, intent, method, AUTHENTICATION_REQUIRED)
    token = new_id("auth")
    url = f"{attempt.base_url}/authenticate/{intent['id']}/{token}"
    if attempt.return_url is not None and not attempt.use_stripe_sdk:
        action: Document = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": attempt.return_url, "url": url},
        }
    else:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}
    intent.update(status="requires_action", next_action=action, _token=token, _return_url=attempt.return_url)
    world.put("payment_intent", intent)
    world.happened("payment_intent.requires_action", intent)
    return intent


def _asks(intent: Document, method: Document, *, off_session: bool) -> bool:
    card = card_of(method)
    asks = card.asks if card is not None else Asks.NEVER
    options = intent["payment_method_options"].get("card") or {}
    if not off_session and options.get("request_three_d_secure") in ("any", "challenge"):
        return True
    if asks is Asks.UNLESS_SET_UP:
        return not method["_set_up"]
    return asks is Asks.ALWAYS or (asks is Asks.ON_SESSION and not off_session)


def _remember(world: World, intent: Document, method: Document) -> None:
    """Keep the payment method for the customer if that is wanted; else this was the last time that it served."""
    if intent["customer"] is not None and intent["setup_future_usage"] is not None:
        keep_for(world, method, intent["customer"])
        method["_set_up"] = method["_set_up"] or intent["setup_future_usage"] == "off_session"
    elif method["customer"] is None:
        method["_spent"] = True
    world.put("payment_method", method)


def _check_fit(intent: Document, method: Document) -> None:
    kind = method["type"]
    if kind not in intent["payment_method_types"]:
        raise invalid(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach a PaymentMethod "
            f"of one of the following types: {', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        hint = " Please include the Customer in the `customer` parameter on the PaymentIntent."
        raise invalid(
            f"The provided PaymentMethod belongs to a Customer.{hint if intent['customer'] is None else ''}",
            param="payment_method",
        )


def _check_return(intent: Document, method: Document, attempt: Attempt) -> None:
    """Whoever may be sent to a bank's page has to be told where to come back to."""
    automatic = intent["automatic_payment_methods"] or {}
    redirects = automatic.get("allow_redirects", "never") != "never"
    if attempt.return_url is None and not attempt.use_stripe_sdk and (redirects or method["type"] != "card"):
        raise invalid(
            "This PaymentIntent is configured to accept payment methods that might redirect your customer off of your "
            "page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set "
            "`automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to "
            "`never` when creating Setup Intents and Payment Intents.",
            param="return_url",
            details={"payment_intent": shown(intent)},
        )


def _unexpected(intent: Document) -> Refusal:
    status = intent["status"]
    message = (
        "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        if status in ("succeeded", "requires_capture")
        else f"You cannot confirm this PaymentIntent because it has a status of {status}."
    )
    return invalid(message, code="payment_intent_unexpected_state", details={"payment_intent": shown(intent)})
