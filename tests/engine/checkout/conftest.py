"""A guesthouse whose rooms cost 100.00 a night, and what collects it."""

from collections.abc import AsyncIterator

import pytest

from models.database import Database
from models.resource import Resource
from tests.payments.conftest import simulator, simulator_url
from tests.support.audits import audited
from tests.support.checkouts import Till, till_of
from tests.support.payments import Simulator
from tests.support.prices import make_guesthouse, make_room

__all__ = ["audited", "simulator", "simulator_url"]


@pytest.fixture
async def till(database: Database, simulator: Simulator) -> AsyncIterator[Till]:
    async with till_of(database, simulator) as till:
        yield till


@pytest.fixture
async def room(database: Database) -> Resource:
    """The last one of its kind."""
    return await make_room(database, await make_guesthouse(database), capacity=1)
