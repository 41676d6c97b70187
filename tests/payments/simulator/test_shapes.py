import json
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import pytest
import stripe
import stripe.params
import stripe.params.tax
from stripe.params import tax as tax_params

from payments.simulator.endpoints import OPERATIONS
from tests.payments.simulator.shapes import NAMES, complaints
from tests.payments.simulator.support import held, paid, refused
from tests.support.payments import Simulator

LINES: Any = [
    {"amount": 10_000, "reference": "night"},
    {"amount": 1_230, "reference": "b", "tax_behavior": "inclusive"},
]

# Which typed dictionary of stripe-python says what an operation may be given.
PARAMS: dict[str, Any] = {
    "POST /v1/payment_intents": stripe.params.PaymentIntentCreateParams,
    "GET /v1/payment_intents": stripe.params.PaymentIntentListParams,
    "GET /v1/payment_intents/{id}": stripe.params.PaymentIntentRetrieveParams,
    "POST /v1/payment_intents/{id}": stripe.params.PaymentIntentUpdateParams,
    "POST /v1/payment_intents/{id}/confirm": stripe.params.PaymentIntentConfirmParams,
    "POST /v1/payment_intents/{id}/capture": stripe.params.PaymentIntentCaptureParams,
    "POST /v1/payment_intents/{id}/cancel": stripe.params.PaymentIntentCancelParams,
    "POST /v1/refunds": stripe.params.RefundCreateParams,
    "GET /v1/refunds": stripe.params.RefundListParams,
    "POST /v1/refunds/{id}": stripe.params.RefundUpdateParams,
    "GET /v1/charges": stripe.params.ChargeListParams,
    "GET /v1/disputes": stripe.params.DisputeListParams,
    "POST /v1/disputes/{id}": stripe.params.DisputeUpdateParams,
    "POST /v1/customers": stripe.params.CustomerCreateParams,
    "GET /v1/customers": stripe.params.CustomerListParams,
    "POST /v1/customers/{id}": stripe.params.CustomerUpdateParams,
    "GET /v1/customers/{id}/payment_methods": stripe.params.CustomerPaymentMethodListParams,
    "POST /v1/payment_methods": stripe.params.PaymentMethodCreateParams,
    "GET /v1/payment_methods": stripe.params.PaymentMethodListParams,
    "POST /v1/payment_methods/{id}": stripe.params.PaymentMethodUpdateParams,
    "POST /v1/payment_methods/{id}/attach": stripe.params.PaymentMethodAttachParams,
    "POST /v1/tax/calculations": tax_params.CalculationCreateParams,
    "GET /v1/tax/calculations/{id}/line_items": tax_params.CalculationLineItemListParams,
    "POST /v1/tax/transactions/create_from_calculation": tax_params.TransactionCreateFromCalculationParams,
    "POST /v1/tax/transactions/create_reversal": tax_params.TransactionCreateReversalParams,
    "GET /v1/tax/transactions/{id}/line_items": tax_params.TransactionLineItemListParams,
    "GET /v1/events": stripe.params.EventListParams,
    "POST /v1/webhook_endpoints": stripe.params.WebhookEndpointCreateParams,
    "GET /v1/webhook_endpoints": stripe.params.WebhookEndpointListParams,
    "POST /v1/webhook_endpoints/{id}": stripe.params.WebhookEndpointUpdateParams,
}
# What Stripe.js sends, and a parameter that is known in order to be refused with its own code.
BESIDES = {"client_secret", "payment_method_types"}


async def intent_that_waits(client: stripe.StripeClient) -> stripe.StripeObject:
    return await held(client, "pm_card_authenticationRequired", return_url="https://shop.example/back")


async def declined_intent(client: stripe.StripeClient) -> stripe.StripeObject:
    error = await refused(held(client, "pm_card_chargeDeclined"), stripe.CardError)
    assert error.error is not None
    assert error.error.payment_intent is not None
    return await client.v1.payment_intents.retrieve_async(error.error.payment_intent.id)


async def expanded_intent(client: stripe.StripeClient) -> stripe.StripeObject:
    customer = await client.v1.customers.create_async({"email": "ana@example.com"})
    return await paid(
        client,
        customer=customer.id,
        setup_future_usage="off_session",
        expand=["latest_charge", "customer", "payment_method"],
        metadata={"booking": "b1"},
    )


