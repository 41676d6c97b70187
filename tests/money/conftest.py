"""A till for every test."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from models.database import Database
from tests.money.till import Till, make_places
from tests.payments.conftest import simulator, simulator_url
from tests.support.audits import audited
from tests.support.checkouts import gateway_to
from tests.support.payments import Simulator

__all__ = ["audited", "simulator", "simulator_url"]

PLACES = 10_000


@pytest.fixture
async def till(simulator: Simulator, database: Database, owner_url: str) -> AsyncIterator[Till]:
    async with (
        gateway_to(simulator.url) as gateway,
        asyncpg.create_pool(owner_url, min_size=1, max_size=4) as owner,
    ):
        places = await make_places(database, PLACES)
        yield Till(database, owner, gateway, simulator, simulator.client(), places)
