"""Fixtures of every test: a database of its own, as the application sees it and as its owner does, and a Redis."""

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from models.database import Database, connect
from tests.support.databases import POOL_SIZE, ServerUrls, TestRun, fresh_database

RUN = pytest.StashKey[TestRun]()
PROPERTY_EXAMPLES = int(os.environ.get("VACANCY_TEST_EXAMPLES", "60"))

# No deadline per example: what a database does takes as long as it takes; a test's own timeout bounds the whole.
settings.register_profile(
    "vacancy",
    max_examples=PROPERTY_EXAMPLES,
    deadline=None,
    derandomize="VACANCY_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("vacancy")


def pytest_configure(config: pytest.Config) -> None:
    """Each process has a run; only the one that no other process started will ever start servers."""
    config.stash[RUN] = TestRun(os.environ)
    config.addinivalue_line("markers", "unaudited: the test breaks the ledger on purpose, so it is not audited after")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """xdist's controller starts the servers, and tells each worker where they are."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist has no types
    node.workerinput["vacancy_servers"] = config.stash[RUN].urls().as_plain()  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The end of the run, whether its tests passed, failed or were interrupted."""
    if RUN in config.stash:
        config.stash[RUN].close()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> ServerUrls:
    """The servers of the run; their database is the maintenance one: tests use `database_url`."""
    handed_down: dict[str, str] | None = getattr(request.config, "workerinput", {}).get("vacancy_servers")
    if handed_down is not None:
        return ServerUrls(**handed_down)
    return request.config.stash[RUN].urls()


@pytest.fixture(scope="session")
def redis_url(servers: ServerUrls) -> str:
    """The run's Valkey. It is shared by concurrent tests: use channels of fresh organizations only, never flush it."""
    return servers.redis_url


@pytest.fixture
async def database_urls(servers: ServerUrls) -> AsyncIterator[ServerUrls]:
    """A fresh database for this test: migrated, empty, dropped afterwards."""
    async with fresh_database(servers) as urls:
        yield urls


@pytest.fixture
def database_url(database_urls: ServerUrls) -> str:
    """The test's database, as the application's login role."""
    return database_urls.app_url


@pytest.fixture
def owner_url(database_urls: ServerUrls) -> str:
    """The test's database, as the role that owns its tables."""
    return database_urls.owner_url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The test's database as the code reaches it, working as `vacancy_app`."""
    connected = await connect(database_url, pool_size=POOL_SIZE)
    try:
        yield connected
    finally:
        await connected.close()


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator["asyncpg.Connection"]:
    """A bare connection to the test's database as the owner of its tables, in autocommit."""
    connection = await asyncpg.connect(owner_url)
    try:
        yield connection
    finally:
        await connection.close()
