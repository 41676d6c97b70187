import asyncio
import dataclasses
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest

from models.database import Database, connect
from models.ledger.calls import read_booking
from models.ledger.records import BookingRecord
from models.queries.work import forget, read_unpublished
from server.embedded.process import spawn
from server.folding import POINTS_PER_TIMELINE_MAX, TIMELINES_PER_CALL_MAX, fold_once
from server.janitor import KEPT, ROWS_PER_CALL_MAX
from server.sweeper import sweep_once
from server.worker import work
from tests.server.support import settings_for
from tests.support.databases import POOL_SIZE
from tests.support.factories import at, key_of, let_run_out, make_booking, make_hold, make_resource
from tests.support.ports import free_port
from tests.support.waiting import eventually, waits_for_a_lock

ENDED_SECONDS_MAX = 5.0
PUBLISHED_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 6.0
"""Two seconds are promised; what is on top is for an interpreter that ends on a busy machine."""


async def status_of(database: Database, record: BookingRecord) -> str:
    found = await read_booking(database, record.booking.organization_id, record.booking.id)
    assert found is not None
    return found.booking.status


async def test_holds_that_are_over_are_ended_and_others_are_not(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    resource = await make_resource(database, capacity=3)
    over, other = await make_hold(database, resource), await make_hold(database, await make_resource(database))
    live = await make_hold(database, resource)
    await let_run_out(owner, over, other)
    assert await sweep_once(database, patient=False) == 2
    assert [await status_of(database, each) for each in (over, other, live)] == ["EXPIRED", "EXPIRED", "ON_HOLD"]
    assert await sweep_once(database, patient=True) == 0


async def test_what_is_being_admitted_to_is_passed_over_until_a_patient_round(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    resource = await make_resource(database)
    over = await make_hold(database, resource)
    await let_run_out(owner, over)
    async with owner.transaction():
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", resource.id)
        assert await sweep_once(database, patient=False) == 0
        patient = asyncio.create_task(sweep_once(database, patient=True))
        await waits_for_a_lock(owner)
        assert not patient.done()
    assert await patient == 1


async def test_many_are_ended_in_one_round(database: Database, owner: "asyncpg.Connection") -> None:
    resource = await make_resource(database, capacity=250)
    over = [await make_hold(database, resource) for _ in range(230)]
    await let_run_out(owner, *over)
    assert await sweep_once(database, patient=False) == 230


@pytest.mark.unaudited
async def test_old_hints_are_forgotten_but_for_the_newest(database: Database, owner: "asyncpg.Connection") -> None:
    resource = await make_resource(database, capacity=5)
    for _ in range(3):
        await make_hold(database, resource)
    await owner.execute("UPDATE outbox SET published_at = clock_timestamp() - interval '8 days'")
    await owner.execute("UPDATE idempotency SET created_at = clock_timestamp() - interval '8 days'")
    await forget(database, older_than=KEPT, limit=ROWS_PER_CALL_MAX)
    left = await owner.fetch("SELECT version FROM outbox WHERE entity_id = $1", key_of(resource).id)
    assert [row["version"] for row in left] == [3]
    assert await owner.fetchval("SELECT count(*) FROM idempotency") == 0
    assert await forget(database, older_than=KEPT, limit=ROWS_PER_CALL_MAX) == 0, "what stays is looked at once"

    await make_hold(database, resource)
    await owner.execute("UPDATE outbox SET published_at = clock_timestamp() - interval '8 days' WHERE version = 4")
    await forget(database, older_than=KEPT, limit=ROWS_PER_CALL_MAX)
    left = await owner.fetch("SELECT version FROM outbox WHERE entity_id = $1", key_of(resource).id)
    assert [row["version"] for row in left] == [4], "what was set aside goes when another takes its place"

    await make_hold(database, resource)
    await forget(database, older_than=KEPT, limit=ROWS_PER_CALL_MAX)
    left = await owner.fetch("SELECT version FROM outbox WHERE entity_id = $1 ORDER BY version", key_of(resource).id)
    assert [row["version"] for row in left] == [4, 5], "nothing that is young goes, published or not"


async def test_the_past_of_many_timelines_is_folded_in_one_round(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    """More timelines than a call takes; and one with more change points than a call takes."""
    resources = [await make_resource(database) for _ in range(TIMELINES_PER_CALL_MAX + 2)]
    for resource in resources:
        await make_booking(database, resource)
    await owner.execute(
        "INSERT INTO timeline"
        " SELECT organization_id, resource_id, at - n * interval '1 hour', capacity, taken, NULL, true"
        "  FROM timeline, generate_series(1, $2::int) n WHERE resource_id = $1 AND taken = 1",
        resources[0].id,
        2 * POINTS_PER_TIMELINE_MAX,
    )

    await fold_once(database, datetime.now(UTC) - at("20:00"))

    left = await owner.fetch("SELECT count(*) AS rows FROM timeline GROUP BY resource_id")
    assert [row["rows"] for row in left] == [2] * len(resources)


async def test_it_works_through_a_redis_that_is_down_and_a_database_that_cuts_it_off(
    database: Database,
    database_url: str,
    owner: "asyncpg.Connection",
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stopped = asyncio.Event()
    own = await connect(database_url, pool_size=POOL_SIZE)
    settings = settings_for(database_url, f"unix://{tmp_path}/nothing.sock", tmp_path)
    working = asyncio.create_task(work(own, settings, stopped))
    resource = await make_resource(database)
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    held = await make_hold(database, resource)
    await let_run_out(owner, held)

    async def has_ended() -> bool:
        return await status_of(database, held) == "EXPIRED"

    await eventually(has_ended, seconds_max=ENDED_SECONDS_MAX)
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL") == 0
    began = time.monotonic()
    stopped.set()
    await working
    assert time.monotonic() - began < 2
    assert sum("The relay" in record.message for record in caplog.records) <= 4, "an outage is told once"
    assert "Traceback" not in caplog.text


async def test_the_command_stops_when_it_is_told_to(database_url: str, redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, redis_url, tmp_path)
    for how in (signal.SIGTERM, signal.SIGINT):
        log = tmp_path / f"{how.name}.log"
        with log.open("wb") as output:
            process = spawn(
                [sys.executable, "-P", "-m", "server.cli", "worker"],
                env={"PATH": "/usr/bin:/bin", **settings.to_environment()},
                death_signal=signal.SIGKILL,
                output=output,
            )
        try:
            database = await connect(database_url, pool_size=1)
            try:
                await _until_published(database)
            finally:
                await database.close()
            began = time.monotonic()
            process.send_signal(how)
            assert await asyncio.to_thread(process.wait, 10) == 0
            assert time.monotonic() - began < STOP_SECONDS_MAX
        finally:
            process.kill()
            process.wait()
        assert log.read_text() == ""


async def test_the_command_answers_metrics_where_it_is_told_to(
    database: Database, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = dataclasses.replace(settings_for(database_url, redis_url, tmp_path), metrics_port=free_port())
    with (tmp_path / "worker.log").open("wb") as output:
        process = spawn(
            [sys.executable, "-P", "-m", "server.cli", "worker"],
            env={"PATH": "/usr/bin:/bin", **settings.to_environment()},
            death_signal=signal.SIGKILL,
            output=output,
        )
    try:
        await make_hold(database, await make_resource(database))
        async with httpx.AsyncClient(base_url=f"http://{settings.host}:{settings.metrics_port}") as client:

            async def both_versions_are_published() -> bool:
                try:
                    return "vacancy_relay_lag_seconds_count 2.0" in (await client.get("/metrics")).text
                except httpx.TransportError:
                    return False

            await eventually(both_versions_are_published, seconds_max=20.0)
            text = (await client.get("/metrics")).text
        assert "vacancy_hold_expiry_lag_seconds 0.0" in text
        assert 'vacancy_transaction_seconds_count{transaction="worker_unpublished"}' in text
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "worker.log").read_text() == ""


async def _until_published(database: Database) -> None:
    """Wait until the worker has done something: then it runs."""
    await make_hold(database, await make_resource(database))

    async def is_published() -> bool:
        return not await read_unpublished(database, limit=1)

    await eventually(is_published, seconds_max=PUBLISHED_SECONDS_MAX)
