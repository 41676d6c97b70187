import asyncio
from typing import Any

import pytest
import stripe

from tests.payments.simulator.support import HELD, held, paid, refused
from tests.support.payments import SECRET_KEY, Simulator
from tests.support.waiting import eventually

Client = stripe.StripeClient
KEYED: Any = {"idempotency_key": "booking-b1-authorize"}
PARAMS: Any = {**HELD, "payment_method": "pm_card_visa", "confirm": True}


async def test_the_same_key_gives_the_same_answer_and_one_effect(simulator: Simulator, client: Client) -> None:
    answers = [await client.v1.payment_intents.create_async(PARAMS, KEYED) for _ in range(3)]
    assert len({str(answer) for answer in answers}) == 1
    assert len((await client.v1.payment_intents.list_async()).data) == 1
    assert len((await client.v1.charges.list_async()).data) == 1
    log = await simulator.ask("/requests")
    assert [entry.get("replayed", False) for entry in log if entry["operation"] == "POST /v1/payment_intents"] == [
        False,
        True,
        True,
    ]


async def test_a_replay_says_so(simulator: Simulator) -> None:
    headers = {"Authorization": f"Bearer {SECRET_KEY}", "Idempotency-Key": "key-1"}
    first, again = [
        await simulator.raw("POST", "/v1/customers", headers=headers, data={"name": "Ana"}) for _ in range(2)
    ]
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert again.headers["request-id"] != first.headers["request-id"]


async def test_a_key_remembers_what_was_refused_while_it_was_done(client: Client) -> None:
    declined: Any = {**PARAMS, "payment_method": "pm_card_chargeDeclined"}
    first = await refused(client.v1.payment_intents.create_async(declined, KEYED), stripe.CardError)
    again = await refused(client.v1.payment_intents.create_async(declined, KEYED), stripe.CardError)
    assert first.json_body == again.json_body
    assert len((await client.v1.payment_intents.list_async()).data) == 1
    key: Any = {"idempotency_key": "refund-1"}
    intent = await held(client)
    await refused(client.v1.refunds.create_async({"payment_intent": intent.id}, key))
    await client.v1.payment_intents.capture_async(intent.id)
    # It could be refunded now; the key's answer stays what it was.
    await refused(client.v1.refunds.create_async({"payment_intent": intent.id}, key))


async def test_a_key_forgets_what_was_never_begun(client: Client) -> None:
    wrong: Any
    for wrong in ({**PARAMS, "no_such": 1}, {**PARAMS, "amount": -1}):
        await refused(client.v1.payment_intents.create_async(wrong, KEYED))
    assert (await client.v1.payment_intents.create_async(PARAMS, KEYED)).status == "requires_capture"


async def test_what_was_done_and_could_not_be_told_is_not_done_again(client: Client) -> None:
    intent = await paid(client)
    params: Any = {"payment_intent": intent.id, "amount": 1_000, "expand": ["no_such"]}
    for _ in range(2):
        error = await refused(client.v1.refunds.create_async(params, {"idempotency_key": "refund-1"}))
        assert getattr(error, "param", "") == "expand"
    assert len((await client.v1.refunds.list_async()).data) == 1


async def test_other_parameters_with_the_same_key_are_refused(client: Client) -> None:
    first = await client.v1.payment_intents.create_async(PARAMS, KEYED)
    changed: Any = {**PARAMS, "amount": 10_001}
    error = await refused(client.v1.payment_intents.create_async(changed, KEYED), stripe.IdempotencyError)
    assert error.http_status == 400
    assert "can only be used with the same parameters" in str(error)
    assert [each.id for each in (await client.v1.payment_intents.list_async()).data] == [first.id]


async def test_another_endpoint_with_the_same_key_is_refused(client: Client) -> None:
    intent = await client.v1.payment_intents.create_async(PARAMS, KEYED)
    error = await refused(client.v1.payment_intents.capture_async(intent.id, {}, KEYED), stripe.IdempotencyError)
    assert "can only be used for the same endpoint" in str(error)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


async def test_the_order_of_parameters_is_no_difference(client: Client) -> None:
    first = await client.v1.payment_intents.create_async(PARAMS, KEYED)
    turned: Any = dict(reversed(PARAMS.items()))
    assert (await client.v1.payment_intents.create_async(turned, KEYED)).id == first.id


async def test_a_key_that_is_in_use_is_told(simulator: Simulator, client: Client) -> None:
    await simulator.fault("slow", "POST /v1/payment_intents", seconds=20)
    first = asyncio.create_task(client.v1.payment_intents.create_async(PARAMS, KEYED))

    async def begun() -> bool:
        return any(entry.get("fault") == "slow" for entry in await simulator.ask("/requests"))

    await eventually(begun)
    error = await refused(simulator.client().v1.payment_intents.create_async(PARAMS, KEYED), stripe.APIError)
    assert error.http_status == 409
    assert error.error is not None
    assert error.error.code == "idempotency_key_in_use"
    other = await simulator.client().v1.payment_intents.create_async(PARAMS, {"idempotency_key": "another"})
    assert other.status == "requires_capture"
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_of_many_at_once_with_one_key_one_has_an_effect(simulator: Simulator, client: Client) -> None:
    intent = await paid(client)
    await simulator.fault("slow", "POST /v1/refunds", seconds=0.05)

    async def refund() -> stripe.Refund | stripe.StripeError:
        try:
            return await simulator.client(retries=8).v1.refunds.create_async(
                {"payment_intent": intent.id, "amount": 1_000}, {"idempotency_key": "refund-b1"}
            )
        except stripe.StripeError as error:
            return error

    answers = await asyncio.gather(*(refund() for _ in range(12)))
    refunds = {answer.id for answer in answers if isinstance(answer, stripe.Refund)}
    assert len(refunds) == 1, answers
    charge = await client.v1.charges.retrieve_async(str(intent.latest_charge))
    assert charge.amount_refunded == 1_000


async def test_a_key_is_as_new_after_a_day(simulator: Simulator, client: Client) -> None:
    first = await client.v1.payment_intents.create_async(PARAMS, KEYED)
    await simulator.tell("/clock", seconds=23 * 3_600)
    assert (await client.v1.payment_intents.create_async(PARAMS, KEYED)).id == first.id
    await simulator.tell("/clock", seconds=3_600)
    assert (await client.v1.payment_intents.create_async(PARAMS, KEYED)).id != first.id


async def test_a_key_is_no_longer_than_255_characters_and_means_nothing_where_nothing_is_done(
    simulator: Simulator, client: Client
) -> None:
    assert "longer than 255" in str(await refused(client.v1.customers.create_async({}, {"idempotency_key": "k" * 256})))
    headers = {"Authorization": f"Bearer {SECRET_KEY}", "Idempotency-Key": "key-1"}
    before = (await simulator.raw("GET", "/v1/customers", headers=headers)).json()
    await client.v1.customers.create_async()
    after = (await simulator.raw("GET", "/v1/customers", headers=headers)).json()
    assert (len(before["data"]), len(after["data"])) == (0, 1)
