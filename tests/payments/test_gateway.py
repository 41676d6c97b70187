import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from engine.payment import Payment, PaymentKey, PaymentOrder, PaymentRefused, PaymentState, PaymentUnavailable, Refund
from engine.ports import PaymentGateway
from models.keys import BookingKey
from payments import gateway as gateway_module
from payments.breaker import Breaker
from payments.calls import Calls
from payments.gateway import StripeGateway
from payments.settings import StripeSettings
from tests.support.payments import SECRET_KEY, Simulator

AMOUNT = 12_345
FAULTS = ["lost_before", "lost_after", "error_before", "error_after", "rate_limited", "hang_before", "hang_after"]


def payment_key(number: int = 1) -> PaymentKey:
    return PaymentKey(BookingKey(uuid.uuid4(), uuid.uuid4()), number)


@pytest.fixture
async def calls(simulator: Simulator) -> AsyncIterator[Calls]:
    """Without repetitions, so that each fault is seen; and soon tired of waiting."""
    settings = StripeSettings(secret_key=SECRET_KEY, url=simulator.url)
    made = Calls(settings, retries_max=0, breaker=Breaker(failures_max=1_000))
    yield made
    await made.close()


@pytest.fixture
def gateway(calls: Calls) -> PaymentGateway:
    return StripeGateway(calls)


async def pay(client: stripe.StripeClient, payment: Payment, method: str = "pm_card_visa") -> None:
    """Be the buyer."""
    await client.v1.payment_intents.confirm_async(
        payment.reference, {"payment_method": method, "return_url": "https://shop.example/back"}
    )


async def held(gateway: PaymentGateway, client: stripe.StripeClient, key: PaymentKey) -> Payment:
    payment = await gateway.open(PaymentOrder(key, AMOUNT, "EUR"))
    await pay(client, payment)
    return await gateway.look(payment.reference)


async def captured(gateway: PaymentGateway, client: stripe.StripeClient, key: PaymentKey) -> Payment:
    payment = await held(gateway, client, key)
    return await gateway.capture(payment.reference, key, AMOUNT)


async def kept_card(client: stripe.StripeClient, name: str) -> tuple[str, str]:
    customer = await client.v1.customers.create_async()
    method = await client.v1.payment_methods.attach_async(name, {"customer": customer.id})
    return customer.id, method.id


