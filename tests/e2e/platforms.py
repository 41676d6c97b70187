"""The platform as it is deployed: server processes, a worker, a payment simulator, a seeded database."""

import asyncio
import secrets
import signal
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx

from engine.viewer import Role
from server.embedded.process import spawn, stop_all
from server.payment_settings import WEBHOOK_PATH, PaymentSettings
from server.seed import seed
from server.settings import Settings
from server.tokens import AccountTokens
from tests.support.audits import assert_audit_clean
from tests.support.databases import ServerUrls, with_database
from tests.support.payments import PUBLISHABLE_KEY, SECRET_KEY, simulator_process
from tests.support.ports import free_port
from tests.support.waiting import wait_until

START_SECONDS_MAX = 40.0
START_POLL_SECONDS = 0.1
STOP_SECONDS_MAX = 10.0
POOL_SIZE = 4
SECRET = "a secret of these tests that is long enough"

# httpx would load all of the system's certificates for every client, to speak no TLS with any.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


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
        commands = [("serve", each, folder / f"serve-{each.port}.log") for each in settings]
        commands.append(("worker", settings[0], folder / "worker.log"))
        for command, each, log in commands:
            started.append(_start(command, each, log))
        platform = Platform(
            urls=tuple(f"http://{each.host}:{each.port}" for each in settings),
            owner_url=urls.owner_url,
            app_url=urls.app_url,
            settings=settings[0],
            logs=tuple(log for _, _, log in commands),
        )
        _wait_until_ready(platform, started)
        yield platform
    asyncio.run(assert_audit_clean(urls.app_url))
    assert "Traceback" not in platform.log(), platform.log()


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
    def are_ready() -> bool:
        assert all(process.poll() is None for process in started), platform.log()
        return all(_is_ready(url) for url in platform.urls)

    wait_until(are_ready, seconds_max=START_SECONDS_MAX, poll_seconds=START_POLL_SECONDS, says=platform.log)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=1.0, verify=NO_TLS, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
