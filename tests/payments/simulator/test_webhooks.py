import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from tests.payments.simulator.support import held, paid
from tests.payments.simulator.webhooks import Receiver, receiver
from tests.support.payments import Simulator, simulated
from tests.support.waiting import eventually

Client = stripe.StripeClient


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """One in this loop, which tries again within milliseconds, three times."""
    async with simulated() as running:
        yield running


async def endpoint(client: Client, receiving: Receiver, *types: Any) -> str:
    """Have the receiver told of events; gives the secret."""
    made = await client.v1.webhook_endpoints.create_async(
        {"url": receiving.url, "enabled_events": list(types) or ["*"]}
    )
    assert made.secret is not None
    return made.secret


async def idle(simulator: Simulator) -> None:
    async def nothing_waits() -> bool:
        return bool((await simulator.ask())["webhooks"]["waiting"] == 0)

    await eventually(nothing_waits)


async def test_what_happens_is_told_and_signed(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        secret = await endpoint(client, receiving)
        intent = await paid(client, metadata={"booking": "b1"})
        await idle(simulator)
        events = {event.type: event for event in (each.event(secret) for each in receiving.received)}
        assert set(events) == {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"}
        told = events["payment_intent.succeeded"]
        assert (told.data.object["id"], told.data.object["status"]) == (intent.id, "succeeded")
        assert told.api_version == stripe.api_version
        listed = await client.v1.events.retrieve_async(told.id)
        assert listed.data.object.to_dict() == told.data.object.to_dict()


async def test_a_forged_an_altered_and_an_old_webhook_are_found_out(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        secret = await endpoint(client, receiving, "charge.succeeded")
        await paid(client)
        await idle(simulator)
        real = receiving.received[0]
        assert real.event(secret).type == "charge.succeeded"
        altered = real._replace(body=real.body.replace(b"10000", b"10001"))
        for received, key in ((altered, secret), (real, "whsec_another")):
            with pytest.raises(stripe.SignatureVerificationError):
                received.event(key)
        stamp = int(real.signature.split(",")[0].removeprefix("t="))
        assert abs(stamp - time.time()) < 120
        with pytest.raises(stripe.SignatureVerificationError):
            real._replace(signature=real.signature.replace(f"t={stamp}", f"t={stamp - 301}")).event(secret)


async def test_an_endpoint_is_told_of_what_it_wants(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        secret = await endpoint(client, receiving, "payment_intent.amount_capturable_updated")
        intent = await held(client)
        await client.v1.payment_intents.cancel_async(intent.id)
        await idle(simulator)
        assert [each.event(secret).type for each in receiving.received] == ["payment_intent.amount_capturable_updated"]


@pytest.mark.parametrize("failure", [500, 404, 302, 0])
async def test_what_nobody_took_is_told_again(simulator: Simulator, client: Client, failure: int) -> None:
    async with receiver(lambda number: failure if number < 3 else 200) as receiving:
        secret = await endpoint(client, receiving, "charge.succeeded")
        await paid(client)
        await idle(simulator)
        events = [each.event(secret) for each in receiving.received]
        assert len(events) == 3
        assert len({event.id for event in events}) == 1
        assert (await simulator.ask())["webhooks"]["failed"] == 0


async def test_it_gives_up_in_the_end_and_the_event_can_be_read_and_sent_again(
    simulator: Simulator, client: Client
) -> None:
    async with receiver(lambda number: 500 if number <= 4 else 200) as receiving:
        secret = await endpoint(client, receiving, "charge.succeeded")
        await paid(client)
        await idle(simulator)
        assert len(receiving.received) == 4
        assert (await simulator.ask())["webhooks"]["failed"] == 1
        event = (await client.v1.events.list_async({"type": "charge.succeeded"})).data[0]
        await simulator.tell(f"/events/{event.id}/resend")
        await idle(simulator)
        assert receiving.received[-1].event(secret).id == event.id


async def test_while_a_secret_is_rolled_both_sign(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        old = await endpoint(client, receiving, "charge.succeeded")
        made = (await client.v1.webhook_endpoints.list_async()).data[0]
        assert "secret" not in made
        new = (await simulator.tell(f"/webhook_endpoints/{made.id}/roll", old_seconds=3_600))["secret"]
        await paid(client)
        await idle(simulator)
        both = receiving.received[0]
        assert both.event(old).id == both.event(new).id
        await simulator.tell("/clock", seconds=3_601)
        await paid(client)
        await idle(simulator)
        assert receiving.received[1].event(new).type == "charge.succeeded"
        with pytest.raises(stripe.SignatureVerificationError):
            receiving.received[1].event(old)


async def test_an_endpoint_is_changed_disabled_and_deleted(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        await endpoint(client, receiving, "charge.succeeded")
        made = (await client.v1.webhook_endpoints.list_async()).data[0]
        changed = await client.v1.webhook_endpoints.update_async(made.id, {"disabled": True, "description": "off"})
        assert (changed.status, changed.description) == ("disabled", "off")
        await paid(client)
        await client.v1.webhook_endpoints.update_async(
            made.id, {"disabled": False, "enabled_events": ["refund.created"]}
        )
        await paid(client)
        assert (await client.v1.webhook_endpoints.delete_async(made.id)).deleted is True
        await paid(client)
        await idle(simulator)
        assert receiving.received == []
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.webhook_endpoints.create_async({"url": "ftp://x", "enabled_events": ["*"]})


async def test_a_dropped_webhook_is_never_told_but_its_event_can_be_read(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        secret = await endpoint(client, receiving)
        await simulator.fault("event_dropped", "payment_intent.*", count=2)
        await paid(client)
        await idle(simulator)
        assert [each.event(secret).type for each in receiving.received] == ["charge.succeeded"]
        assert len((await client.v1.events.list_async()).data) == 3


async def test_a_duplicated_webhook_is_the_same_event(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        secret = await endpoint(client, receiving, "payment_intent.succeeded")
        await simulator.fault("event_duplicated", copies=2)
        await paid(client)
        await idle(simulator)
        assert len(receiving.received) == 3
        assert len({each.event(secret).id for each in receiving.received}) == 1


async def test_a_delayed_webhook_is_told_later(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        secret = await endpoint(client, receiving, "payment_intent.created", "payment_intent.succeeded")
        await simulator.fault("event_delayed", "payment_intent.created", seconds=600)
        await paid(client)

        async def one_waits() -> bool:
            return bool((await simulator.ask())["webhooks"]["waiting"] == 1)

        await eventually(one_waits)
        assert [each.event(secret).type for each in receiving.received] == ["payment_intent.succeeded"]
        await simulator.fault("event_delayed", "payment_intent.succeeded", seconds=0.01)
        await paid(client)

        async def both_told() -> bool:
            return len(receiving.received) == 3

        await eventually(both_told)


async def test_reordered_webhooks_come_last_first(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        secret = await endpoint(client, receiving)
        await simulator.fault("event_reordered", count=5, seconds=60)
        intent = await held(client)
        await client.v1.payment_intents.capture_async(intent.id)
        await idle(simulator)
        assert [each.event(secret).type for each in receiving.received] == [
            "payment_intent.succeeded",
            "charge.captured",
            "payment_intent.amount_capturable_updated",
            "charge.succeeded",
            "payment_intent.created",
        ]


async def test_what_is_held_back_is_told_in_any_case(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        await endpoint(client, receiving, "charge.succeeded")
        await simulator.fault("event_reordered", count=5, seconds=0.1)
        await paid(client)
        await idle(simulator)
        assert len(receiving.received) == 1


async def test_all_can_be_held_back_and_let_go(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        await endpoint(client, receiving)
        await simulator.tell("/webhooks", paused=True)
        await paid(client)
        assert (await simulator.ask())["webhooks"]["waiting"] == 3
        event = (await client.v1.events.list_async({"limit": 1})).data[0]
        assert event.pending_webhooks == 1
        assert receiving.received == []
        await simulator.tell("/webhooks", paused=False)
        await idle(simulator)
        assert len(receiving.received) == 3


async def test_one_endpoint_that_hangs_holds_no_other_up(simulator: Simulator, client: Client) -> None:
    async with receiver() as receiving:
        made: Any = {"url": "http://127.0.0.1:9/nobody", "enabled_events": ["*"]}
        await client.v1.webhook_endpoints.create_async(made)
        secret = await endpoint(client, receiving, "charge.succeeded")
        await paid(client)

        async def told() -> bool:
            return [each.event(secret).type for each in receiving.received] == ["charge.succeeded"]

        await eventually(told)
