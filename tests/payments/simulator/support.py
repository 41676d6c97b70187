"""Payments as these tests make them."""

from typing import Any

import pytest
import stripe

CARDS_ONLY: dict[str, Any] = {"enabled": True, "allow_redirects": "never"}
HELD: dict[str, Any] = {
    "amount": 10_000,
    "currency": "eur",
    "capture_method": "manual",
    "automatic_payment_methods": CARDS_ONLY,
}


async def held(client: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    """An intent whose money the bank holds."""
    params: Any = {**HELD, "payment_method": method, "confirm": True, **more}
    return await client.v1.payment_intents.create_async(params)


async def paid(client: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    """An intent that is paid."""
    return await held(client, method, capture_method="automatic", **more)


async def refused(call: Any, error: type[stripe.StripeError] = stripe.InvalidRequestError) -> stripe.StripeError:
    """The error that awaiting `call` raises: of the type that stripe-python makes of the answer."""
    with pytest.raises(error) as caught:
        await call
    assert type(caught.value) is error
    assert caught.value.request_id is not None
    return caught.value


async def event_types(client: stripe.StripeClient) -> list[str]:
    """What has happened, in order."""
    events = await client.v1.events.list_async({"limit": 100})
    return [event.type for event in reversed(events.data)]
