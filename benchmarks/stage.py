"""What is measured, running: PostgreSQL with fsync, Valkey, one process of each server, and a worker."""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import asyncpg

from benchmarks.baseline import DATABASE_VARIABLE
from benchmarks.counter import TABLES
from benchmarks.plain import Table
from benchmarks.report import cpu_seconds
from benchmarks.requests import ledger_hold, some_interval
from models.database import Database, connect, owner_engine
from models.interval import Interval
from models.ledger import calls
from models.migrate import migrate
from models.resource import Resource
from models.venue import Venue
from server.embedded import embedded_servers
from server.embedded.process import spawn, stop_all
from server.settings import Settings
from tests.support.factories import make_resource, make_venue
from tests.support.ports import free_port

SECRET: Final = "a secret of the benchmarks that is long enough"  # noqa: S105 - of a database that is thrown away
START_SECONDS_MAX: Final = 40.0
STOP_SECONDS_MAX: Final = 10.0
SETTLE_SECONDS_MAX: Final = 5.0
STATISTICS_MIN: Final = 8
"""Bookings before the tables are analyzed: from a single one the planner learns that all have different organizations,
and may then read all bookings of one for each that it looks up, until it is told better."""

MANY: Final = 1_000
PLENTY: Final = 1_000_000
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin"}  # and nothing of our own
RULES: Final[dict[str, dict[str, Any]]] = {
    "OPENING_HOURS": {"weekly": [{"weekday": day, "opens": "06:00", "closes": "22:00"} for day in range(1, 8)]},
    "START_GRID": {"minutes": 15},
}


