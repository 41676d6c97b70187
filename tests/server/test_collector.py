"""The loop that looks after payments: through failures of the provider, and with nobody to tell it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from models.database import Database
from models.ledger.payments import take_payments
from models.resource import Resource
from server.collector import collect
from tests.engine.checkout.conftest import till
from tests.payments.conftest import simulator, simulator_url
from tests.support.checkouts import Till
from tests.support.ledger import status_of
from tests.support.prices import make_guesthouse, make_room
from tests.support.waiting import eventually

__all__ = ["simulator", "simulator_url", "till"]

DUE = "UPDATE payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL"


@pytest.fixture
async def room(database: Database) -> Resource:
    return await make_room(database, await make_guesthouse(database), capacity=5)


@pytest.fixture
async def collecting(till: Till) -> AsyncIterator[None]:
    """The loop, while a test goes on."""
    task = asyncio.create_task(collect(till.database, till.gateway))
    yield
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_who_has_paid_is_booked_though_the_provider_was_away(
    till: Till, room: Resource, owner: asyncpg.Connection, collecting: None, caplog: pytest.LogCaptureFixture
) -> None:
    records = [await till.hold(room) for _ in range(3)]
    for record in records:
        await till.begin(record)
        await till.pay(record)
    await till.simulator.fault("error_before", "GET /v1/payment_intents/*", count=3)

    async def all_booked() -> bool:
        await owner.execute(DUE)
        return [await status_of(owner, record.booking.id) for record in records] == ["CONFIRMED"] * 3

    with caplog.at_level(logging.WARNING):
        await eventually(all_booked, seconds_max=60.0)

    assert [(await till.intent(record)).status for record in records] == ["succeeded"] * 3
    said = [record.message for record in caplog.records if record.name == "server.collector"]
    assert said == ["The payment provider does not answer.", "The payment provider answers again."]


async def test_what_one_worker_looks_after_no_other_does(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    for night in range(6):
        await till.begin(await till.hold(room, night=night))
    await owner.execute(DUE)
    taken = await asyncio.gather(*(take_payments(till.database, limit=2, lease_seconds=30) for _ in range(4)))
    ids = [key.id for keys in taken for key in keys]
    assert len(ids) == len(set(ids)) == 6
    assert await take_payments(till.database, limit=10, lease_seconds=30) == []
