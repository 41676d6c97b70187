from typing import Any

import pytest
import stripe

from payments.simulator.faults import COUNT_MAX, FAULTS_MAX, Fault, FaultKind, Faults
from tests.payments.simulator.support import HELD, held, paid, refused
from tests.support.payments import Simulator
from tests.support.waiting import eventually

Client = stripe.StripeClient
CREATE = "POST /v1/payment_intents"
PARAMS: Any = {**HELD, "payment_method": "pm_card_visa", "confirm": True}
KEYED: Any = {"idempotency_key": "booking-b1"}


async def intents(client: Client) -> int:
    return len((await client.v1.payment_intents.list_async()).data)


async def test_an_error_before_leaves_no_trace_and_may_be_tried_again(simulator: Simulator, client: Client) -> None:
    await simulator.fault("error_before", CREATE)
    error = await refused(client.v1.payment_intents.create_async(PARAMS, KEYED), stripe.APIError)
    assert (error.http_status, (error.headers or {})["stripe-should-retry"]) == (500, "true")
    assert await intents(client) == 0
    assert (await client.v1.payment_intents.create_async(PARAMS, KEYED)).status == "requires_capture"


async def test_an_error_after_is_what_the_key_remembers(simulator: Simulator, client: Client) -> None:
    await simulator.fault("error_after", CREATE)
    for _ in range(2):
        error = await refused(client.v1.payment_intents.create_async(PARAMS, KEYED), stripe.APIError)
        assert error.http_status == 500
    assert await intents(client) == 1


async def test_too_many_requests(simulator: Simulator, client: Client) -> None:
    await simulator.fault("rate_limited", "POST /v1/refunds", count=2)
    intent = await paid(client)
    for _ in range(2):
        error = await refused(
            client.v1.refunds.create_async({"payment_intent": intent.id}, KEYED), stripe.RateLimitError
        )
        assert error.http_status == 429
    assert (await client.v1.refunds.create_async({"payment_intent": intent.id}, KEYED)).status == "succeeded"


@pytest.mark.parametrize(("kind", "effect"), [("lost_before", 0), ("lost_after", 1)])
async def test_a_connection_that_ends_without_an_answer(
    simulator: Simulator, client: Client, kind: str, effect: int
) -> None:
    await simulator.fault(kind, CREATE)
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.payment_intents.create_async(PARAMS, KEYED)
    assert await intents(client) == effect
    await client.v1.payment_intents.create_async(PARAMS, KEYED)
    assert await intents(client) == 1
    assert len((await client.v1.charges.list_async()).data) == 1


@pytest.mark.parametrize(("kind", "effect"), [("hang_before", 0), ("hang_after", 1)])
async def test_an_answer_that_does_not_come_in_time(
    simulator: Simulator, client: Client, kind: str, effect: int
) -> None:
    await simulator.fault(kind, CREATE, seconds=60)
    with pytest.raises(stripe.APIConnectionError):
        await simulator.client(read_seconds_max=0.1).v1.payment_intents.create_async(PARAMS, KEYED)

    async def met() -> bool:
        return bool((await simulator.ask("/faults"))[0]["met"])

    await eventually(met)
    assert await intents(client) == effect
    await client.v1.payment_intents.create_async(PARAMS, KEYED)
    assert await intents(client) == 1


async def test_a_hang_ends_by_itself(simulator: Simulator, client: Client) -> None:
    await simulator.fault("hang_before", CREATE, seconds=0.05)
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.payment_intents.create_async(PARAMS)


async def test_stripe_python_s_own_retries_get_over_what_passes(simulator: Simulator, client: Client) -> None:
    patient = simulator.client(retries=3)
    for kind in ("lost_before", "lost_after", "error_before"):
        await simulator.fault(kind, CREATE)
    assert (await patient.v1.payment_intents.create_async(PARAMS)).status == "requires_capture"
    assert await intents(client) == 1
    assert [fault["met"] for fault in await simulator.ask("/faults")] == [1, 1, 1]


async def test_a_fault_meets_what_it_matches_as_often_as_it_says(simulator: Simulator, client: Client) -> None:
    intent = await held(client)
    await simulator.fault("error_before", f"POST /v1/payment_intents/{intent.id}*", count=2, skip=1)
    update = client.v1.payment_intents.update_async
    await update(intent.id, {"description": "is skipped"})
    await refused(update(intent.id, {"description": "is met"}), stripe.APIError)
    await client.v1.payment_intents.retrieve_async(intent.id)
    await held(client)
    await refused(client.v1.payment_intents.capture_async(intent.id), stripe.APIError)
    await client.v1.payment_intents.capture_async(intent.id)
    assert [fault["met"] for fault in await simulator.ask("/faults")] == [2]


async def test_faults_are_removed(simulator: Simulator, client: Client) -> None:
    await simulator.fault("error_before", count=COUNT_MAX)
    await simulator.raw("DELETE", "/simulator/faults")
    assert (await held(client)).status == "requires_capture"


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "no_such"},
        {},
        {"kind": "slow", "count": 0},
        {"kind": "slow", "count": COUNT_MAX + 1},
        {"kind": "slow", "seconds": 601},
        {"kind": "slow", "seconds": -1},
        {"kind": "slow", "seconds": "1"},
        {"kind": "slow", "chance": 1.5},
        {"kind": "slow", "met": 3},
        {"kind": "event_duplicated", "copies": 11},
    ],
    ids=str,
)
async def test_a_fault_out_of_bounds_is_refused(simulator: Simulator, given: dict[str, Any]) -> None:
    assert (await simulator.raw("POST", "/simulator/faults", json=given)).status_code == 400
    assert await simulator.ask("/faults") == []


def test_there_are_so_many_faults_and_spent_ones_make_room() -> None:
    faults = Faults(seed=0)
    for _ in range(FAULTS_MAX):
        faults.add(Fault(kind=FaultKind.SLOW))
    with pytest.raises(ValueError, match="at most"):
        faults.add(Fault(kind=FaultKind.SLOW))
    assert faults.of_request("POST /v1/refunds", "/v1/refunds") is not None
    faults.add(Fault(kind=FaultKind.SLOW))


def test_a_chance_is_the_same_each_time() -> None:
    def met(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault(kind=FaultKind.LOST_AFTER, count=1_000, chance=0.3))
        return [faults.of_request("POST /v1/refunds", "/v1/refunds") is not None for _ in range(1_000)]

    assert met(1) == met(1) != met(2)
    assert 200 < sum(met(1)) < 400
