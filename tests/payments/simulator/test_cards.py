from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from payments.simulator.cards import BY_PAYMENT_METHOD, CARDS
from tests.payments.simulator.support import held, refused
from tests.support.payments import Simulator

Client = stripe.StripeClient
RETURN = "https://shop.example/back?booking=b1"


def numbered(number: str, **more: Any) -> Any:
    return {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123", **more}}


@pytest.mark.parametrize(
    "name", [name for name, card in BY_PAYMENT_METHOD.items() if card.decline and card.asks == "never"]
)
async def test_a_card_that_is_declined_says_why(client: Client, name: str) -> None:
    decline = BY_PAYMENT_METHOD[name].decline
    assert decline is not None
    error = await refused(held(client, name), stripe.CardError)
    assert error.error is not None
    assert (error.code, error.error.decline_code) == (decline.code, decline.decline_code)
    assert error.user_message == decline.message


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.names[0])
async def test_a_number_is_the_same_card_as_its_name(client: Client, card: Any) -> None:
    method = await client.v1.payment_methods.create_async(numbered(card.number))
    assert method.card is not None
    assert (method.card.last4, method.card.brand, method.card.checks and method.card.checks.cvc_check) == (
        card.number[-4:],
        card.brand,
        "pass",
    )
    by_token = await client.v1.payment_methods.create_async({"type": "card", "card": {"token": f"tok_{card.names[0]}"}})
    assert by_token.card is not None
    assert by_token.card.fingerprint == method.card.fingerprint
    assert card.number not in str(method)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (numbered("4242424242424241"), "incorrect_number"),
        (numbered("42"), "incorrect_number"),
        (numbered("4111111111111111"), "card_declined"),
        (numbered("4242424242424242", exp_month=13), "invalid_expiry_month"),
        (numbered("4242424242424242", exp_year=2020), "invalid_expiry_year"),
        (numbered("4242424242424242", cvc="12"), "invalid_cvc"),
    ],
)
async def test_a_card_that_is_none_is_refused(client: Client, card: Any, code: str) -> None:
    error = await refused(client.v1.payment_methods.create_async(card), stripe.CardError)
    assert (error.http_status, error.code) == (402, code)


async def test_a_card_is_used_once_without_a_customer(client: Client) -> None:
    method = await client.v1.payment_methods.create_async(numbered("4242424242424242"))
    await held(client, method.id)
    assert "may not be used again" in str(await refused(held(client, method.id)))


async def test_the_buyer_authenticates_and_comes_back(simulator: Simulator, client: Client) -> None:
    intent = await held(client, "pm_card_authenticationRequired", return_url=RETURN)
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.type == "redirect_to_url"
    page = await simulator.raw(
        "GET", str(intent.next_action.redirect_to_url and intent.next_action.redirect_to_url.url)
    )
    assert page.status_code == 200
    assert "Payment of €100.00" in page.text
    back = await simulator.authenticate(intent)
    assert back.status_code == 303
    told = parse_qs(urlsplit(back.headers["location"]).query)
    assert told == {
        "booking": ["b1"],
        "payment_intent": [intent.id],
        "payment_intent_client_secret": [intent.client_secret],
        "redirect_status": ["succeeded"],
    }
    held_now = await client.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    charge: Any = held_now.latest_charge
    assert (held_now.status, held_now.next_action) == ("requires_capture", None)
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"
    assert (await simulator.authenticate(intent)).status_code == 404


