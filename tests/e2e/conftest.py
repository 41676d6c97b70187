"""One platform for all tests of this folder in a process: starting it takes longer than most of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from models.database import Database, connect
from tests.e2e.clients import Client, client_of
from tests.e2e.platforms import POOL_SIZE, Platform, running_platform
from tests.e2e.world import World, make_world
from tests.support.databases import ServerUrls, rows_of


@pytest.fixture(scope="session")
def platform(servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Two servers and a worker with the example data. Tests share it: what they count, they make for themselves."""
    with running_platform(servers, tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture
async def guest(platform: Platform) -> AsyncIterator[Client]:
    """Somebody without an account, at the first server."""
    async with client_of(platform) as client:
        yield client


@pytest.fixture
async def platform_database(platform: Platform) -> AsyncIterator[Database]:
    """The platform's database, to make rows in that have no mutation, such as organizations."""
    database = await connect(platform.app_url, pool_size=POOL_SIZE)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(scope="session")
def world(platform: Platform) -> World:
    """Rows for these tests, made once."""
    return asyncio.run(make_world(platform))


@pytest.fixture
async def unharmed(platform: Platform) -> AsyncIterator[None]:
    """Nothing is written while the test runs, and no defect is logged."""
    owner = await asyncpg.connect(platform.owner_url)
    try:
        rows, log = await rows_of(owner), platform.log()
        yield
        assert await rows_of(owner) == rows
        assert platform.log() == log
    finally:
        await owner.close()
