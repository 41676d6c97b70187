"""What is counted, asked for as Prometheus does, beside operations of which it is known what they are."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.database import Database
from models.queries.work import read_backlog
from models.resource import Resource
from schema.error_codes import ErrorCode
from schema.global_id import GlobalKind, encode
from server.audit import audit
from server.errors import OperatorError
from server.exposition import exposed
from server.metrics import WorkerMetrics, reason_of
from tests.server.support import client_of_app, settings_for
from tests.support.factories import key_of, let_run_out, make_hold, make_resource
from tests.support.ports import free_port
from tests.support.waiting import eventually, waits_for_a_lock

HOLD = """mutation($input: BookingHoldInput!) {
  bookingHold(input: $input) { token booking { id } errors { code } } }"""
TIMELINE = """{ node(id: "%s") { ... on Resource {
  timeline(window: { startsAt: "2030-06-01T00:00:00Z", endsAt: "2030-06-02T00:00:00Z" }) { version } } } }"""
EMAIL = "ada.of.the.metrics@example.com"

Samples = dict[tuple[str, tuple[str, ...]], float]


def read(text: str) -> Samples:
    """Each sample by its name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(samples: Samples, name: str, label: str | None = None) -> float:
    """Of all samples of this name, or of those that have this label."""
    return sum(
        value for (found, labels), value in samples.items() if found == name and (label is None or label in labels)
    )


