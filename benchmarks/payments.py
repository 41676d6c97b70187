"""From the hold to a booking that is paid: how many a second, and how long our part of it takes.

A guest holds, goes to pay, pays at the provider as a browser does, and comes back: three requests of ours. The provider
is the simulator, on the same cores: what it takes is measured, and taken off.
"""

import asyncio
import json
import os
import statistics
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from benchmarks.http import Client, Load, connect
from benchmarks.report import cpu_seconds, heading, say, table
from benchmarks.requests import graphql, graphql_hold
from benchmarks.stage import PLENTY, RULES, Process, Stage
from models.price import RatePlan
from models.resource import Resource
from server.payment_settings import WEBHOOK_PATH, PaymentSettings
from tests.support.factories import key_of, make_resource, make_venue
from tests.support.payments import PUBLISHABLE_KEY, SECRET_KEY, simulator_process
from tests.support.ports import free_port
from tests.support.settings import put

BUYERS: Final = (1, 8, 32)
ROUND_SECONDS: Final = 4.0
WARM_UP_SECONDS: Final = 1.0
RESOURCES: Final = 50
ALONE: Final = 40
PRICE: Final = 25_00
HOURLY: Final[dict[str, Any]] = {"amount": PRICE, "every": "MINUTES", "minutes": 60}
SHOWN: Final = "input: { idempotencyKey: $key, bookingId: $id, token: $token }"
CHECKOUT: Final = (
    f"mutation ($key: String!, $id: ID!, $token: String!) {{ done: bookingCheckout({SHOWN})"
    " { booking { holdExpiresAt } clientSecret errors { code } } }"
)
COMPLETE: Final = (
    f"mutation ($key: String!, $id: ID!, $token: String!) {{ done: bookingCheckoutComplete({SHOWN})"
    " { booking { status } errors { code } } }"
)
REQUESTS: Final = ("hold", "checkout", "complete")
SERVERS: Final = ("server", "worker", "PostgreSQL", "simulator")


@dataclass(slots=True)
class Round:
    """What so many guests saw, and which process used how much CPU for it."""

    flows: Load = field(default_factory=Load)
    requests: dict[str, Load] = field(default_factory=lambda: {name: Load() for name in REQUESTS})
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    def cpu_ms(self, name: str) -> float:
        """Of one booking."""
        return self.cpu_seconds[name] * 1000 / len(self.flows.latencies)


@dataclass(frozen=True, slots=True)
class Shop:
    """A server and a worker that collect, and the simulator that they collect through."""

    stage: Stage
    server: Process
    worker: Process
    simulator: Process
    browser: httpx.AsyncClient
    resources: list[Resource]


async def payments(stage: Stage) -> None:
    """Guests who book and pay, one after another and many at once."""
    heading("Hold, checkout, paid")
    async with _shop(stage) as shop:
        await _measured(shop, BUYERS[-1], WARM_UP_SECONDS)
        provider_ms = await _provider_ms(shop.browser)
        rounds = {buyers: await _measured(shop, buyers, ROUND_SECONDS) for buyers in BUYERS}
    rows: list[list[object]] = []
    for buyers, found in rounds.items():
        ours = [max(0.0, found.flows.quantile_ms(share) - provider_ms) for share in (0.5, 0.95, 0.99)]
        rows.append([_guests(buyers), found.flows.per_second, _without(found), *ours])
    head = ["whole flow", "per second", "without the simulator", "ours, p50 ms", "p95 ms", "p99 ms"]
    table([*head], rows)
    say()
    one = rounds[BUYERS[0]]
    table(
        ["requests of one buyer", "p50 ms", "p95 ms", "p99 ms"],
        [[name, *(load.quantile_ms(share) for share in (0.5, 0.95, 0.99))] for name, load in one.requests.items()],
    )
    say()
    table(
        ["CPU of one booking, ms", *SERVERS],
        [[_guests(buyers), *(found.cpu_ms(name) for name in SERVERS)] for buyers, found in rounds.items()],
    )
    say()
    say(f"The provider's part of a flow, alone: {provider_ms:.1f} ms; it is taken off what the guest waited for us.")


def _guests(buyers: int) -> str:
    return "one buyer" if buyers == 1 else f"{buyers} buyers"


def _without(found: Round) -> float:
    """How many a second, had the simulator's CPU been ours: true of cores that have nothing left to give."""
    seconds = found.flows.seconds - found.cpu_seconds["simulator"] / (os.cpu_count() or 1)
    return len(found.flows.latencies) / seconds


