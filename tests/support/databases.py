"""The servers that a test run stands on, one template database on them, and a copy of it for each test.

By default the run brings its own PostgreSQL and Valkey, started at the first test that asks for them and once for all
xdist workers, and gone at its end. `VACANCY_TEST_DATABASE_URL` (a role that may create databases and roles) and
`VACANCY_TEST_REDIS_URL` name real servers instead. Each database has a random name and is dropped again.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from models.migrate import migrate
from server.embedded import embedded_servers
from server.embedded.state import is_taken

POOL_SIZE = 4
"""Connections of each pool of a test's `database`: few, since many tests run at once."""

FOLDER_PREFIX = "vacancy-test-"
LEFTOVER_SECONDS_MIN = 60.0

MEMORY = Path("/dev/shm")  # noqa: S108 - only for a 0700 folder with a random name
MEMORY_BYTES_MIN = 2 << 30
"""What the clusters of a run need at most: a gigabyte of write-ahead log, and some copies of eight megabytes."""


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """How to reach the servers of the run; plain strings, so that they can be handed to other processes."""

    owner_url: str
    app_url: str
    redis_url: str
    template: str

    def as_plain(self) -> dict[str, str]:
        """What xdist can carry to its workers."""
        return asdict(self)

    def of_database(self, name: str) -> "ServerUrls":
        """The same servers, another database."""
        return replace(self, owner_url=with_database(self.owner_url, name), app_url=with_database(self.app_url, name))


class TestRun:
    """The servers of one run: started when first asked for, stopped by `close`, which may be called at any time."""

    __test__ = False  # pytest would take the name for a test

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._stack = ExitStack()
        self._urls: ServerUrls | None = None

    def urls(self) -> ServerUrls:
        """The servers, with the template database in place. Call it from the main thread."""
        if self._urls is None:
            started = self._start()
            self._stack.callback(lambda: asyncio.run(drop_databases(started)))
            asyncio.run(make_template(started))
            self._urls = started
        return self._urls

    def close(self) -> None:
        """Drop every database of the run and stop what was started."""
        self._stack.close()

    def _start(self) -> ServerUrls:
        database_url = self._environment.get("VACANCY_TEST_DATABASE_URL")
        redis_url = self._environment.get("VACANCY_TEST_REDIS_URL")
        template = f"vacancy_test_{secrets.token_hex(6)}"
        if database_url and redis_url:
            return ServerUrls(database_url, database_url, redis_url, template)
        where = fast_folder() or Path(tempfile.gettempdir())
        _sweep(where)
        folder = tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=where)
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        servers = self._stack.enter_context(embedded_servers(Path(folder), durable=False))
        return ServerUrls(
            database_url or servers.owner_url, database_url or servers.app_url, redis_url or servers.redis_url, template
        )


def fast_folder() -> Path | None:
    """Memory, where there is enough and programs may be run from it: a database is copied there in 15 ms, not 200."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    found = os.statvfs(MEMORY)
    is_fit = found.f_bavail * found.f_frsize >= MEMORY_BYTES_MIN and not found.f_flag & os.ST_NOEXEC
    return MEMORY if is_fit else None


def _sweep(where: Path) -> None:
    """Remove what runs that were killed have left: a folder that has been there for a while, and that nobody owns."""
    for folder in where.glob(f"{FOLDER_PREFIX}*"):
        try:
            age_seconds = time.time() - folder.stat().st_mtime
        except FileNotFoundError:
            continue  # its run has just ended, and removed it
        if age_seconds > LEFTOVER_SECONDS_MIN and not is_taken(folder):
            shutil.rmtree(folder, ignore_errors=True)


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(url).set(drivername="postgresql", database=name).render_as_string(hide_password=False)


async def make_template(urls: ServerUrls) -> None:
    """Make the run's template by the migrations, and close it to connections, so that it can always be copied."""
    connection = await asyncpg.connect(with_database(urls.owner_url, "postgres"))
    try:
        await connection.execute(f'CREATE DATABASE "{urls.template}"')
        await migrate(with_database(urls.owner_url, urls.template))
        await connection.execute(f'ALTER DATABASE "{urls.template}" ALLOW_CONNECTIONS false')
    finally:
        await connection.close()


@asynccontextmanager
async def fresh_database(urls: ServerUrls, *, template: str | None = None) -> AsyncIterator[ServerUrls]:
    """A database of its own for as long as the `with` lasts: a copy of the run's template, about 14 ms."""
    name = f"{urls.template}_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(with_database(urls.owner_url, "postgres"))
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or urls.template}" STRATEGY file_copy')
        try:
            yield urls.of_database(name)
        finally:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def drop_databases(urls: ServerUrls) -> None:
    """Drop the template and whatever copy an interrupted test has left."""
    connection = await asyncpg.connect(with_database(urls.owner_url, "postgres"))
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", urls.template)
        for row in rows:
            await connection.execute(f'DROP DATABASE IF EXISTS "{row["datname"]}" WITH (FORCE)')
    finally:
        await connection.close()


async def rows_of(owner: "asyncpg.Connection") -> Mapping[str, int]:
    """How many rows each table has. The outbox is left out: the worker clears it by itself."""
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = sorted({row["tablename"] for row in tables} - {"outbox"})
    row = await owner.fetchrow(f"SELECT {', '.join(f'(SELECT count(*) FROM {name}) AS {name}' for name in names)}")
    return dict(row)
