"""A payment simulator for a test, unmodified stripe-python to speak to it, and its control API."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Self

import httpx
import stripe

from payments.simulator.serve import serving
from payments.simulator.settings import SimulatorSettings

SECRET_KEY: Final = "sk_test_simulated"
PUBLISHABLE_KEY: Final = "pk_test_simulated"
CALL_SECONDS_MAX: Final = 20.0


class Simulator:
    """A running simulator. `url` is its address. Certificates are not read: nothing here is encrypted."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, timeout=CALL_SECONDS_MAX, trust_env=False, verify=False)  # noqa: S501
        self._clients: list[stripe.HTTPXClient] = []

    def client(
        self, key: str = SECRET_KEY, *, retries: int = 0, read_seconds_max: float = CALL_SECONDS_MAX
    ) -> stripe.StripeClient:
        """stripe-python as it is, with another address."""
        timeout = httpx.Timeout(CALL_SECONDS_MAX, read=read_seconds_max)
        self._clients.append(stripe.HTTPXClient(timeout=timeout, verify_ssl_certs=False))
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            http_client=self._clients[-1],
            max_network_retries=retries,
        )

    async def ask(self, path: str = "") -> Any:
        """What the control API tells."""
        return _good(await self._http.get(f"/simulator{path}")).json()

    async def tell(self, path: str, **given: Any) -> Any:
        """Have the control API do something."""
        return _good(await self._http.post(f"/simulator{path}", json=given)).json()

    async def fault(self, kind: str, match: str = "*", **more: Any) -> None:
        """Set a fault."""
        await self.tell("/faults", kind=kind, match=match, **more)

    async def authenticate(self, intent: stripe.PaymentIntent, outcome: str = "succeed") -> httpx.Response:
        """Be the buyer on the bank's page that the intent waits for."""
        assert intent.next_action is not None
        action = intent.next_action.to_dict()
        url = action["redirect_to_url"]["url"] if "redirect_to_url" in action else action["use_stripe_sdk"]["stripe_js"]
        return await self._http.post(url, data={"outcome": outcome})

    async def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request as it is."""
        return await self._http.request(method, path, **more)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.close_async()  # type: ignore[no-untyped-call]
        await self._http.aclose()


@contextmanager
def simulator_process(*arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """`vacancy payments` as a process of its own, on a free port; gives its address too."""
    command = [sys.executable, "-P", "-m", "server.cli", "payments", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()  # it says where it listens as soon as it does; nothing, if it failed
            assert "http://" in said, said
            yield said.split()[-1], process
        finally:
            process.kill()


@asynccontextmanager
async def simulated(**settings: Any) -> AsyncIterator[Simulator]:
    """A simulator in this event loop, on a port of its own, which retries webhooks at once."""
    told = SimulatorSettings(**{"port": 0, "retry_seconds": (0.01, 0.02, 0.04), **settings})
    async with serving(told) as url, Simulator(url) as simulator:
        yield simulator


def _good(response: httpx.Response) -> httpx.Response:
    assert response.is_success, response.text
    return response
