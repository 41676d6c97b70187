"""A till for every test: a simulator for all of a run, which forgets everything in between."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from models.database import Database
from tests.money.till import Till, make_places
from tests.support.audits import audited
from tests.support.checkouts import gateway_to
from tests.support.payments import Simulator, simulator_process

__all__ = ["audited"]

PLACES = 10_000


@pytest.fixture(scope="session")
def simulator_url() -> Iterator[str]:
    with simulator_process() as (url, _):
        yield url


@pytest.fixture
async def till(simulator_url: str, database: Database, owner_url: str) -> AsyncIterator[Till]:
    async with (
        Simulator(simulator_url) as simulator,
        gateway_to(simulator_url) as gateway,
        asyncpg.create_pool(owner_url, min_size=1, max_size=4) as owner,
    ):
        await simulator.tell("/reset")
        places = await make_places(database, PLACES)
        yield Till(database, owner, gateway, simulator, simulator.client(), places)
