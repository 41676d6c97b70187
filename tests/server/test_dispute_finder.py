"""Disputes of which no webhook has told: found by asking, written once, and settled as any other."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from engine.disputes import newly_disputed
from engine.payment import PaymentRefused, PaymentUnavailable
from models.database import Database, connect
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from models.ledger.webhooks import Taken, take_event
from server import dispute_finder
from server.dispute_finder import LOOK_BACK, find_disputes, find_disputes_once
from server.payment_settings import PaymentSettings
from server.worker import work
from tests.engine.checkout.conftest import till
from tests.payments.conftest import simulator, simulator_url
from tests.server.support import settings_for
from tests.support.audits import audited
from tests.support.checkouts import BACK, VISA, Till
from tests.support.databases import POOL_SIZE
from tests.support.factories import booking_key_of
from tests.support.payments import SECRET_KEY
from tests.support.prices import make_guesthouse, make_room
from tests.support.waiting import eventually

__all__ = ["audited", "simulator", "simulator_url", "till"]

NIGHT = 100_00
DISPUTED = ("DISPUTE", "REQUESTED", NIGHT)


@pytest.fixture
async def booked(till: Till, database: Database) -> BookingRecord:
    """A booking that is paid, and that nobody has a reason to look at."""
    record = await till.hold(await make_room(database, await make_guesthouse(database), capacity=1))
    assert (await till.begin(record, VISA)).error is None
    assert await till.collect() == 0
    return record


async def disputes(till: Till, record: BookingRecord) -> str:
    """Be a guest who asks the bank for the money back; the dispute's id."""
    told = await till.simulator.tell(f"/charges/{(await till.intent(record)).latest_charge}/dispute")
    return str(told["id"])


async def find(till: Till, now: datetime | None = None) -> int:
    """As a worker does once an hour; of how many bookings something was not written."""
    return await find_disputes_once(till.database, till.gateway, now=lambda: now or datetime.now(UTC))


async def webhook_comes(till: Till, record: BookingRecord, dispute: str) -> None:
    """A webhook about the dispute, and a round of the worker that follows."""
    key, now = booking_key_of(record), datetime.now(UTC)
    assert await take_event(till.database, key, f"evt_{dispute}", "charge.dispute.created", now) is Taken.NEW
    assert await till.collect() == 1


async def until_written(till: Till, record: BookingRecord, owner: asyncpg.Connection) -> None:
    """Wait until somebody has seen the dispute."""

    async def is_written() -> bool:
        return DISPUTED in await till.events(owner, record)

    await eventually(is_written)


@pytest.mark.parametrize("order", ["it is lost", "it comes first", "it comes later"])
async def test_with_its_webhook_or_without_a_dispute_is_written_once(
    till: Till, booked: BookingRecord, owner: asyncpg.Connection, order: str
) -> None:
    before = await till.events(owner, booked)
    dispute = await disputes(till, booked)
    assert await till.collect() == 0  # nobody has a reason to look, and none would see it
    assert await till.events(owner, booked) == before

    if order == "it comes first":
        await webhook_comes(till, booked, dispute)
    assert await find(till) == (0 if order == "it comes first" else 1)
    if order == "it comes later":
        await webhook_comes(till, booked, dispute)

    assert await find(till) == 0
    assert await till.events(owner, booked) == [*before, DISPUTED]
    assert (await till.payment(booked)).charged_back == NIGHT
    await till.change(booked, BookingAction.CANCEL)
    await till.collect()
    assert (await till.totals())["refunded"] == 0  # the bank has it: it does not go back twice


async def test_two_workers_that_find_it_at_once_write_it_once(
    till: Till, booked: BookingRecord, owner: asyncpg.Connection
) -> None:
    await disputes(till, booked)
    await asyncio.gather(*(find(till) for _ in range(4)))
    assert (await till.events(owner, booked)).count(DISPUTED) == 1


async def test_its_end_is_seen_though_no_webhook_tells_of_that_either(
    till: Till, booked: BookingRecord, owner: asyncpg.Connection
) -> None:
    dispute = await disputes(till, booked)
    await find(till)
    await till.simulator.tell(f"/disputes/{dispute}/decide", verdict="won")
    a_day_later = "UPDATE payment SET check_at = check_at - interval '1 day' RETURNING check_at <= clock_timestamp()"
    assert await owner.fetchval(a_day_later)
    assert await till.collect() == 1
    assert (await till.events(owner, booked))[-2:] == [DISPUTED, ("DISPUTE", "FAILED", NIGHT)]
    assert await find(till) == 0


async def test_what_is_older_or_of_others_is_left_alone(
    till: Till, booked: BookingRecord, owner: asyncpg.Connection
) -> None:
    before = await till.events(owner, booked)
    params: Any = {"amount": 500, "currency": "eur", "payment_method": "pm_card_createDispute", "return_url": BACK}
    await till.client.v1.payment_intents.create_async(params | {"confirm": True})
    assert len((await till.client.v1.disputes.list_async()).data) == 1
    assert await find(till) == 0
    await disputes(till, booked)
    assert await find(till, datetime.now(UTC) + LOOK_BACK + timedelta(minutes=1)) == 0
    assert await till.events(owner, booked) == before


async def test_who_does_not_answer_is_asked_again(till: Till, booked: BookingRecord) -> None:
    await disputes(till, booked)
    for operation in ("GET /v1/disputes", "GET /v1/payment_intents/*"):
        await till.simulator.fault("error_before", operation)
        with pytest.raises(PaymentUnavailable):
            await find(till)
    assert await find(till) == 1


async def test_the_loop_looks_at_once_and_goes_on_through_whatever_fails(
    till: Till,
    booked: BookingRecord,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures: list[Exception] = [
        PaymentUnavailable("It is away"),
        PaymentUnavailable("It is still away"),
        PaymentRefused("unauthorized", "It does not accept the key"),
        ConnectionError("The database is away"),
    ]

    async def looked_at(*asked: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return await newly_disputed(*asked, **more)

    monkeypatch.setattr(dispute_finder, "newly_disputed", looked_at)
    monkeypatch.setattr(dispute_finder, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(dispute_finder, "AWAY_SECONDS", 0.01)
    await disputes(till, booked)
    task = asyncio.create_task(find_disputes(till.database, till.gateway))

    with caplog.at_level(logging.WARNING):
        await until_written(till, booked, owner)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert [record.levelname for record in caplog.records[:3]] == ["WARNING", "ERROR", "WARNING"]
    assert caplog.messages[0] == "Disputes are looked for later: It is away"
    assert "does not accept the key" in caplog.messages[1]


async def test_a_worker_looks_when_it_starts(
    till: Till, booked: BookingRecord, owner: asyncpg.Connection, database_url: str, tmp_path: Path
) -> None:
    await disputes(till, booked)
    account = PaymentSettings(are_on=True, api_key=SECRET_KEY, url=till.simulator.url)
    stopped = asyncio.Event()
    own = await connect(database_url, pool_size=POOL_SIZE)
    working = asyncio.create_task(work(own, settings_for(database_url, None, tmp_path, payments=account), stopped))
    await until_written(till, booked, owner)
    stopped.set()
    await working
