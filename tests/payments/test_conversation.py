"""The same conversation with the simulator and, where somebody gives a key of theirs, with Stripe's own sandbox.

It needs a network, and moves no money:

    VACANCY_TEST_STRIPE_KEY=sk_test_… .venv/bin/pytest tests/payments/test_conversation.py
"""

import os
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from payments.settings import TEST_KEYS
from tests.payments.simulator.support import held
from tests.support.payments import Simulator

KEY = os.environ.get("VACANCY_TEST_STRIPE_KEY", "")
RETURN = "https://shop.example/back"


@pytest.fixture(params=["simulator", *(["stripe"] if KEY else [])])
async def provider(request: pytest.FixtureRequest, simulator: Simulator) -> AsyncIterator[stripe.StripeClient]:
    if request.param == "simulator":
        yield simulator.client()
        return
    assert KEY.startswith(TEST_KEYS), "only a test key may be used"
    http = stripe.HTTPXClient(timeout=30)
    yield stripe.StripeClient(KEY, http_client=http)
    await http.close_async()  # type: ignore[no-untyped-call]


async def refusal(call: Any) -> tuple[str, int | None, str | None]:
    """The class, status and code of the error that awaiting `call` raises."""
    try:
        await call
    except stripe.StripeError as error:
        return type(error).__name__, error.http_status, error.code
    raise AssertionError("it was not refused")


async def test_money_is_held_taken_in_part_and_given_back(provider: stripe.StripeClient) -> None:
    intent = await held(provider)
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 10_000)
    assert intent.payment_method_types == ["card"]
    too_much: Any = {"amount_to_capture": 10_001}
    more = await refusal(provider.v1.payment_intents.capture_async(intent.id, too_much))
    assert more[:2] == ("InvalidRequestError", 400)
    intent = await provider.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 6_000, "expand": ["latest_charge"]}
    )
    charge: Any = intent.latest_charge
    assert (intent.status, intent.amount_received, charge.amount_captured, charge.amount_refunded) == (
        "succeeded",
        6_000,
        6_000,
        0,
    )
    refund: Any = {"payment_intent": intent.id}
    more_of_it: Any = {**refund, "amount": 6_001}
    over = await refusal(provider.v1.refunds.create_async(more_of_it))
    assert over[:2] == ("InvalidRequestError", 400)
    assert (await provider.v1.refunds.create_async(refund)).amount == 6_000
    assert (await refusal(provider.v1.refunds.create_async(refund)))[2] == "charge_already_refunded"
    again = provider.v1.payment_intents.capture_async(intent.id)
    assert await refusal(again) == ("InvalidRequestError", 400, "payment_intent_unexpected_state")


async def test_what_is_held_is_let_go_without_a_refund(provider: stripe.StripeClient) -> None:
    intent = await held(provider)
    intent = await provider.v1.payment_intents.cancel_async(intent.id, {"expand": ["latest_charge"]})
    charge: Any = intent.latest_charge
    assert (intent.status, charge.refunded, charge.amount_refunded) == ("canceled", False, 0)
    assert (await provider.v1.refunds.list_async({"payment_intent": intent.id})).data == []


async def test_what_is_refused_is_refused_in_the_same_words(provider: stripe.StripeClient) -> None:
    create: Any = provider.v1.payment_intents.create_async
    plain: Any = {"amount": 10_000, "currency": "eur"}
    assert await refusal(held(provider, "pm_card_visa_chargeDeclined")) == ("CardError", 402, "card_declined")
    assert await refusal(create({**plain, "no_such": 1})) == ("InvalidRequestError", 400, "parameter_unknown")
    nothing: Any = {"currency": "eur"}
    assert await refusal(create(nothing)) == ("InvalidRequestError", 400, "parameter_missing")
    no_longer = ("InvalidRequestError", 400, "payment_method_types_no_longer_supported")
    assert await refusal(create({**plain, "payment_method_types": ["card"]})) == no_longer
    assert (await refusal(create({**plain, "amount": 1})))[2] == "amount_too_small"
    unknown = provider.v1.payment_intents.retrieve_async("pi_none")
    assert await refusal(unknown) == ("InvalidRequestError", 404, "resource_missing")


async def test_a_key_has_one_effect(provider: stripe.StripeClient) -> None:
    create: Any = provider.v1.payment_intents.create_async
    plain: Any = {"amount": 10_000, "currency": "eur"}
    key: Any = {"idempotency_key": f"vacancy-test-{uuid.uuid4()}"}
    first = await create(plain, key)
    assert (await create(plain, key)).id == first.id
    assert (await refusal(create({**plain, "amount": 10_001}, key)))[:2] == ("IdempotencyError", 400)
    assert (await refusal(provider.v1.payment_intents.cancel_async(first.id, {}, key)))[:2] == ("IdempotencyError", 400)
    await provider.v1.payment_intents.cancel_async(first.id)


async def test_a_buyer_is_sent_to_the_bank_and_off_session_is_declined(provider: stripe.StripeClient) -> None:
    intent = await held(provider, "pm_card_authenticationRequired", return_url=RETURN)
    assert intent.next_action is not None
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    await provider.v1.payment_intents.cancel_async(intent.id)
    customer = await provider.v1.customers.create_async()
    method = await provider.v1.payment_methods.attach_async("pm_card_authenticationRequired", {"customer": customer.id})
    off_session = held(provider, method.id, customer=customer.id, off_session=True)
    assert await refusal(off_session) == ("CardError", 402, "authentication_required")
    await provider.v1.customers.delete_async(customer.id)
