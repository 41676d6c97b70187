import base64
from typing import Any

import httpx
import pytest
import stripe

from payments.simulator.cards import CARDS
from tests.payments.simulator.support import HELD, held, paid, refused
from tests.support.payments import SECRET_KEY, Simulator

Client = stripe.StripeClient
BEARER = {"Authorization": f"Bearer {SECRET_KEY}"}
FORM = {**BEARER, "Content-Type": "application/x-www-form-urlencoded"}


def error_of(response: httpx.Response) -> Any:
    assert response.headers["request-id"].startswith("req_")
    return response.json()["error"]


@pytest.mark.parametrize("key", ["sk_live_abcdefgh12345678", "rk_live_abcdefgh12345678", "sk_test", "nonsense", "ключ"])
async def test_only_test_keys_open_it(simulator: Simulator, key: str) -> None:
    if not key.isascii():
        answer = await simulator.raw("GET", "/v1/payment_intents", headers={"Authorization": f"Bearer {key}".encode()})
        assert answer.status_code == 401
        return
    error = await refused(simulator.client(key).v1.payment_intents.list_async(), stripe.AuthenticationError)
    assert error.http_status == 401
    assert "Invalid API Key provided" in str(error)
    assert key not in str(error) or len(key) < 16
    assert ("test keys only" in str(error)) is ("_live_" in key)


async def test_no_key_is_no_entry_and_basic_authentication_is_one(simulator: Simulator) -> None:
    assert (await simulator.raw("GET", "/v1/charges")).status_code == 401
    basic = base64.b64encode(f"{SECRET_KEY}:".encode()).decode()
    assert (await simulator.raw("GET", "/v1/charges", headers={"Authorization": f"Basic {basic}"})).status_code == 200
    assert (await simulator.raw("GET", "/v1/charges", headers={"Authorization": "Basic %"})).status_code == 401
    in_form = await simulator.raw("POST", "/v1/customers", data={"key": SECRET_KEY})
    assert "does not belong" in error_of(in_form)["message"]


async def test_the_publishable_key_opens_little(simulator: Simulator) -> None:
    browser = simulator.client("pk_test_simulated")
    for call in (
        browser.v1.refunds.list_async(),
        browser.v1.payment_intents.create_async({"amount": 100, "currency": "eur"}),
    ):
        error = await refused(call, stripe.AuthenticationError)
        assert error.error is not None
        assert error.error.code == "secret_key_required"


async def test_errors_have_the_shape_of_stripe_s(simulator: Simulator) -> None:
    answer = await simulator.raw(
        "POST", "/v1/payment_intents", headers=FORM, content="amount=1000&currency=eur&no=1&such=2"
    )
    assert answer.status_code == 400
    assert error_of(answer) == {
        "type": "invalid_request_error",
        "code": "parameter_unknown",
        "doc_url": "https://docs.stripe.com/error-codes/parameter-unknown",
        "message": "Received unknown parameters: no, such",
        "param": "no",
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("DELETE", "/v1/payment_intents"), ("PUT", "/v1/payment_intents/pi_1"), ("GET", "/")],
)
async def test_what_is_not_there_is_told_in_the_same_shape(simulator: Simulator, method: str, path: str) -> None:
    answer = await simulator.raw(method, path, headers=BEARER)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"Unrecognized request URL ({method}: {path})."


