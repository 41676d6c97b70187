"""The platform as it is deployed, all of it for this run alone: each process can be killed and started again."""

import asyncio
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from models.database import connect
from models.migrate import migrate
from server.embedded import Servers, embedded_servers
from server.embedded.process import spawn, stop_all
from server.settings import Settings
from tests.e2e.platforms import NO_TLS, POOL_SIZE, SECRET, Platform
from tests.support.databases import FOLDER_PREFIX, fast_folder
from tests.support.waiting import eventually

SERVERS = 2
WORKER = "worker"
POSTGRES = "PostgreSQL"
PORTS = range(20_000, 30_000)
"""Below what Linux and macOS take from for outgoing connections."""

STOP_SECONDS_MAX = 10.0
READY_SECONDS_MAX = 60.0
READY_POLL_SECONDS = 0.1
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def server_name(number: int) -> str:
    """What a server process is called here."""
    return f"server {number}"


@dataclass(slots=True)
class Rig:
    """A PostgreSQL cluster, a Valkey, server processes and a worker. `logs` has all that they write."""

    servers: Servers
    platform: Platform
    settings: Mapping[str, Settings]
    logs: Path
    running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start it, and do not wait until it answers; PostgreSQL, however, answers when this returns.

        Call it from the main thread: the process ends with the thread that started it.
        """
        if name == POSTGRES:
            self.servers.postgres.start()
            return
        command = "worker" if name == WORKER else "serve"
        with (self.logs / f"{name}.log").open("ab") as output:
            self.running[name] = spawn(
                [sys.executable, "-P", "-m", "server.cli", command],
                env={"PATH": "/usr/bin:/bin", **self.settings[name].to_environment()},
                death_signal=signal.SIGTERM,
                output=output,
            )

    def kill(self, name: str) -> None:
        """End it with SIGKILL. PostgreSQL's own processes go when they notice that their postmaster is gone."""
        if name == POSTGRES:
            self.servers.postgres.kill()
            return
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End the server processes and the worker as an operator would."""
        stop_all(list(self.running.values()), signal.SIGTERM, wait_seconds=STOP_SECONDS_MAX)
        self.running.clear()

    async def until_ready(self, *, seconds_max: float = READY_SECONDS_MAX) -> None:
        """Wait until both servers answer, and reach the database and Redis. Raises AssertionError if they do not."""
        async with httpx.AsyncClient(verify=NO_TLS, trust_env=False, timeout=2.0) as http:

            async def ready() -> bool:
                try:
                    answers = [await http.get(f"{url}/readyz") for url in self.platform.urls]
                except httpx.TransportError:
                    return False
                return all(answer.status_code == httpx.codes.OK for answer in answers)

            await eventually(ready, seconds_max=seconds_max, poll_seconds=READY_POLL_SECONDS)

    def defects(self) -> list[str]:
        """What was logged as an error: an outage is a warning."""
        lines = [line for path in sorted(self.logs.glob("*.log")) for line in path.read_text().splitlines()]
        return [line for line in lines if '"level": "ERROR"' in line or not line.startswith("{")]


@contextmanager
def running_rig() -> Iterator[Rig]:
    """PostgreSQL, as durable as in production, and Valkey, migrated; the processes are not started yet.

    In memory where there is enough: a killed process loses what it has not handed to the operating system, wherever
    that keeps it, and recovery, which flushes every file of the cluster, takes a fraction of a second and not four.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=fast_folder()))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        servers = stack.enter_context(embedded_servers(folder))
        asyncio.run(migrate(servers.owner_url))
        logs = folder / "logs"
        logs.mkdir()
        settings = {name: _settings(servers, folder) for name in (*map(server_name, range(SERVERS)), WORKER)}
        of_servers = [settings[server_name(number)] for number in range(SERVERS)]
        platform = Platform(
            tuple(f"http://{each.host}:{each.port}" for each in of_servers),
            servers.owner_url,
            servers.app_url,
            of_servers[0],
            (),
        )
        rig = Rig(servers, platform, settings, logs)
        stack.callback(rig.stop)
        yield rig


async def durability(app_url: str) -> dict[str, str]:
    """What a session of the application has for the settings that make an acknowledgement one."""
    database = await connect(app_url, pool_size=1)
    try:
        return {name: await database.ledger.fetchval(f"SHOW {name}") for name in DURABLE}
    finally:
        await database.close()


async def lose_what_is_acknowledged(rig: Rig) -> None:
    """Make commits wait for nothing, and leave what they write in memory for as long as PostgreSQL can be told to.

    What a killed server has handed to the operating system is not lost, so that it must not even do that.
    """
    connection = await asyncpg.connect(rig.servers.owner_url)
    try:
        for setting in (
            "synchronous_commit = off",
            "wal_writer_delay = '10s'",
            "wal_writer_flush_after = '1GB'",
            "wal_buffers = '64MB'",
        ):
            await connection.execute(f"ALTER SYSTEM SET {setting}")
    finally:
        await connection.close()
    rig.servers.postgres.stop()
    rig.servers.postgres.start()


def _lasting_port() -> int:
    """A port that stays ours while its server is dead: the system gives none of these to whoever asks for any port."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("all ports are taken")


def _settings(servers: Servers, folder: Path) -> Settings:
    return Settings(
        port=_lasting_port(),
        state_dir=folder,
        database_url=servers.app_url,
        migration_database_url=servers.owner_url,
        redis_url=servers.redis_url,
        secrets=(SECRET,),
        database_pool_size=POOL_SIZE,
    )