@asynccontextmanager
async def _shop(stage: Stage) -> AsyncIterator[Shop]:
    resources = await _resources(stage)
    with simulator_process() as (url, process):
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=20) as browser:  # noqa: S501
            port = free_port()
            told = {"url": f"http://127.0.0.1:{port}{WEBHOOK_PATH}", "enabled_events[]": "*"}
            secret = (await _asked(browser, "POST", "/v1/webhook_endpoints", told))["secret"]
            settings = PaymentSettings(
                are_on=True, api_key=SECRET_KEY, publishable_key=PUBLISHABLE_KEY, webhook_secrets=(secret,), url=url
            )
            async with stage.server_with(payments=settings, port=port) as server:
                with stage.worker_with(payments=settings) as worker:
                    yield Shop(stage, server, worker, Process(process.pid, 0), browser, resources)


async def _resources(stage: Stage) -> list[Resource]:
    """Like those of the other parts, with a price."""
    venue = await make_venue(stage.database, time_zone="UTC", currency="EUR")
    made = [await make_resource(stage.database, venue=venue, capacity=PLENTY, rules=RULES) for _ in range(RESOURCES)]
    for each in made:
        await put(stage.database, RatePlan, key_of(each), identity="STANDARD", name="Standard", parameters=HOURLY)
    return made


async def _measured(shop: Shop, buyers: int, seconds: float) -> Round:
    """Let so many guests book, each one booking after the other, for so long."""
    found = Round()
    pids = {"server": shop.server.pid, "worker": shop.worker.pid, "simulator": shop.simulator.pid}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    postgres = await shop.stage.postgres_cpu()
    clients = [await connect(shop.server.port, "/graphql") for _ in range(buyers)]
    began = time.perf_counter()
    await asyncio.gather(*(_book_until(shop, client, began + seconds, found) for client in clients))
    found.flows.seconds = time.perf_counter() - began
    found.cpu_seconds = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    found.cpu_seconds["PostgreSQL"] = postgres()
    for client in clients:
        await client.close()
    return found


async def _book_until(shop: Shop, client: Client, end: float, found: Round) -> None:
    while time.perf_counter() < end:
        held, waited = await _ask(client, graphql_hold(shop.resources), "bookingHold", found.requests["hold"])
        shown = {"id": held["booking"]["id"], "token": held["token"]}
        begun, seconds = await _ask(client, _body(CHECKOUT, shown), "done", found.requests["checkout"])
        waited += seconds
        await _pay(shop.browser, begun["clientSecret"])
        done, seconds = await _ask(client, _body(COMPLETE, shown), "done", found.requests["complete"])
        if done["booking"]["status"] != "CONFIRMED":
            raise RuntimeError(f"it was paid, and is {done}")
        found.flows.latencies.append(waited + seconds)


async def _ask(client: Client, body: bytes, field_: str, load: Load) -> tuple[Any, float]:
    """What was answered, and after how many seconds. Raises RuntimeError for errors."""
    began = time.perf_counter()
    _, answer = await client.ask(body)
    seconds = time.perf_counter() - began
    payload = json.loads(answer)["data"][field_]
    if payload["errors"]:
        raise RuntimeError(payload["errors"])
    load.latencies.append(seconds)
    return payload, seconds


def _body(mutation: str, shown: dict[str, Any]) -> bytes:
    return graphql(mutation, {"key": str(uuid.uuid4()), **shown})


async def _pay(browser: httpx.AsyncClient, client_secret: str) -> None:
    """What the provider's program does in a browser."""
    intent = client_secret.partition("_secret_")[0]
    given = {
        "client_secret": client_secret,
        "payment_method": "pm_card_visa",
        "return_url": "https://shop.example/back",
    }
    await _asked(browser, "POST", f"/v1/payment_intents/{intent}/confirm", given, key=PUBLISHABLE_KEY)


async def _provider_ms(browser: httpx.AsyncClient) -> float:
    """What the calls that a flow makes of the provider take when nothing else is asked of it: the median of a few."""
    taken = []
    for _ in range(ALONE):
        given = {"amount": PRICE, "currency": "eur", "payment_method_options[card][capture_method]": "manual"}
        began = time.perf_counter()
        made = await _asked(browser, "POST", "/v1/payment_intents", given)
        seconds = time.perf_counter() - began
        await _pay(browser, made["client_secret"])
        path = f"/v1/payment_intents/{made['id']}"
        began = time.perf_counter()
        await _asked(browser, "GET", path, {"expand[]": "latest_charge"})
        await _asked(browser, "POST", f"{path}/capture", {"amount_to_capture": PRICE, "expand[]": "latest_charge"})
        taken.append(seconds + time.perf_counter() - began)
    return statistics.median(taken) * 1000


async def _asked(
    browser: httpx.AsyncClient, method: str, path: str, given: dict[str, Any], *, key: str = SECRET_KEY
) -> Any:
    where = {"params": given} if method == "GET" else {"data": given}
    answer = await browser.request(method, path, headers={"Authorization": f"Bearer {key}"}, **where)  # type: ignore[arg-type]
    answer.raise_for_status()
    return answer.json()