@pytest.mark.parametrize(
    "body",
    [
        b"amount=1000&currency=eur&metadata=x&metadata[a]=1",
        b"amount[x]=1000&currency=eur",
        b"amount=1000&currency=eur&metadata[a",
        b"amount=1000&currency=eur&metadata" + b"[a]" * 20 + b"=1",
        b"&".join(b"metadata[k%d]=v" % number for number in range(1_100)),
        b"amount=1000&currency=eur&description=%FF",
        b"\xff\xfe",
        b"amount=1000&currency=eur&description=" + b"x" * 1_100_000,
        b"[]=1",
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_a_form_that_cannot_be_read_is_refused(simulator: Simulator, client: Client, body: bytes) -> None:
    answer = await simulator.raw("POST", "/v1/payment_intents", headers=FORM, content=body)
    assert answer.status_code == 400
    assert error_of(answer)["type"] == "invalid_request_error"
    assert (await client.v1.payment_intents.list_async()).data == []


async def test_lists_are_read_with_indexes_and_without(simulator: Simulator) -> None:
    for body in ("expand[0]=customer&expand[1]=latest_charge", "expand[]=customer&expand[]=latest_charge"):
        content = f"amount=1000&currency=eur&{body}&metadata[caf%C3%A9]=%E2%82%AC+1"
        answer = await simulator.raw("POST", "/v1/payment_intents", headers=FORM, content=content)
        assert answer.status_code == 200, answer.text
        assert answer.json()["metadata"] == {"café": "€ 1"}


async def test_versions_are_dates(simulator: Simulator) -> None:
    for version in ("2026-10-28.endive", "2024-06-20"):
        answer = await simulator.raw("GET", "/v1/charges", headers={**BEARER, "Stripe-Version": version})
        assert answer.status_code == 200
    wrong = await simulator.raw("GET", "/v1/charges", headers={**BEARER, "Stripe-Version": "latest"})
    assert "Invalid Stripe API version: latest" in error_of(wrong)["message"]


async def test_lists_come_in_pages(client: Client) -> None:
    made = [(await client.v1.customers.create_async({"name": str(number)})).id for number in range(7)][::-1]
    first = await client.v1.customers.list_async({"limit": 3})
    assert ([each.id for each in first.data], first.has_more) == (made[:3], True)
    second = await client.v1.customers.list_async({"limit": 4, "starting_after": first.data[-1].id})
    assert ([each.id for each in second.data], second.has_more) == (made[3:], False)
    before = await client.v1.customers.list_async({"limit": 2, "ending_before": made[4]})
    assert ([each.id for each in before.data], before.has_more) == (made[2:4], True)
    assert [each.id async for each in (await client.v1.customers.list_async({"limit": 2})).auto_paging_iter()] == made
    assert len((await client.v1.customers.list_async()).data) == 7
    error = await refused(client.v1.customers.list_async({"starting_after": "cus_none"}))
    assert (error.code, getattr(error, "param", "")) == ("resource_missing", "starting_after")
    for limit in (0, 101):
        assert (await refused(client.v1.customers.list_async({"limit": limit}))).code == "parameter_invalid_integer"


async def test_lists_know_when_something_was_made(simulator: Simulator, client: Client) -> None:
    first = await held(client)
    await simulator.tell("/clock", seconds=1_000)
    second = await held(client)
    late = await client.v1.payment_intents.list_async({"created": {"gte": first.created + 900}})
    assert [each.id for each in late.data] == [second.id]
    early = await client.v1.payment_intents.list_async({"created": {"gt": 0, "lt": first.created + 900}})
    assert [each.id for each in early.data] == [first.id]
    exact = await client.v1.payment_intents.list_async({"created": second.created})
    assert [each.id for each in exact.data] == [second.id]


async def test_ids_are_expanded_where_they_are(client: Client) -> None:
    intent = await paid(client)
    found: Any = await client.v1.refunds.create_async(
        {
            "payment_intent": intent.id,
            "amount": 100,
            "expand": ["charge.payment_intent.latest_charge", "payment_intent"],
        }
    )
    assert found.charge.payment_intent.latest_charge.id == intent.latest_charge
    assert found.payment_intent.id == intent.id
    listed: Any = await client.v1.payment_intents.list_async({"expand": ["data.latest_charge.refunds"]})
    assert listed.data[0].latest_charge.refunds.data[0].amount == 100
    for path in ("no_such", "amount", "latest_charge.payment_intent.latest_charge.payment_intent.customer"):
        error = await refused(client.v1.payment_intents.retrieve_async(intent.id, {"expand": [path]}))
        assert getattr(error, "param", "") == "expand"


async def test_events_tell_what_an_object_was_like_then(client: Client) -> None:
    intent = await held(client, metadata={"booking": "b1"})
    await client.v1.payment_intents.capture_async(intent.id, options={"idempotency_key": "capture-b1"})
    by_type = await client.v1.events.list_async({"types": ["payment_intent.*"]})
    statuses = [(event.type, event.data.object["status"]) for event in by_type.data]
    assert statuses == [
        ("payment_intent.succeeded", "succeeded"),
        ("payment_intent.amount_capturable_updated", "requires_capture"),
        ("payment_intent.created", "requires_confirmation"),
    ]
    event = await client.v1.events.retrieve_async(by_type.data[0].id)
    assert event.request is not None
    assert event.request.idempotency_key == "capture-b1"
    assert (await refused(client.v1.events.retrieve_async("evt_none"))).code == "resource_missing"


async def test_no_card_number_is_ever_told(simulator: Simulator, client: Client) -> None:
    for card in CARDS[:3]:
        data: Any = {"type": "card", "card": {"number": card.number, "exp_month": 1, "exp_year": 2040, "cvc": "123"}}
        params: Any = {
            **HELD,
            "payment_method_data": data,
            "confirm": True,
            "expand": ["payment_method", "latest_charge"],
        }
        assert card.number not in str(await client.v1.payment_intents.create_async(params))
    told = str(await client.v1.events.list_async({"limit": 100})) + str(await simulator.ask("/requests"))
    assert not any(card.number in told for card in CARDS)
