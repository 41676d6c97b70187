from typing import Any

import pytest
import stripe

from tests.payments.simulator.support import event_types, held, refused
from tests.support.payments import Simulator

Client = stripe.StripeClient
DAY = 86_400


async def test_what_is_not_captured_in_seven_days_is_let_go(simulator: Simulator, client: Client) -> None:
    intent = await held(client)
    await simulator.tell("/clock", seconds=7 * DAY - 900)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"
    state = await simulator.tell("/clock", seconds=900)
    assert state["money"]["eur"]["authorized"] == 0
    expired = await client.v1.payment_intents.retrieve_async(intent.id)
    assert (expired.status, expired.cancellation_reason, expired.amount_capturable) == ("canceled", "expired", 0)
    assert expired.canceled_at == pytest.approx(state["now"], abs=900)
    error = await refused(client.v1.payment_intents.capture_async(intent.id))
    assert error.code == "payment_intent_unexpected_state"
    assert (await event_types(client))[-2:] == ["charge.expired", "payment_intent.canceled"]
    assert (await client.v1.refunds.list_async()).data == []


async def test_captured_money_does_not_expire(simulator: Simulator, client: Client) -> None:
    captured, canceled = await held(client), await held(client)
    await client.v1.payment_intents.capture_async(captured.id)
    await client.v1.payment_intents.cancel_async(canceled.id)
    await simulator.tell("/clock", seconds=30 * DAY)
    assert (await client.v1.payment_intents.retrieve_async(captured.id)).status == "succeeded"
    assert (await client.v1.payment_intents.retrieve_async(canceled.id)).cancellation_reason is None
    assert "charge.expired" not in await event_types(client)


async def test_without_its_owner_a_visa_card_is_held_for_less(simulator: Simulator, client: Client) -> None:
    customer = await client.v1.customers.create_async()
    method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    intent = await held(client, method.id, customer=customer.id, off_session=True)
    await simulator.tell("/clock", seconds=5 * DAY)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).cancellation_reason == "expired"


@pytest.mark.parametrize(
    "given", [{"seconds": -1}, {"seconds": 10**12}, {"seconds": "1"}, {"seconds": True}, {}], ids=str
)
async def test_the_clock_goes_forward_and_not_forever(simulator: Simulator, given: dict[str, Any]) -> None:
    assert (await simulator.raw("POST", "/simulator/clock", json=given)).status_code == 400
    assert (await simulator.ask())["ahead_seconds"] == 0