@pytest.fixture
async def client(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of_app(settings_for(database_url, redis_url, tmp_path)) as found:
        yield found


async def scraped(client: httpx.AsyncClient) -> Samples:
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return read(response.text)


async def ask_to_hold(client: httpx.AsyncClient, resource: Resource, key: str) -> httpx.Response:
    begins = (datetime.now(UTC) + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    window = {"startsAt": begins.isoformat(), "endsAt": (begins + timedelta(hours=1)).isoformat()}
    item = {"resourceId": encode(GlobalKind.RESOURCE, *key_of(resource)), "window": window}
    asked = {"idempotencyKey": key, "items": [item], "contact": {"email": EMAIL}}
    return await client.post("/graphql", json={"query": HOLD, "variables": {"input": asked}})


async def test_admissions_are_counted_by_outcome(client: httpx.AsyncClient, database: Database) -> None:
    resource = await make_resource(database, capacity=1)
    for key in ("the first intent", "the first intent"):
        await ask_to_hold(client, resource, key)
    answer = await ask_to_hold(client, resource, "the second intent")
    assert answer.json()["data"]["bookingHold"]["errors"][0]["code"] == "SOLD_OUT"
    await ask_to_hold(client, resource, "short")
    found = await scraped(client)
    for outcome in ("held", "replayed", "sold_out", "invalid_input"):
        assert found["vacancy_admissions_total", (outcome,)] == 1, outcome
    assert found["vacancy_operations_total", ("mutation", "ok")] == 4, "a refusal is an answer"
    assert found["vacancy_operation_seconds_count", ("mutation",)] == 4
    names = {labels[0] for name, labels in found if name == "vacancy_transaction_seconds_count"}
    assert any(name.startswith("ledger_hold") for name in names)
    assert total(found, "vacancy_transaction_seconds_count") >= 3
    assert total(found, "vacancy_transaction_seconds_sum") > 0


@pytest.mark.parametrize("keep", [True, False])
async def test_it_is_told_where_timelines_were_found_and_what_was_refused_at_sight(
    database_url: str, redis_url: str, tmp_path: Path, database: Database, keep: bool
) -> None:
    resource = await make_resource(database, capacity=1)
    settings = settings_for(database_url, redis_url, tmp_path, keep_timelines=keep)
    async with client_of_app(settings) as client:
        for number in range(3):
            await ask_to_hold(client, resource, f"one of several intents {number}")
            await client.post("/graphql", json={"query": TIMELINE % encode(GlobalKind.RESOURCE, *key_of(resource))})
        found = await scraped(client)
    assert found["vacancy_admissions_total", ("sold_out",)] == 2
    assert found.get(("vacancy_sold_out_looks_total", ("refused",)), 0) == (1 if keep else 0)
    read_from = {labels[0] for name, labels in found if name == "vacancy_timelines_read_total"}
    assert read_from == ({"memory", "database"} if keep else set())


async def test_a_wait_for_a_lock_that_took_too_long_is_counted(
    client: httpx.AsyncClient, database: Database, owner: "asyncpg.Connection"
) -> None:
    resource = await make_resource(database)
    async with owner.transaction():
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", resource.id)
        asking = asyncio.create_task(ask_to_hold(client, resource, "one that has to wait"))
        await waits_for_a_lock(owner)
        during = await scraped(client)
        assert during["vacancy_work_in_flight", ()] == 1
        assert during["vacancy_pool_connections", ("ledger", "in_use")] >= 1
        backlog = await read_backlog(database)
        assert backlog.waiting >= 1
        assert backlog.longest_wait_seconds > 0
        assert (await asking).json()["data"]["bookingHold"]["errors"][0]["code"] == "BUSY"
    found = await scraped(client)
    assert total(found, "vacancy_transaction_failures_total", "lock_timeout") == 1
    assert found["vacancy_admissions_total", ("busy",)] == 1
    assert found["vacancy_work_in_flight", ()] == 0


async def test_calls_that_wait_for_a_connection_are_told(database: Database) -> None:
    size = database.ledger.get_max_size()
    slow = [asyncio.create_task(database.ledger.execute("SELECT pg_sleep(0.5)")) for _ in range(size + 3)]

    async def three_wait() -> bool:
        return database.waiting == 3

    await eventually(three_wait)
    await asyncio.gather(*slow)
    assert database.waiting == 0


async def test_operations_are_counted_by_kind_and_requests_by_path(client: httpx.AsyncClient) -> None:
    for query in ("{ viewer { role } }", "query { viewer { role } }", "{ nothing }", "{", "subscription { nothing }"):
        await client.post("/graphql", json={"query": query})
    await client.get(f"/people/{EMAIL}")
    found = await scraped(client)
    assert found["vacancy_operations_total", ("query", "ok")] == 2
    assert found["vacancy_operations_total", ("query", "refused")] == 1
    assert found["vacancy_operations_total", ("subscription", "refused")] == 1
    assert found["vacancy_operations_total", ("unknown", "refused")] == 1
    assert found["vacancy_http_requests_total", ("/graphql", "200")] >= 2
    assert found["vacancy_http_requests_total", ("(other)", "404")] == 1


async def test_no_label_holds_what_somebody_sent(client: httpx.AsyncClient, database: Database) -> None:
    answer = await ask_to_hold(client, await make_resource(database), f"a key {EMAIL}")
    token = answer.json()["data"]["bookingHold"]["token"]
    await client.get(f"/{EMAIL}?email={EMAIL}", headers={"X-Request-Id": EMAIL, "Authorization": f"Bearer {token}"})
    text = (await client.get("/metrics")).text
    assert EMAIL not in text
    assert token not in text


async def test_an_answer_has_the_id_of_its_request(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez", headers={"X-Request-Id": "from-outside-1"})).headers["x-request-id"] == (
        "from-outside-1"
    )
    made = set()
    for given in ("", "short", "x" * 65, "two words", EMAIL, 'a"quote"inside'):
        id_ = (await client.get("/livez", headers={"X-Request-Id": given})).headers["x-request-id"]
        assert id_ != given
        made.add(id_)
    assert len(made) == 6


async def test_a_line_for_each_request_if_that_is_wanted(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "vacancy.requests"):
        await client.get(f"/{EMAIL}?email={EMAIL}")
    fields = caplog.records[0].fields  # type: ignore[attr-defined]  # of `extra`
    assert fields.pop("ms") >= 0
    assert fields == {"method": "GET", "path": "(other)", "status": 404}
    assert EMAIL not in "".join(record.getMessage() for record in caplog.records if record.name == "vacancy.requests")


async def test_a_worker_answers_on_a_port_of_its_own(database: Database, owner: "asyncpg.Connection") -> None:
    metrics, port = WorkerMetrics(), free_port()
    held = await make_hold(database, await make_resource(database))
    await let_run_out(owner, held)
    metrics.look(await read_backlog(database))
    metrics.published([0.02, 7.0])
    with exposed(metrics, "127.0.0.1", port):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            found = read((await client.get("/metrics")).text)
        with pytest.raises(OperatorError, match="VACANCY_METRICS_PORT"), exposed(metrics, "127.0.0.1", port):
            pass
    assert found["vacancy_holds_over", ()] == 1
    assert found["vacancy_hold_expiry_lag_seconds", ()] >= 1
    assert found["vacancy_outbox_unpublished", ()] == 2
    assert found["vacancy_outbox_lag_seconds", ()] > 0
    assert found["vacancy_relay_lag_seconds_count", ()] == 2


@pytest.mark.unaudited
async def test_an_audit_leaves_its_counts_in_a_file(
    database: Database, database_url: str, owner: "asyncpg.Connection", tmp_path: Path
) -> None:
    with (tmp_path / "out").open("w") as out:
        resource = await make_resource(database)
        assert await audit(database_url, out, metrics=tmp_path / "audit.prom") == 0
        found = read((tmp_path / "audit.prom").read_text())
        assert found["vacancy_audit_violations", ("1",)] == 0
        assert found["vacancy_audit_timestamp_seconds", ()] > 1e9
        await owner.execute("DELETE FROM timeline WHERE resource_id = $1", resource.id)
        violations = await audit(database_url, out, metrics=tmp_path / "audit.prom")
        found = read((tmp_path / "audit.prom").read_text())
        assert total(found, "vacancy_audit_violations") == violations > 0
        with pytest.raises(OperatorError, match="--metrics"):
            await audit(database_url, out, metrics=tmp_path / "nowhere" / "audit.prom")


def test_names_that_nobody_foresaw_stay_few() -> None:
    metrics = WorkerMetrics()
    for number in range(1_000):
        metrics.called(f"ledger_{number}", 0.0, None)
        metrics.admitted(f"CODE_{number}")
    for code in ErrorCode:
        metrics.admitted(code)
    text = metrics.text().decode()
    assert text.count("vacancy_transaction_seconds_count{") == 101
    assert 'vacancy_admissions_total{outcome="other"} 1000.0' in text
    assert 'vacancy_admissions_total{outcome="sold_out"} 1.0' in text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (asyncpg.LockNotAvailableError(), "lock_timeout"),
        (asyncpg.QueryCanceledError(), "timeout"),
        (TimeoutError(), "timeout"),
        (asyncpg.DeadlockDetectedError(), "deadlock"),
        (asyncpg.SerializationError(), "serialization"),
        (asyncpg.UniqueViolationError(), "constraint"),
        (ConnectionResetError(), "connection"),
        (asyncpg.ConnectionDoesNotExistError(), "connection"),
        (asyncpg.AdminShutdownError(), "database"),
        (KeyError("x"), "application"),
    ],
)
def test_why_a_transaction_failed_is_told_in_few_words(error: BaseException, reason: str) -> None:
    assert reason_of(error) == reason


async def test_ready_tells_of_redis_and_does_not_require_it(database_url: str, redis_url: str, tmp_path: Path) -> None:
    for url, status, redis in (
        (redis_url, "ready", "ok"),
        (f"unix://{tmp_path}/nothing.sock", "degraded", "down"),
        (None, "ready", "none"),
    ):
        async with client_of_app(settings_for(database_url, url, tmp_path)) as client:
            response = await client.get("/readyz")
            assert response.status_code == 200
            assert json.loads(response.text) == {"status": status, "database": "ok", "redis": redis}