async def test_the_buyer_fails_to_authenticate(simulator: Simulator, client: Client) -> None:
    intent = await held(client, "pm_card_threeDSecure2Required", return_url=RETURN)
    back = await simulator.authenticate(intent, "fail")
    assert "redirect_status=failed" in back.headers["location"]
    intent = await client.v1.payment_intents.retrieve_async(intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert intent.latest_charge is None


async def test_a_bank_may_decline_after_all(simulator: Simulator, client: Client) -> None:
    name = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    intent = await held(client, name, return_url=RETURN)
    back = await simulator.authenticate(intent)
    assert "redirect_status=failed" in back.headers["location"]
    intent = await client.v1.payment_intents.retrieve_async(intent.id)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == "insufficient_funds"


async def test_an_attempt_that_waits_for_the_buyer_can_be_given_up_or_made_anew(
    simulator: Simulator, client: Client
) -> None:
    first = await held(client, "pm_card_authenticationRequired", return_url=RETURN)
    again = await client.v1.payment_intents.confirm_async(first.id, {"payment_method": "pm_card_visa"})
    assert again.status == "requires_capture"
    assert (await simulator.authenticate(first)).status_code == 404
    second = await held(client, "pm_card_authenticationRequired", return_url=RETURN)
    await client.v1.payment_intents.cancel_async(second.id)
    assert (await simulator.authenticate(second)).status_code == 404
    assert (await client.v1.payment_intents.retrieve_async(second.id)).status == "canceled"


async def test_stripe_js_handles_the_step_itself_where_no_return_is_given(simulator: Simulator, client: Client) -> None:
    intent = await held(client, "pm_card_authenticationRequired", use_stripe_sdk=True)
    assert intent.next_action is not None
    assert intent.next_action.type == "use_stripe_sdk"
    assert (await simulator.authenticate(intent)).status_code == 200
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


async def test_authentication_can_be_asked_for_and_refused(client: Client) -> None:
    options = {"card": {"request_three_d_secure": "any"}}
    intent = await held(client, return_url=RETURN, payment_method_options=options)
    assert intent.status == "requires_action"
    error = await refused(
        held(client, "pm_card_authenticationRequired", error_on_requires_action=True), stripe.CardError
    )
    assert error.code == "authentication_required"


async def set_up(simulator: Simulator, client: Client, name: str) -> tuple[str, str]:
    """A customer who paid once with a card that is kept for later payments."""
    customer = await client.v1.customers.create_async({"email": "ana@example.com"})
    intent = await held(client, name, customer=customer.id, setup_future_usage="off_session", return_url=RETURN)
    if intent.status == "requires_action":
        await simulator.authenticate(intent)
    kept = await client.v1.customers.payment_methods.list_async(customer.id, {"type": "card"})
    return customer.id, kept.data[0].id


@pytest.mark.parametrize(
    "name",
    ["pm_card_visa", "pm_card_authenticationRequiredOnSetup", "pm_card_authenticationRequiredSetupForOffSession"],
)
async def test_a_card_that_was_set_up_is_charged_without_its_owner(
    simulator: Simulator, client: Client, name: str
) -> None:
    customer, method = await set_up(simulator, client, name)
    later = await held(client, method, customer=customer, off_session=True, expand=["latest_charge"])
    charge: Any = later.latest_charge
    assert later.status == "requires_capture"
    assert charge.payment_method_details.card.capture_before - charge.created == 4 * 86_400 + 18 * 3_600


async def test_a_card_that_always_asks_is_refused_without_its_owner(simulator: Simulator, client: Client) -> None:
    customer, method = await set_up(simulator, client, "pm_card_authenticationRequired")
    error = await refused(held(client, method, customer=customer, off_session=True), stripe.CardError)
    assert (error.http_status, error.code) == (402, "authentication_required")
    assert error.error is not None
    assert error.error.decline_code == "authentication_required"
    assert error.error.payment_intent is not None
    intent = await client.v1.payment_intents.retrieve_async(error.error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    # And with the owner there it is paid: the same intent, on session.
    confirmed = await client.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": method, "return_url": RETURN}
    )
    assert confirmed.status == "requires_action"


async def test_a_kept_card_may_still_be_declined(client: Client) -> None:
    customer = await client.v1.customers.create_async()
    method = await client.v1.payment_methods.attach_async("pm_card_chargeCustomerFail", {"customer": customer.id})
    error = await refused(held(client, method.id, customer=customer.id, off_session=True), stripe.CardError)
    assert error.code == "card_declined"
    error = await refused(
        client.v1.payment_methods.attach_async("pm_card_chargeDeclined", {"customer": customer.id}), stripe.CardError
    )
    assert error.code == "card_declined"


async def test_a_customer_s_card_is_for_that_customer(client: Client) -> None:
    customer, other = [await client.v1.customers.create_async() for _ in range(2)]
    method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    assert "belongs to a Customer" in str(await refused(held(client, method.id)))
    assert "belongs to a Customer" in str(await refused(held(client, method.id, customer=other.id)))
    assert (await held(client, method.id, customer=customer.id)).status == "requires_capture"
    taken = await refused(client.v1.payment_methods.attach_async(method.id, {"customer": other.id}))
    assert "already been attached" in str(taken)
    await client.v1.payment_methods.detach_async(method.id)
    assert "may not be used again" in str(await refused(held(client, method.id, customer=customer.id)))


async def test_a_customer_who_is_deleted_pays_no_more(client: Client) -> None:
    customer = await client.v1.customers.create_async({"name": "Ana", "email": "ana@example.com"})
    assert (await client.v1.customers.update_async(customer.id, {"name": ""})).name is None
    found = await client.v1.customers.list_async({"email": "ana@example.com"})
    assert [each.id for each in found.data] == [customer.id]
    deleted = await client.v1.customers.delete_async(customer.id)
    assert deleted.deleted is True
    assert (await refused(held(client, customer=customer.id))).code == "resource_missing"
    assert (await client.v1.customers.list_async()).data == []
