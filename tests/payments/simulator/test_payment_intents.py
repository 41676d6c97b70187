from typing import Any

import pytest
import stripe

from tests.payments.simulator.support import CARDS_ONLY, HELD, event_types, held, paid, refused
from tests.support.payments import Simulator

Client = stripe.StripeClient


async def test_money_is_held_and_then_captured(client: Client) -> None:
    intent = await held(client, metadata={"booking": "b1"}, expand=["latest_charge"])
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 10_000, 0)
    charge: Any = intent.latest_charge
    assert (charge.captured, charge.paid, charge.amount_captured) == (False, True, 0)
    assert charge.payment_method_details.card.capture_before == charge.created + 7 * 86_400
    intent = await client.v1.payment_intents.capture_async(intent.id)
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("succeeded", 0, 10_000)
    assert await event_types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


async def test_a_part_is_captured_and_the_rest_let_go_without_a_refund(client: Client) -> None:
    intent = await held(client)
    intent = await client.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 6_000})
    assert (intent.amount, intent.amount_received, intent.amount_capturable) == (10_000, 6_000, 0)
    charge = await client.v1.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (10_000, 6_000, 0)
    assert (await client.v1.refunds.list_async({"payment_intent": intent.id})).data == []


@pytest.mark.parametrize(("amount", "code"), [(10_001, "amount_too_large"), (0, "parameter_invalid_integer")])
async def test_no_more_than_is_held_can_be_captured(client: Client, amount: int, code: str) -> None:
    intent = await held(client)
    error = await refused(client.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": amount}))
    assert (error.http_status, error.code, getattr(error, "param", "")) == (400, code, "amount_to_capture")
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).amount_capturable == 10_000


async def test_captured_money_is_captured_once(client: Client) -> None:
    intent = await paid(client)
    error = await refused(client.v1.payment_intents.capture_async(intent.id))
    assert error.code == "payment_intent_unexpected_state"
    assert error.error is not None
    assert error.error.payment_intent is not None
    assert error.error.payment_intent.id == intent.id
    assert "already been captured" in str(error)


async def test_what_is_held_goes_back_when_the_intent_is_canceled(client: Client) -> None:
    intent = await held(client)
    intent = await client.v1.payment_intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})
    assert (intent.status, intent.amount_capturable, intent.cancellation_reason) == ("canceled", 0, "abandoned")
    charge = await client.v1.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, False, 0)
    assert (await event_types(client))[-1] == "payment_intent.canceled"
    assert (await refused(client.v1.payment_intents.cancel_async(intent.id))).code == "payment_intent_unexpected_state"
    assert (await refused(client.v1.payment_intents.capture_async(intent.id))).code == "payment_intent_unexpected_state"
    assert (await refused(client.v1.payment_intents.confirm_async(intent.id))).code == "payment_intent_unexpected_state"


async def test_a_paid_intent_is_not_canceled(client: Client) -> None:
    intent = await paid(client)
    error = await refused(client.v1.payment_intents.cancel_async(intent.id))
    assert error.code == "payment_intent_unexpected_state"
    assert "status of succeeded" in str(error)


async def test_an_intent_is_made_then_given_a_method_then_confirmed(client: Client) -> None:
    params: Any = {"amount": 2_000, "currency": "eur", "automatic_payment_methods": CARDS_ONLY}
    intent = await client.v1.payment_intents.create_async(params)
    assert (intent.status, intent.payment_method_types) == ("requires_payment_method", ["card"])
    assert intent.capture_method == "automatic_async"
    error = await refused(client.v1.payment_intents.confirm_async(intent.id))
    assert error.code == "payment_intent_unexpected_state"
    intent = await client.v1.payment_intents.update_async(
        intent.id, {"payment_method": "pm_card_visa", "amount": 2_500}
    )
    assert (intent.status, intent.amount) == ("requires_confirmation", 2_500)
    intent = await client.v1.payment_intents.confirm_async(intent.id)
    assert (intent.status, intent.amount_received) == ("succeeded", 2_500)


async def test_the_amount_of_held_money_does_not_change_but_its_metadata_may(client: Client) -> None:
    intent = await held(client, metadata={"booking": "b1", "gone": "x"})
    error = await refused(client.v1.payment_intents.update_async(intent.id, {"amount": 1}))
    assert (error.code, getattr(error, "param", "")) == ("payment_intent_unexpected_state", "amount")
    changed = await client.v1.payment_intents.update_async(intent.id, {"metadata": {"gone": "", "new": "y"}})
    assert changed.metadata.to_dict() == {"booking": "b1", "new": "y"}
    cleared = await client.v1.payment_intents.update_async(intent.id, {"metadata": ""})
    assert cleared.metadata.to_dict() == {}


async def test_what_is_refused_changes_nothing(client: Client) -> None:
    intent = await client.v1.payment_intents.create_async({"amount": 2_000, "currency": "eur"})
    await refused(client.v1.payment_intents.update_async(intent.id, {"amount": 3_000, "payment_method": "pm_no_such"}))
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).amount == 2_000


