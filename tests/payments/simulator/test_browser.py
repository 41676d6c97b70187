from typing import Any

import httpx
import pytest
import stripe

from tests.payments.simulator.support import HELD, refused
from tests.support.payments import PUBLISHABLE_KEY, Simulator

Client = stripe.StripeClient
CARD = {
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": "4242 4242 4242 4242",
    "payment_method_data[card][exp_month]": "12",
    "payment_method_data[card][exp_year]": "34",
    "payment_method_data[card][cvc]": "123",
    "payment_method_data[billing_details][name]": "Ana",
}
ORIGIN = {"Origin": "http://127.0.0.1:8000"}


async def opened(client: Client) -> stripe.PaymentIntent:
    params: Any = {**HELD, "metadata": {"booking": "b1"}}
    return await client.v1.payment_intents.create_async(params)


async def confirm(simulator: Simulator, intent: stripe.PaymentIntent, **form: Any) -> httpx.Response:
    whole = {"key": PUBLISHABLE_KEY, "client_secret": intent.client_secret, **CARD, **form}
    return await simulator.raw("POST", f"/v1/payment_intents/{intent.id}/confirm", data=whole, headers=ORIGIN)


async def test_a_browser_confirms_with_the_intent_s_secret(simulator: Simulator, client: Client) -> None:
    intent = await opened(client)
    answer = await confirm(simulator, intent, use_stripe_sdk="true")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["status"] == "requires_capture"
    assert not {"metadata", "latest_charge", "customer"} & set(told)
    assert answer.headers["access-control-allow-origin"] == "http://127.0.0.1:8000"
    held = await client.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    charge: Any = held.latest_charge
    assert (held.status, charge.billing_details.name) == ("requires_capture", "Ana")
    assert charge.payment_method_details.card.exp_year == 2034


async def test_a_browser_sees_the_intent_that_it_has_the_secret_of(simulator: Simulator, client: Client) -> None:
    intent = await opened(client)
    place = f"/v1/payment_intents/{intent.id}"
    headers = {"Authorization": f"Bearer {PUBLISHABLE_KEY}"}
    seen = await simulator.raw("GET", place, params={"client_secret": intent.client_secret or ""}, headers=headers)
    assert (seen.status_code, seen.json()["id"]) == (200, intent.id)
    other = (await opened(client)).client_secret
    for secret in (None, other, "§"):
        params = {} if secret is None else {"client_secret": secret}
        hidden = await simulator.raw("GET", place, params=params, headers=headers)
        assert (hidden.status_code, hidden.json()["error"]["code"]) == (404, "resource_missing")


async def test_a_declined_browser_is_told_why_and_tries_another_card(simulator: Simulator, client: Client) -> None:
    intent = await opened(client)
    declined = await confirm(simulator, intent, **{"payment_method_data[card][number]": "4000000000009995"})
    assert declined.status_code == 402
    assert declined.json()["error"]["decline_code"] == "insufficient_funds"
    again = await confirm(simulator, intent)
    assert again.json()["status"] == "requires_capture"


async def test_a_browser_makes_a_payment_method_of_its_own(simulator: Simulator, client: Client) -> None:
    form = {name.replace("payment_method_data[", "", 1).replace("]", "", 1): value for name, value in CARD.items()}
    made = await simulator.raw("POST", "/v1/payment_methods", data={"key": PUBLISHABLE_KEY, **form})
    assert made.status_code == 200, made.text
    assert (await client.v1.payment_methods.retrieve_async(made.json()["id"])).card is not None


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:5173", True),
        ("https://shop.example", False),
        ("http://127.0.0.1.example", False),
        ("http://localhost.example:80", False),
    ],
)
async def test_pages_of_this_machine_may_ask_and_no_others(simulator: Simulator, origin: str, allowed: bool) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = await simulator.raw("OPTIONS", "/v1/payment_methods", headers=asked)
    assert ("access-control-allow-origin" in answer.headers) is allowed
    assert "access-control-allow-origin" not in (await simulator.raw("GET", "/simulator", headers=asked)).headers


async def test_the_control_api_is_not_for_web_pages(simulator: Simulator) -> None:
    sneaked = await simulator.raw("POST", "/simulator/reset", content="{}", headers={"Content-Type": "text/plain"})
    assert sneaked.status_code == 400
    rebound = await simulator.raw("GET", "/simulator", headers={"Host": "evil.example"})
    assert rebound.status_code == 400
    for content in ("[]", "{", "1"):
        wrong = await simulator.raw(
            "POST", "/simulator/reset", content=content, headers={"Content-Type": "application/json"}
        )
        assert wrong.status_code == 400


async def test_the_page_takes_two_answers(simulator: Simulator, client: Client) -> None:
    params: Any = {
        **HELD,
        "payment_method": "pm_card_authenticationRequired",
        "confirm": True,
        "return_url": "http://127.0.0.1/x",
    }
    intent = await client.v1.payment_intents.create_async(params)
    assert (await simulator.authenticate(intent, "maybe")).status_code == 400
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "requires_action"
    assert (
        await simulator.raw("POST", f"/authenticate/{intent.id}/auth_forged", data={"outcome": "succeed"})
    ).status_code == 404
    assert (await simulator.raw("GET", "/authenticate/pi_none/x")).status_code == 404
    await refused(client.v1.payment_intents.capture_async(intent.id))
