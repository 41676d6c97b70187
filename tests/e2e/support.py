"""The platform as it is deployed (server processes, a worker, a seeded database), and clients as others write them."""

import asyncio
import json
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from engine.viewer import Role
from server.embedded.process import spawn, stop_all
from server.payment_settings import WEBHOOK_PATH, PaymentSettings
from server.seed import seed
from server.settings import Settings
from server.tokens import AccountTokens
from tests.support.audits import assert_audit_clean
from tests.support.databases import ServerUrls, with_database
from tests.support.payments import PUBLISHABLE_KEY, SECRET_KEY, simulator_process

START_SECONDS_MAX = 40.0
STOP_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 20.0
PUSH_SECONDS_MAX = 10.0
POOL_SIZE = 4
SECRET = "a secret of these tests that is long enough"

# httpx would load all of the system's certificates for every client, to speak no TLS with any.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Platform:
    """Servers at `urls`, one process each, that share a database and a Valkey, and have a worker beside them."""

    urls: tuple[str, ...]
    owner_url: str
    app_url: str
    settings: Settings
    logs: tuple[Path, ...]

    def log(self) -> str:
        """What all processes have logged so far."""
        return "".join(path.read_text() for path in self.logs)

    def token(self, role: Role, organization_id: uuid.UUID, subject: str = "", **claims: object) -> str:
        """A token that this platform takes for its own."""
        now = datetime.now(UTC)
        usual = {
            "sub": subject or role.lower(),
            "role": role,
            "org": str(organization_id),
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        return AccountTokens(self.settings.secrets).sign({**usual, **claims})


@contextmanager
def running_platform(
    servers: ServerUrls, folder: Path, *, processes: int = 2, examples: bool = True
) -> Iterator[Platform]:
    """A platform of its own, with the example data in it unless not asked for; audited at its end.

    Payments are simulated where there is something to pay for: with the examples. What a process logs is a warning or
    worse: at the end there must be none that tells of a defect.
    """
    urls = servers.of_database(f"{servers.template}_{secrets.token_hex(6)}")
    asyncio.run(_create_database(servers, urls))
    if examples:
        asyncio.run(seed(urls.app_url, say=lambda line: None))
    settings = [_settings(urls, folder) for _ in range(processes)]
    with ExitStack() as stack:
        if examples:
            payments = stack.enter_context(_simulated(settings[0], folder))
            settings = [replace(each, payments=payments) for each in settings]
        started: list[subprocess.Popen[bytes]] = []
        stack.callback(lambda: stop_all(started, signal.SIGTERM, wait_seconds=STOP_SECONDS_MAX))
        logs = [folder / f"{name}.log" for name in [*(f"serve-{each.port}" for each in settings), "worker"]]
        for each, log in zip([*settings, settings[0]], logs, strict=True):
            started.append(_start(log.stem.partition("-")[0], each, log))
        platform = Platform(
            tuple(f"http://{each.host}:{each.port}" for each in settings),
            urls.owner_url,
            urls.app_url,
            settings[0],
            tuple(logs),
        )
        _wait_until_ready(platform, started)
        yield platform
    asyncio.run(assert_audit_clean(urls.app_url))
    assert "Traceback" not in platform.log(), platform.log()


class Refused(Exception):
    """The whole request was refused; `errors` as in the response."""

    def __init__(self, errors: Sequence[Json]) -> None:
        super().__init__(errors)
        self.errors = errors

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


@dataclass
class Client:
    """Asks GraphQL of one server over HTTP, and watches over WebSockets; `token` as the Authorization, if any."""

    http: httpx.AsyncClient
    token: str | None = None
    keys: Iterator[str] = field(default_factory=lambda: iter(lambda: secrets.token_hex(16), ""))

    async def ask(self, query: str, **variables: Any) -> Json:
        """The data. Raises Refused if there are errors of the request."""
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=self._headers()
        )
        answer: Json = response.json()
        if answer.get("errors"):
            raise Refused(answer["errors"])
        data: Json = answer["data"]
        return data

    async def do(self, mutation: str, *, selects: str = "", key: str | None = None, **input: Any) -> Json:
        """The payload of a mutation, under a fresh key unless one is given. `selects` is what is asked of it."""
        name = mutation[0].upper() + mutation[1:]
        if mutation.startswith("booking") and not mutation.startswith("bookingRule"):
            name = INPUTS.get(mutation, "BookingAction")
            selects = selects or (BOOKING_TOKEN if mutation == "bookingHold" else BOOKING)
        query = f"mutation($input: {name}Input!) {{ done: {mutation}(input: $input) {{ {selects} {ERRORS} }} }}"
        data = await self.ask(query, input={"idempotencyKey": key or next(self.keys), **input})
        payload: Json = data["done"]
        return payload

    async def did(self, mutation: str, **more: Any) -> Json:
        """The same where it must succeed."""
        payload = await self.do(mutation, **more)
        assert payload["errors"] == [], payload["errors"]
        return payload

    async def pay(self, **shown: str) -> Json:
        """The booking, once it is paid by a test card."""
        booking: Json = (await self.did("bookingCheckout", paymentMethod="pm_card_visa", **shown))["booking"]
        return booking

    @asynccontextmanager
    async def watching(self, query: str, **variables: Any) -> AsyncIterator["Watch"]:
        """A subscription on a WebSocket of its own."""
        address = str(self.http.base_url).replace("http", "ws", 1) + "/graphql"
        async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as channel:
            await channel.send(json.dumps({"type": "connection_init", "payload": self._headers()}))
            assert json.loads(await channel.recv())["type"] == "connection_ack"
            operation = {"query": query, "variables": variables}
            await channel.send(json.dumps({"type": "subscribe", "id": "1", "payload": operation}))
            yield Watch(channel)

    def _headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