async def test_a_declined_card_leaves_the_intent_open_for_another(client: Client) -> None:
    error = await refused(held(client, "pm_card_chargeDeclinedInsufficientFunds"), stripe.CardError)
    assert (error.http_status, error.code) == (402, "card_declined")
    details = error.error
    assert details is not None
    assert (details.type, details.decline_code) == ("card_error", "insufficient_funds")
    assert details.payment_intent is not None
    intent = await client.v1.payment_intents.retrieve_async(details.payment_intent.id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert (intent.last_payment_error.decline_code, intent.last_payment_error.charge) == (
        "insufficient_funds",
        intent.latest_charge,
    )
    failed = await client.v1.charges.retrieve_async(str(details.charge))
    assert (failed.status, failed.paid, failed.failure_code) == ("failed", False, "card_declined")
    intent = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert (intent.status, intent.last_payment_error) == ("requires_capture", None)
    assert "payment_intent.payment_failed" in await event_types(client)


async def test_types_follow_from_what_the_intent_asks(client: Client) -> None:
    async def types(**params: Any) -> list[str]:
        whole: Any = {"amount": 2_000, "currency": "eur", **params}
        return (await client.v1.payment_intents.create_async(whole)).payment_method_types

    assert await types() == ["card", "ideal"]
    assert await types(capture_method="manual") == ["card"]
    assert await types(currency="usd") == ["card"]
    assert await types(automatic_payment_methods=CARDS_ONLY) == ["card"]
    assert await types(allowed_payment_method_types=["ideal", "sofort"]) == ["ideal"]
    assert await types(excluded_payment_method_types=["card"]) == ["ideal"]
    nothing: Any = {"amount": 2_000, "currency": "usd", "allowed_payment_method_types": ["ideal"]}
    assert "No valid payment method types" in str(await refused(client.v1.payment_intents.create_async(nothing)))


async def test_types_are_not_set_any_more(client: Client) -> None:
    params: Any = {"amount": 2_000, "currency": "eur", "payment_method_types": ["card"]}
    error = await refused(client.v1.payment_intents.create_async(params))
    assert error.code == "payment_method_types_no_longer_supported"


async def test_a_bank_s_page_needs_somewhere_to_come_back_to(client: Client) -> None:
    params: Any = {"amount": 2_000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    error = await refused(client.v1.payment_intents.create_async(params))
    assert getattr(error, "param", "") == "return_url"
    params["return_url"] = "https://shop.example/back"
    intent = await client.v1.payment_intents.create_async(params)
    assert intent.status == "succeeded"


async def test_ideal_is_paid_at_the_bank_and_at_once(simulator: Simulator, client: Client) -> None:
    params: Any = {
        "amount": 2_000,
        "currency": "eur",
        "payment_method_data": {"type": "ideal"},
        "payment_method_options": {"card": {"capture_method": "manual"}},
        "confirm": True,
        "return_url": "https://shop.example/back",
    }
    intent = await client.v1.payment_intents.create_async(params)
    assert intent.status == "requires_action"
    await simulator.authenticate(intent)
    intent = await client.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    charge: Any = intent.latest_charge
    assert (intent.status, charge.payment_method_details.type, charge.captured) == ("succeeded", "ideal", True)


async def test_only_cards_are_held_where_that_is_asked_of_cards(client: Client) -> None:
    params: Any = {
        "amount": 2_000,
        "currency": "eur",
        "payment_method": "pm_card_visa",
        "payment_method_options": {"card": {"capture_method": "manual"}},
        "confirm": True,
        "return_url": "https://shop.example/back",
    }
    intent = await client.v1.payment_intents.create_async(params)
    assert (intent.status, intent.payment_method_types) == ("requires_capture", ["card", "ideal"])


@pytest.mark.parametrize(
    ("changed", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "parameter_invalid_integer", "amount"),
        ({"amount": -1}, "parameter_invalid_integer", "amount"),
        ({"amount": "ten"}, "parameter_invalid_integer", "amount"),
        ({"amount": None}, "parameter_missing", "amount"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({"currency": "euro"}, None, "currency"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"capture_method": "later"}, None, "capture_method"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, None, "metadata"),
        ({"statement_descriptor_suffix": "x" * 23}, None, "statement_descriptor_suffix"),
        ({"off_session": True}, None, "off_session"),
        ({"allowed_payment_method_types": ["card"]}, None, "allowed_payment_method_types"),
        ({"no_such": 1}, "parameter_unknown", "no_such"),
        ({"shipping": {"address": {}, "name": "A", "no_such": 1}}, "parameter_unknown", "shipping[no_such]"),
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(
    client: Client, changed: dict[str, Any], code: str | None, param: str
) -> None:
    params: Any = {**HELD, **changed}
    error = await refused(client.v1.payment_intents.create_async(params))
    assert (error.http_status, error.code, getattr(error, "param", "")) == (400, code, param)
    assert (await client.v1.payment_intents.list_async()).data == []


async def test_an_unknown_intent_is_not_found(client: Client) -> None:
    for call in (
        client.v1.payment_intents.retrieve_async("pi_none"),
        client.v1.payment_intents.update_async("pi_none", {"amount": 100}),
        client.v1.payment_intents.confirm_async("pi_none"),
        client.v1.payment_intents.capture_async("pi_none"),
        client.v1.payment_intents.cancel_async("pi_none"),
    ):
        error = await refused(call)
        assert (error.http_status, error.code) == (404, "resource_missing")
        assert "No such payment_intent: 'pi_none'" in str(error)
