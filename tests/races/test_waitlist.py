"""Workers, guests who cancel and guests who book directly, all at one resource: who is offered what, and how often."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from engine import offers
from engine.holds import hold as engine_hold
from engine.offers import offer_free
from models.database import Database, connect
from models.errors import BookingError
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction
from models.queries.waitlist import read_entry
from models.resource import Resource
from models.waitlist import WaitlistEntry
from server.offerer import offer_once
from tests.support.factories import (
    JOINED_AT,
    change_of,
    entry_key_of,
    key_of,
    make_booking,
    make_entry,
    make_hold,
    make_resource,
)

CAPACITY = 8
ENTRIES = 24
BOOKERS = 4
LIVE = "('ON_HOLD', 'PENDING', 'CONFIRMED')"


@pytest.fixture
async def workers(database_url: str) -> AsyncIterator[list[Database]]:
    """Two worker processes' worth of connections."""
    opened = [await connect(database_url, pool_size=2) for _ in range(2)]
    yield opened
    for each in opened:
        await each.close()


@pytest.fixture
async def looking(owner_url: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """Connections that see everything, for many at once."""
    async with asyncpg.create_pool(owner_url, min_size=2, max_size=2) as pool:
        yield pool


async def offers_of(owner: Any, entry: WaitlistEntry) -> int:
    """How many live bookings are made for the entry: nobody else has its address."""
    count: int = await owner.fetchval(
        f"SELECT count(*) FROM booking WHERE contact_email = $1 AND status IN {LIVE}",
        entry.contact_email,
    )
    return count


async def test_everybody_at_once(
    database: Database, owner: asyncpg.Connection, looking: "asyncpg.Pool[asyncpg.Record]", workers: list[Database]
) -> None:
    """Never oversold (the audit), one live offer for each, whole, and in order among those who want the same."""
    resource = await make_resource(database, capacity=CAPACITY)
    booked = [await make_booking(database, resource, quantity=2) for _ in range(CAPACITY // 2)]
    entries = [await make_entry(database, resource, quantity=random.choice((1, 1, 2, 3))) for _ in range(ENTRIES)]
    ended = asyncio.Event()

    async def work(worker: Database) -> None:
        while not ended.is_set():
            await offer_once(worker, now=lambda: JOINED_AT)
            await asyncio.sleep(0.005)

    async def cancel(record: BookingRecord) -> None:
        await asyncio.sleep(random.uniform(0, 0.5))
        await calls.change_booking(database, change_of(record, BookingAction.CANCEL))

    async def book() -> None:
        for _ in range(20):
            with suppress(BookingError):
                record = await make_hold(database, resource, quantity=random.choice((1, 2)), contact=NO_CONTACT)
                await calls.change_booking(database, change_of(record, BookingAction.RELEASE))
            await asyncio.sleep(random.uniform(0, 0.02))

    async def answer(entry: WaitlistEntry) -> None:
        """A guest who takes what is offered and goes soon after, so that the next may come."""
        while True:
            now = await read_entry(database, entry_key_of(entry))
            assert now is not None
            assert await offers_of(looking, entry) <= 1
            if now.booking_id is not None:
                record = await calls.read_booking(database, now.organization_id, now.booking_id)
                assert record is not None
                await calls.change_booking(database, change_of(record, BookingAction.CONFIRM))
                await calls.change_booking(database, change_of(record, BookingAction.CANCEL))
                return
            await asyncio.sleep(0.02)

    working = [asyncio.create_task(work(worker)) for worker in workers]
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(
                *(cancel(record) for record in booked),
                *(book() for _ in range(BOOKERS)),
                *(answer(entry) for entry in entries),
            )
    finally:
        ended.set()
        await asyncio.gather(*working)
    assert await owner.fetchval("SELECT count(*) FROM waitlist_entry WHERE status <> 'ACCEPTED'") == 0
    for quantity in (1, 2, 3):
        equals = [entry.id for entry in entries if entry.quantity == quantity]
        offered = await owner.fetch(
            "SELECT entry_id FROM waitlist_event WHERE status = 'OFFERED' AND entry_id = ANY ($1) ORDER BY created_at",
            equals,
        )
        assert [row["entry_id"] for row in offered] == equals


async def test_two_workers_that_have_chosen_the_same_entry_make_one_offer(
    database: Database, owner: asyncpg.Connection, workers: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that is over: both look through the list, and both hold."""
    resource = await make_resource(database, capacity=4)
    entry = await make_entry(database, resource)
    await look_together(workers, resource, monkeypatch)
    assert await offers_of(owner, entry) == 1


@pytest.mark.unaudited
async def test_without_the_comparison_it_is_offered_twice(
    database: Database, owner: asyncpg.Connection, workers: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: no key of the offer's own, and no look at what the entry is by now."""
    resource = await make_resource(database, capacity=4)
    entry = await make_entry(database, resource)
    await owner.execute("""
        CREATE OR REPLACE FUNCTION waitlist_offered(p_organization_id uuid, p_requests jsonb)
        RETURNS void LANGUAGE sql AS $$
            UPDATE waitlist_entry SET status = 'OFFERED', booking_id = (p_requests->0->>'booking_id')::uuid, offers = 1
             WHERE organization_id = p_organization_id AND id = (p_requests->0->>'offer_to')::uuid
        $$
    """)
    monkeypatch.setattr(offers, "key_of_offer", lambda entry: secrets.token_hex(16))
    await look_together(workers, resource, monkeypatch)
    assert await offers_of(owner, entry) == 2


async def test_the_comparison_alone_is_enough(
    database: Database, owner: asyncpg.Connection, workers: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = await make_resource(database, capacity=4)
    entry = await make_entry(database, resource)
    monkeypatch.setattr(offers, "key_of_offer", lambda entry: secrets.token_hex(16))
    await look_together(workers, resource, monkeypatch)
    assert await offers_of(owner, entry) == 1


async def look_together(workers: list[Database], resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """All workers choose the entry before any of them holds."""
    chosen = asyncio.Barrier(len(workers))
    held = engine_hold

    async def hold_together(*asked: Any, **more: Any) -> BookingRecord:
        await chosen.wait()
        return await held(*asked, **more)

    with monkeypatch.context() as patch:
        patch.setattr(offers, "hold", hold_together)
        async with asyncio.timeout(20):
            await asyncio.gather(*(offer_free(worker, key_of(resource), now=lambda: JOINED_AT) for worker in workers))