@dataclass
class Watch:
    """What a subscription pushes."""

    channel: ClientConnection

    async def next(self, *, seconds_max: float = PUSH_SECONDS_MAX) -> Json:
        """The data of the next push. Raises Refused for errors, EOFError at the end, TimeoutError after a while."""
        async with asyncio.timeout(seconds_max):
            message = json.loads(await self.channel.recv())
        if message["type"] == "complete":
            raise EOFError
        if message["type"] == "error":
            raise Refused(message["payload"])
        if message["payload"].get("errors"):
            raise Refused(message["payload"]["errors"])
        data: Json = next(iter(message["payload"]["data"].values()))
        return data

    async def until(self, found: Any, *, seconds_max: float = PUSH_SECONDS_MAX) -> Json:
        """The first push of which `found` is true."""
        async with asyncio.timeout(seconds_max):
            while True:
                pushed = await self.next(seconds_max=seconds_max)
                if found(pushed):
                    return pushed


ERRORS = """
errors { __typename code message path retryable
  ... on SoldOut { vacancies resource { slug } alternatives { startsAt endsAt bookable vacancies } }
  ... on RuleViolation { rule parameters }
  ... on VersionConflict { current }
  ... on CapacityInUse { references } }
"""
BOOKING = """
booking { id reference status version holdExpiresAt holdSecondsLeft contact { name email } customer
  items { quantity activity startsAt endsAt localStart localEnd resource { slug } } }
"""
BOOKING_TOKEN = f"{BOOKING} token"
INPUTS = {"bookingHold": "BookingHold", "bookingCheckout": "BookingCheckout"}

WATCH_CAPACITY = """
subscription($ids: [ID!]!, $window: WindowInput) { capacityChanged(resourceIds: $ids, window: $window)
  { resource { slug version } version snapshot startsAt endsAt steps { startsAt endsAt capacity vacancies status } } }
"""
WATCH_BOOKING = """
subscription($id: ID!, $token: String) { bookingChanged(bookingId: $id, token: $token)
  { id status version holdExpiresAt holdSecondsLeft } }
"""


@asynccontextmanager
async def client_of(platform: Platform, server: int = 0, token: str | None = None) -> AsyncIterator[Client]:
    """A client of one of the platform's servers."""
    async with httpx.AsyncClient(
        base_url=platform.urls[server], timeout=ANSWER_SECONDS_MAX, verify=NO_TLS, trust_env=False
    ) as http:
        yield Client(http, token)


async def rows_of(owner: "asyncpg.Connection") -> Mapping[str, int]:
    """How many rows each table has. The outbox is left out: the worker clears it by itself."""
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = sorted({row["tablename"] for row in tables} - {"outbox"})
    row = await owner.fetchrow(f"SELECT {', '.join(f'(SELECT count(*) FROM {name}) AS {name}' for name in names)}")
    return dict(row)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _create_database(servers: ServerUrls, urls: ServerUrls) -> None:
    """A copy of the run's template; dropped with it at the end of the run."""
    connection = await asyncpg.connect(with_database(servers.owner_url, "postgres"))
    try:
        name = urls.owner_url.partition("?")[0].rpartition("/")[2]
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{servers.template}" STRATEGY file_copy')
    finally:
        await connection.close()


def _settings(urls: ServerUrls, folder: Path) -> Settings:
    return Settings(
        port=free_port(),
        state_dir=folder,
        database_url=urls.app_url,
        migration_database_url=urls.owner_url,
        redis_url=urls.redis_url,
        secrets=(SECRET,),
        database_pool_size=POOL_SIZE,
    )


@contextmanager
def _simulated(server: Settings, folder: Path) -> Iterator[PaymentSettings]:
    """A payment simulator, which tells this server what happens."""
    secret, file = f"whsec_{secrets.token_hex(16)}", folder / "webhook-secret"
    file.write_text(secret)
    url = f"http://{server.host}:{server.port}{WEBHOOK_PATH}"
    with simulator_process("--webhook-url", url, "--webhook-secret-file", str(file)) as (address, _):
        yield PaymentSettings(
            are_on=True,
            api_key=SECRET_KEY,
            publishable_key=PUBLISHABLE_KEY,
            webhook_secrets=(secret,),
            url=address,
        )


def _start(command: str, settings: Settings, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        return spawn(
            [sys.executable, "-P", "-m", "server.cli", command],
            env={"PATH": "/usr/bin:/bin", **settings.to_environment()},
            death_signal=signal.SIGTERM,
            output=output,
        )


def _wait_until_ready(platform: Platform, started: Sequence["subprocess.Popen[bytes]"]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    for url in platform.urls:
        while not _is_ready(url):
            assert all(process.poll() is None for process in started), platform.log()
            assert time.monotonic() < deadline, platform.log()
            time.sleep(0.1)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=1.0, verify=NO_TLS, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