async def charge(client: stripe.StripeClient) -> stripe.StripeObject:
    intent = await paid(client)
    await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 100})
    return await client.v1.charges.retrieve_async(str(intent.latest_charge), {"expand": ["refunds", "payment_intent"]})


async def refund(client: stripe.StripeClient) -> stripe.StripeObject:
    intent = await paid(client)
    return await client.v1.refunds.create_async({"payment_intent": intent.id, "reason": "requested_by_customer"})


async def dispute(client: stripe.StripeClient) -> stripe.StripeObject:
    await paid(client, "pm_card_createDispute")
    return (await client.v1.disputes.list_async()).data[0]


async def ideal(client: stripe.StripeClient) -> stripe.StripeObject:
    return await client.v1.payment_methods.create_async({"type": "ideal"})


async def calculation(client: stripe.StripeClient) -> stripe.StripeObject:
    return await client.v1.tax.calculations.create_async(
        {
            "currency": "eur",
            "line_items": LINES,
            "customer_details": {"address": {"country": "PT"}, "address_source": "billing"},
            "expand": ["line_items"],
        }
    )


async def transaction(client: stripe.StripeClient) -> stripe.StripeObject:
    calculated: Any = await calculation(client)
    return await client.v1.tax.transactions.create_from_calculation_async(
        {"calculation": calculated.id, "reference": "booking-1", "expand": ["line_items"]}
    )


async def reversal(client: stripe.StripeClient) -> stripe.StripeObject:
    recorded: Any = await transaction(client)
    return await client.v1.tax.transactions.create_reversal_async(
        {"mode": "full", "original_transaction": recorded.id, "reference": "booking-1-back", "expand": ["line_items"]}
    )


async def event(client: stripe.StripeClient) -> stripe.StripeObject:
    await paid(client)
    return (await client.v1.events.list_async({"limit": 1})).data[0]


async def endpoint(client: stripe.StripeClient) -> stripe.StripeObject:
    return await client.v1.webhook_endpoints.create_async(
        {"url": "http://127.0.0.1:9/hook", "enabled_events": ["charge.refunded"]}
    )


@pytest.mark.parametrize(
    "make",
    [
        intent_that_waits,
        declined_intent,
        expanded_intent,
        held,
        charge,
        refund,
        dispute,
        ideal,
        calculation,
        transaction,
        reversal,
        event,
        endpoint,
    ],
)
async def test_what_is_answered_has_the_shape_that_stripe_python_declares(
    client: stripe.StripeClient, make: Callable[[stripe.StripeClient], Awaitable[stripe.StripeObject]]
) -> None:
    made = await make(client)
    assert complaints(json.loads(str(made)), type(made)) == []


async def test_the_comparison_of_shapes_finds_what_is_wrong(client: stripe.StripeClient) -> None:
    wrong = json.loads(str(await paid(client)))
    del wrong["amount_received"]
    wrong |= {"status": "done", "amount": "10000", "currency": None, "total": 1}
    assert sorted(line.partition(":")[0] for line in complaints(wrong, stripe.PaymentIntent)) == [
        ".amount",
        ".amount_received",
        ".currency",
        ".status",
        ".total",
    ]


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.name in PARAMS], ids=lambda each: each.name)
def test_every_parameter_is_one_of_stripe_s(operation: Any) -> None:
    assert set(operation.parameters) - set(PARAMS[operation.name].__annotations__) <= BESIDES


def test_every_operation_with_parameters_of_its_own_is_compared() -> None:
    others = {each.name for each in OPERATIONS if set(each.parameters) - {"expand"}} - set(PARAMS)
    assert others == set()


async def test_every_event_has_a_type_that_stripe_has(simulator: Simulator, client: stripe.StripeClient) -> None:
    await paid(client, "pm_card_createDispute")
    await paid(client, "pm_card_refundFail")
    await client.v1.payment_intents.cancel_async((await held(client)).id)
    types = {event.type async for event in (await client.v1.events.list_async()).auto_paging_iter()}
    assert len(types) > 5
    known = set(get_type_hints(stripe.Event, localns=NAMES)["type"].__args__)
    assert types <= known