async def test_money_is_held_taken_and_given_back(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    key = payment_key()
    payment = await gateway.open(PaymentOrder(key, AMOUNT, "EUR"))
    assert (payment.state, payment.key, payment.amount, payment.currency) == (PaymentState.OPEN, key, AMOUNT, "EUR")
    assert payment.client_secret is not None
    assert payment.client_secret not in repr(payment)
    await pay(client, payment)
    payment = await gateway.look(payment.reference)
    assert (payment.state, payment.held, payment.captured) == (PaymentState.HELD, AMOUNT, 0)
    assert payment.held_until is not None
    payment = await gateway.capture(payment.reference, key, 12_000)
    assert (payment.state, payment.held, payment.captured) == (PaymentState.CAPTURED, 0, 12_000)
    refund = await gateway.refund(payment.reference, key, 5_000)
    assert (refund.amount, refund.currency, refund.is_final, refund.failed) == (5_000, "EUR", True, False)
    assert (await gateway.look(payment.reference)).refunded == 5_000


async def test_what_is_held_is_let_go(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    key = payment_key()
    payment = await held(gateway, client, key)
    voided = await gateway.void(payment.reference, key)
    assert (voided.state, voided.held) == (PaymentState.VOID, 0)
    assert (await gateway.void(payment.reference, key)).state is PaymentState.VOID
    assert (await gateway.capture(payment.reference, key, AMOUNT)).state is PaymentState.VOID


async def test_what_was_taken_is_not_let_go_but_told(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    key = payment_key()
    payment = await captured(gateway, client, key)
    assert (await gateway.void(payment.reference, key)).state is PaymentState.CAPTURED
    other_key = payment_key()
    assert (await gateway.capture(payment.reference, other_key, AMOUNT)).captured == AMOUNT


async def test_opening_twice_opens_once_and_tells_how_it_is_now(
    gateway: PaymentGateway, client: stripe.StripeClient
) -> None:
    key = payment_key()
    first = await gateway.open(PaymentOrder(key, AMOUNT, "EUR"))
    await pay(client, first)
    again = await gateway.open(PaymentOrder(key, AMOUNT, "EUR"))
    assert (again.reference, again.state) == (first.reference, PaymentState.HELD)
    with pytest.raises(PaymentRefused) as refused:
        await gateway.open(PaymentOrder(key, AMOUNT + 1, "EUR"))
    assert refused.value.code == "idempotency_error"
    other = await gateway.open(PaymentOrder(key._replace(number=2), AMOUNT + 1, "EUR"))
    assert other.reference != first.reference


async def test_a_declined_card_is_told_by_its_codes(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    payment = await gateway.open(PaymentOrder(payment_key(), AMOUNT, "EUR"))
    with pytest.raises(stripe.CardError):
        await pay(client, payment, "pm_card_chargeDeclinedInsufficientFunds")
    payment = await gateway.look(payment.reference)
    assert payment.state is PaymentState.OPEN
    assert payment.failure is not None
    assert payment.failure[:2] == ("card_declined", "insufficient_funds")
    assert str(payment.failure.attempt).startswith("ch_")


async def test_a_kept_card_is_charged_without_its_owner(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    customer, method = await kept_card(client, "pm_card_visa")
    key = payment_key()
    payment = await gateway.open(PaymentOrder(key, AMOUNT, "EUR", customer=customer, buyer_is_there=False))
    for _ in range(2):
        charged = await gateway.charge(payment.reference, key, method)
        assert (charged.state, charged.held) == (PaymentState.HELD, AMOUNT)
    assert len((await client.v1.charges.list_async()).data) == 1


@pytest.mark.parametrize(
    ("card", "code"),
    [("pm_card_authenticationRequired", "authentication_required"), ("pm_card_chargeCustomerFail", "card_declined")],
)
async def test_a_bank_that_declines_is_no_error(
    gateway: PaymentGateway, client: stripe.StripeClient, card: str, code: str
) -> None:
    customer, method = await kept_card(client, card)
    key = payment_key()
    payment = await gateway.open(PaymentOrder(key, AMOUNT, "EUR", customer=customer, buyer_is_there=False))
    charged = await gateway.charge(payment.reference, key, method)
    assert charged.state is PaymentState.OPEN
    assert charged.failure is not None
    assert charged.failure.code == code


async def test_a_card_is_kept_where_that_is_ordered(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async()
    payment = await gateway.open(PaymentOrder(payment_key(), AMOUNT, "EUR", keeps_card=True, customer=customer.id))
    await pay(client, payment)
    kept = await client.v1.customers.payment_methods.list_async(customer.id)
    assert [method.id for method in kept.data] == [(await gateway.look(payment.reference)).method]


async def test_more_than_was_taken_is_not_given_back(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    key = payment_key()
    payment = await captured(gateway, client, key)
    with pytest.raises(PaymentRefused):
        await gateway.refund(payment.reference, key, AMOUNT + 1)
    with pytest.raises(PaymentRefused) as unknown:
        await gateway.look("pi_none")
    assert unknown.value.code == "resource_missing"


async def test_a_refund_is_made_once_even_when_its_key_is_forgotten(
    simulator: Simulator, gateway: PaymentGateway, client: stripe.StripeClient
) -> None:
    key = payment_key()
    payment = await captured(gateway, client, key)
    first = await gateway.refund(payment.reference, key, 1_000)
    await simulator.tell("/clock", seconds=3 * 86_400)
    assert await gateway.refund(payment.reference, key, 1_000) == first
    with pytest.raises(PaymentRefused):
        await gateway.refund(payment.reference, key, 2_000)
    second = await gateway.refund(payment.reference, key._replace(number=2), 1_000)
    assert second.reference != first.reference
    assert (await gateway.look(payment.reference)).refunded == 2_000


async def until_told(call: Callable[[], Awaitable[Payment | Refund]]) -> Payment | Refund:
    """Ask again until there is an answer, as a worker does; three times at most."""
    for _ in range(3):
        try:
            return await call()
        except PaymentUnavailable:
            continue
    raise AssertionError("there was no answer")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", ["open", "capture", "void", "charge", "refund"])
async def test_whatever_goes_wrong_asking_again_has_one_effect(
    simulator: Simulator, gateway: PaymentGateway, client: stripe.StripeClient, step: str, fault: str
) -> None:
    key = payment_key()
    order = PaymentOrder(key, AMOUNT, "EUR")
    call: Callable[[], Awaitable[Payment | Refund]]
    match step:
        case "open":
            pattern, call = "POST /v1/payment_intents", lambda: gateway.open(order)
        case "capture":
            payment = await held(gateway, client, key)
            pattern, call = "POST */capture", lambda: gateway.capture(payment.reference, key, AMOUNT)
        case "void":
            payment = await held(gateway, client, key)
            pattern, call = "POST */cancel", lambda: gateway.void(payment.reference, key)
        case "charge":
            customer, method = await kept_card(client, "pm_card_visa")
            payment = await gateway.open(order._replace(customer=customer, buyer_is_there=False))
            pattern, call = "POST */confirm", lambda: gateway.charge(payment.reference, key, method)
        case _:
            payment = await captured(gateway, client, key)
            pattern, call = "POST /v1/refunds", lambda: gateway.refund(payment.reference, key, 1_000)
    await simulator.fault(fault, pattern, seconds=0.05)
    answer = await until_told(call)
    assert (await simulator.ask("/faults"))[0]["met"] == 1
    money = (await simulator.ask())["money"]["eur"]
    expected = {
        "open": {"authorized": 0, "captured": 0, "refunded": 0},
        "capture": {"authorized": 0, "captured": AMOUNT, "refunded": 0},
        "void": {"authorized": 0, "captured": 0, "refunded": 0},
        "charge": {"authorized": AMOUNT, "captured": 0, "refunded": 0},
        "refund": {"authorized": 0, "captured": AMOUNT, "refunded": 1_000},
    }
    assert money == expected[step]
    if isinstance(answer, Refund):
        assert len((await client.v1.refunds.list_async()).data) == 1
    else:
        assert answer == await gateway.look(answer.reference)


async def test_control_with_keys_that_do_not_follow_from_the_booking_a_lost_answer_refunds_twice(
    simulator: Simulator, gateway: PaymentGateway, client: stripe.StripeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "_named", lambda what, key: str(uuid.uuid4()))
    monkeypatch.setattr(gateway_module, "metadata_of", lambda key: {"other": str(uuid.uuid4())})
    key = payment_key()
    payment = await captured(gateway, client, key)
    await simulator.fault("lost_after", "POST /v1/refunds")
    await until_told(lambda: gateway.refund(payment.reference, key, 1_000))
    assert (await simulator.ask())["money"]["eur"]["refunded"] == 2_000


async def test_repetitions_are_bounded_and_have_the_same_key(simulator: Simulator) -> None:
    calls = Calls(StripeSettings(secret_key=SECRET_KEY, url=simulator.url))
    try:
        await simulator.fault("lost_before", "GET *", count=10)
        with pytest.raises(PaymentUnavailable):
            await StripeGateway(calls).look("pi_any")
        assert (await simulator.ask("/faults"))[0]["met"] == 3
        await simulator.raw("DELETE", "/simulator/faults")
        await simulator.fault("lost_after", "POST /v1/payment_intents", count=2)
        payment = await StripeGateway(calls).open(PaymentOrder(payment_key(), AMOUNT, "EUR"))
        assert payment.state is PaymentState.OPEN
        assert (await simulator.ask())["objects"]["payment_intent"] == 1
    finally:
        await calls.close()


async def test_who_does_not_answer_is_left_alone_for_a_while(simulator: Simulator) -> None:
    breaker = Breaker(failures_max=3, pause_seconds=3_600)
    calls = Calls(StripeSettings(secret_key=SECRET_KEY, url=simulator.url), breaker=breaker, retries_max=0)
    gateway = StripeGateway(calls)
    try:
        await simulator.fault("error_before", count=3)
        for _ in range(3):
            with pytest.raises(PaymentUnavailable):
                await gateway.look("pi_any")
        asked = len(await simulator.ask("/requests"))
        with pytest.raises(PaymentUnavailable, match="left alone"):
            await gateway.look("pi_any")
        assert len(await simulator.ask("/requests")) == asked
    finally:
        await calls.close()


async def test_refusals_do_not_open_the_breaker(simulator: Simulator) -> None:
    breaker = Breaker(failures_max=1, pause_seconds=3_600)
    calls = Calls(StripeSettings(secret_key=SECRET_KEY, url=simulator.url), breaker=breaker, retries_max=0)
    try:
        for _ in range(3):
            with pytest.raises(PaymentRefused):
                await StripeGateway(calls).look("pi_none")
        assert not breaker.is_open
    finally:
        await calls.close()


async def test_a_key_that_is_not_accepted_is_told(simulator: Simulator) -> None:
    calls = Calls(StripeSettings(secret_key="sk_test_%", url=simulator.url))
    try:
        with pytest.raises(PaymentRefused) as refused:
            await StripeGateway(calls).look("pi_any")
        assert refused.value.code == "unauthorized"
    finally:
        await calls.close()


async def test_a_payment_of_somebody_else_s_has_no_key(gateway: PaymentGateway, client: stripe.StripeClient) -> None:
    for metadata in ({}, {"organization": "x", "booking": "y", "number": "1"}):
        foreign = await client.v1.payment_intents.create_async(
            {"amount": 1_000, "currency": "eur", "metadata": metadata}
        )
        assert (await gateway.look(foreign.id)).key is None


async def test_disputes_are_listed_page_by_page_the_latest_first(
    gateway: PaymentGateway, client: stripe.StripeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = []
    for _ in range(3):
        payment = await gateway.open(PaymentOrder(payment_key(), AMOUNT, "EUR"))
        await pay(client, payment, "pm_card_createDispute")
        paid.append(await gateway.capture(payment.reference, payment_key(), AMOUNT))
    began = datetime.now(UTC) - timedelta(minutes=1)
    monkeypatch.setattr(gateway_module, "DISPUTES_PER_PAGE", 2)
    found = await gateway.disputes_since(began)
    assert [(each.payment, each.amount) for each in found] == [(each.reference, AMOUNT) for each in reversed(paid)]
    assert await gateway.disputes(paid[0].reference) == found[2:]
    assert await gateway.disputes_since(datetime.now(UTC) + timedelta(minutes=1)) == []
    monkeypatch.setattr(gateway_module, "DISPUTE_PAGES_MAX", 1)
    assert await gateway.disputes_since(began) == found[:2]