@dataclass(frozen=True, slots=True)
class Process:
    """A process of ours; `port` where it listens, 0 for the worker."""

    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class Stage:
    """All that runs, and the resources in it; `sold_out` has one place, which is taken at `sold_out_at`."""

    vacancy: Process
    worker: Process
    plain: Process
    counter: Process
    database: Database
    owner: "asyncpg.Connection"
    hot: Resource
    sold_out: Resource
    sold_out_at: Interval
    many: Sequence[Resource]
    folder: Path
    settings: Settings

    @asynccontextmanager
    async def sampled_server(self) -> AsyncIterator[tuple[Process, Path]]:
        """Another server, which samples itself into a file that is there when the block has ended."""
        file = self.folder / "samples"
        async with self._served_by(["benchmarks.sampler", str(file)], port=free_port()) as process:
            yield process, file

    @asynccontextmanager
    async def server_with(self, **settings: Any) -> AsyncIterator[Process]:
        """Another server, with other settings."""
        async with self._served_by(["server.cli", "serve"], **{"port": free_port(), **settings}) as process:
            yield process

    @contextmanager
    def worker_with(self, **settings: Any) -> Iterator[Process]:
        """Another worker, with other settings."""
        with self._beside(["server.cli", "worker"], replace(self.settings, **settings)) as pid:
            yield Process(pid, 0)

    async def postgres_cpu(self) -> Callable[[], float]:
        """Tells how many seconds of CPU PostgreSQL's processes have used since; of those that are there still."""

        def read(pids: Iterable[int]) -> dict[int, float]:
            found = {}
            for pid in pids:
                with suppress(FileNotFoundError):
                    found[pid] = cpu_seconds(pid)
            return found

        before = read(row["pid"] for row in await self.owner.fetch("SELECT pid FROM pg_stat_activity"))
        return lambda: sum(now - before[pid] for pid, now in read(before).items())

    async def settle(self) -> None:
        """Wait until the worker has published what there is, so that one round does not pay for the one before."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while await self.owner.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def _served_by(self, module: Sequence[str], **settings: Any) -> AsyncIterator[Process]:
        told = replace(self.settings, **settings)
        with self._beside(module, told) as pid:
            await _listening(told.port, self.folder)
            yield Process(pid, told.port)

    @contextmanager
    def _beside(self, module: Sequence[str], settings: Settings) -> Iterator[int]:
        process = _spawned(module, ENVIRONMENT | settings.to_environment(), self.folder)
        try:
            yield process.pid
        finally:
            stop_all([process], signal.SIGTERM, wait_seconds=STOP_SECONDS_MAX)


@asynccontextmanager
async def running() -> AsyncIterator[Stage]:
    """The stage, for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="vacancy-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        servers = stack.enter_context(embedded_servers(folder))
        await migrate(servers.owner_url)
        started: list[subprocess.Popen[bytes]] = []
        stack.callback(lambda: stop_all(started, signal.SIGTERM, wait_seconds=STOP_SECONDS_MAX))
        database = await connect(servers.app_url)
        owner = await asyncpg.connect(servers.owner_url)
        try:
            hot, sold_out, many = await _resources(database)
            sold_out_at = some_interval()
            await calls.hold(database, ledger_hold(sold_out, sold_out_at))
            for _ in range(STATISTICS_MIN):
                await calls.hold(database, ledger_hold(hot))
            await _baselines(servers.owner_url, owner, [hot, *many], sold_out)
            await owner.execute("ANALYZE")
            settings = Settings(
                port=free_port(),
                state_dir=folder,
                database_url=servers.app_url,
                migration_database_url=servers.owner_url,
                redis_url=servers.redis_url,
                secrets=(SECRET,),
            )
            of_vacancy = ENVIRONMENT | settings.to_environment()
            of_baseline = ENVIRONMENT | {DATABASE_VARIABLE: servers.owner_url}
            ports = {"plain": free_port(), "counter": free_port()}
            started.append(_spawned(["server.cli", "serve"], of_vacancy, folder))
            started.append(_spawned(["server.cli", "worker"], of_vacancy, folder))
            for name, port in ports.items():
                started.append(_spawned(["benchmarks.baseline", name, str(port)], of_baseline, folder))
            for port in (settings.port, *ports.values()):
                await _listening(port, folder)
            vacancy, worker, plain, counter = (
                Process(process.pid, port)
                for process, port in zip(started, (settings.port, 0, *ports.values()), strict=True)
            )
            stage = Stage(
                vacancy, worker, plain, counter, database, owner, hot, sold_out, sold_out_at, many, folder, settings
            )
            await stage.settle()
            yield stage
        finally:
            await owner.close()
            await database.close()


async def _resources(database: Database) -> tuple[Resource, Resource, list[Resource]]:
    """Like those of the example data: opening hours, a start every quarter of an hour."""
    venue: Venue = await make_venue(database, time_zone="UTC")
    # Holds outlast the run: none ends in one round and not in another.
    hot = await make_resource(database, venue=venue, capacity=PLENTY, rules=RULES)
    sold_out = await make_resource(database, venue=venue, capacity=1, rules=RULES, hold_seconds=1800)
    many = [await make_resource(database, venue=venue, capacity=PLENTY, rules=RULES) for _ in range(MANY)]
    return hot, sold_out, many


async def _baselines(
    owner_url: str, owner: "asyncpg.Connection", plenty: Sequence[Resource], sold_out: Resource
) -> None:
    """The baselines' tables, beside ours in the same database, with the same resources in them."""
    engine = owner_engine(owner_url)
    async with engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    await engine.dispose()
    await owner.execute(TABLES)
    rows = [(each.id, PLENTY) for each in plenty] + [(sold_out.id, 0)]
    await owner.executemany("INSERT INTO plain_resource (id, capacity) VALUES ($1, $2)", rows)
    await owner.executemany("INSERT INTO counter (id, capacity) VALUES ($1, $2)", rows)


def _spawned(module: Sequence[str], environment: dict[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("ab") as output:
        return spawn([sys.executable, "-P", "-m", *module], env=environment, death_signal=signal.SIGTERM, output=output)


async def _listening(port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text()) from None
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
