import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from payments.simulator.account import Account
from payments.simulator.disk import Disk
from payments.simulator.documents import Documents
from payments.simulator.serve import SimulatorServer
from payments.simulator.settings import NotLoopback, SimulatorSettings
from tests.payments.simulator.support import HELD, held, refused
from tests.payments.simulator.webhooks import receiver
from tests.support.payments import Simulator, simulated, simulator_process
from tests.support.waiting import eventually

STOP_SECONDS_MAX = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


async def test_what_was_answered_survives_kill_9(folder: Path) -> None:
    state = ["--state-file", str(folder / "payments.sqlite")]
    keyed: Any = {"idempotency_key": "booking-b1"}
    params: Any = {**HELD, "payment_method": "pm_card_visa", "confirm": True}
    with simulator_process(*state) as (url, process):
        async with Simulator(url) as simulator:
            intent = await simulator.client().v1.payment_intents.create_async(params, keyed)
            await simulator.tell("/clock", seconds=80_000)
            process.kill()
            process.wait(STOP_SECONDS_MAX)
    with simulator_process(*state) as (url, process):
        async with Simulator(url) as simulator:
            client = simulator.client()
            assert str(await client.v1.payment_intents.create_async(params, keyed)) == str(intent)
            assert len((await client.v1.events.list_async()).data) == 3
            assert (await client.v1.payment_intents.capture_async(intent.id)).status == "succeeded"
            later = await held(client)
            await simulator.tell("/clock", seconds=7 * 86_400)
            assert (await client.v1.payment_intents.retrieve_async(later.id)).cancellation_reason == "expired"
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS_MAX) == 0
    assert (folder / "payments.sqlite").stat().st_mode & 0o077 == 0


async def test_webhooks_that_were_on_their_way_go_on_after_a_restart(folder: Path) -> None:
    async with receiver() as receiving:
        told: Any = {
            "state_file": folder / "payments.sqlite",
            "webhook_url": receiving.url,
            "webhook_secret": "whsec_of_a_test",
        }
        async with simulated(**told) as simulator:
            await simulator.tell("/webhooks", paused=True)
            await held(simulator.client())
        assert receiving.received == []
        async with simulated(**told) as simulator:

            async def all_told() -> bool:
                return len(receiving.received) == 3

            await eventually(all_told)
            assert len((await simulator.client().v1.webhook_endpoints.list_async()).data) == 1
        types = {each.event("whsec_of_a_test").type for each in receiving.received}
        assert "payment_intent.amount_capturable_updated" in types


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", "::", "128.0.0.1"])  # noqa: S104 - refused
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(NotLoopback):
        SimulatorSettings(host=host)


def test_a_webhook_needs_its_secret() -> None:
    with pytest.raises(ValueError, match="belong together"):
        SimulatorSettings(webhook_url="http://127.0.0.1/hook")


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-P", "-m", "server.cli", "payments", "--port", port]
        failed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert failed.returncode == 1
    assert failed.stderr == f"vacancy: Port {port} on 127.0.0.1 cannot be used (Address already in use)\n"


def test_a_connection_is_kept_for_longer_than_clients_keep_one() -> None:
    """Else one asks on a connection that is just being closed, and hears nothing."""
    server = SimulatorServer(Account(SimulatorSettings(port=0)), signals=False)
    kept_seconds = httpx.Limits().keepalive_expiry
    assert kept_seconds is not None
    assert server.config.timeout_keep_alive > kept_seconds


async def test_one_secret_key_can_be_the_only_one() -> None:
    async with simulated(secret_key="sk_test_the_one") as simulator:
        assert (await held(simulator.client("sk_test_the_one"))).status == "requires_capture"
        await refused(held(simulator.client("sk_test_another")), stripe.AuthenticationError)


def test_of_a_kind_the_oldest_is_forgotten_beyond_the_bound(folder: Path) -> None:
    disk = Disk(folder / "bounded.sqlite")
    documents = Documents(disk, objects_max=3)
    for number in range(5):
        documents.put("event", {"id": f"evt_{number}"})
        documents.put("charge", {"id": f"ch_{number % 2}"})
    documents.save()
    assert [each["id"] for each in documents.oldest_first("event")] == ["evt_2", "evt_3", "evt_4"]
    assert documents.counts() == {"charge": 2, "event": 3}
    assert Documents(disk).counts() == {"charge": 2, "event": 3}
    documents.clear()
    assert Documents(disk).counts() == {}
    disk.close()
