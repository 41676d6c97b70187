import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.database import Database
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.ledger.tables import OutboxKind
from models.queries.work import OutboxRow, mark_published, read_unpublished
from subscriptions.channels import Entity, Hint, channel_of, connect, decode, encode
from subscriptions.ending import end
from subscriptions.outage import Outage
from subscriptions.relay import newest, relay, relay_batch
from tests.support.factories import change_of, make_hold, make_resource

HINTS_SECONDS_MAX = 5.0


@asynccontextmanager
async def listening(redis_url: str, organization_id: uuid.UUID) -> AsyncIterator[PubSub]:
    async with Redis.from_url(redis_url, decode_responses=True) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(channel_of(organization_id))
        assert await pubsub.get_message(timeout=HINTS_SECONDS_MAX) is not None
        yield pubsub


async def hints_of(pubsub: PubSub, count: int) -> list[Hint]:
    found: list[Hint] = []
    async with asyncio.timeout(HINTS_SECONDS_MAX):
        while len(found) < count:
            message = await pubsub.get_message(timeout=0.1)
            if message is not None:
                hint = decode(message["channel"], message["data"])
                assert hint is not None
                found.append(hint)
    return found


async def test_what_was_committed_is_published_with_its_newest_version_and_then_marked(
    database: Database, redis_url: str
) -> None:
    resource = await make_resource(database)
    held = await make_hold(database, resource)
    await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))
    redis = connect(redis_url)
    async with listening(redis_url, resource.organization_id) as pubsub:
        assert await relay_batch(database, redis) == 3
        hints = await hints_of(pubsub, 2)
    await redis.aclose()
    organization_id = resource.organization_id
    assert set(hints) == {
        Hint(Entity(organization_id, OutboxKind.RESOURCE, resource.id), 1),
        Hint(Entity(organization_id, OutboxKind.BOOKING, held.booking.id), 2),
    }
    assert await read_unpublished(database, limit=10) == []


async def test_nothing_is_marked_that_redis_has_not_taken(database: Database, tmp_path: Path) -> None:
    await make_hold(database, await make_resource(database))
    redis = connect(f"unix://{tmp_path}/nothing.sock")
    with pytest.raises(RedisError):
        await relay_batch(database, redis)
    await redis.aclose()
    assert len(await read_unpublished(database, limit=10)) == 2


async def test_without_a_redis_rows_are_only_marked(database: Database) -> None:
    await make_hold(database, await make_resource(database))
    assert await relay_batch(database, None) == 2
    assert await relay_batch(database, None) == 0


async def test_several_relays_publish_all_at_least_once(database: Database, redis_url: str) -> None:
    resource = await make_resource(database, capacity=60)
    async with listening(redis_url, resource.organization_id) as pubsub:
        relays = [asyncio.create_task(relay(database, redis_url)) for _ in range(3)]
        held = [await make_hold(database, resource) for _ in range(20)]
        wanted = {record.booking.id for record in held}
        async with asyncio.timeout(HINTS_SECONDS_MAX):
            while wanted:
                (hint,) = await hints_of(pubsub, 1)
                wanted.discard(hint.entity.id)
        await end(relays)
        assert all(task.done() for task in relays)


async def test_marking_twice_keeps_the_first_instant(database: Database, owner: asyncpg.Connection) -> None:
    await make_hold(database, await make_resource(database))
    rows = await read_unpublished(database, limit=10)
    await mark_published(database, rows)
    first = await owner.fetch("SELECT published_at FROM outbox ORDER BY entity_id")
    await mark_published(database, rows)
    assert first == await owner.fetch("SELECT published_at FROM outbox ORDER BY entity_id")


def test_of_many_versions_the_newest_is_told() -> None:
    organization_id, entity_id = uuid.uuid4(), uuid.uuid4()
    rows = [OutboxRow(organization_id, OutboxKind.RESOURCE, entity_id, version) for version in (3, 5, 4)]
    assert newest(rows) == [Hint(Entity(organization_id, OutboxKind.RESOURCE, entity_id), 5)]


def test_a_hint_says_which_version_of_what_and_nothing_else() -> None:
    hint = Hint(Entity(uuid.uuid4(), OutboxKind.BOOKING, uuid.uuid4()), 2**40)
    assert decode(channel_of(hint.entity.organization_id), encode(hint)) == hint
    assert str(hint.entity.organization_id) not in encode(hint)


@pytest.mark.parametrize(
    "message",
    ["", "{", "7", "null", "[]", "{}", '{"kind": "KING", "id": "x", "version": 1}', '{"id": 7, "kind": 7}', "\x00"],
)
def test_whatever_else_is_published_is_passed_over(message: str) -> None:
    assert decode(channel_of(uuid.uuid4()), message) is None
    valid = encode(Hint(Entity(uuid.uuid4(), OutboxKind.BOOKING, uuid.uuid4()), 1))
    assert decode("vacancy:nobody", valid) is None


def test_an_outage_is_told_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("The relay", first_pause_seconds=0.1, pause_seconds_max=0.5)
    with caplog.at_level(logging.WARNING, logger="vacancy"):
        outage.over()
        pauses = [outage.failed(ConnectionError("refused")) for _ in range(5)]
        outage.failed(TimeoutError())
        outage.over()
        outage.failed(KeyError("a mistake"))
    assert pauses == [0.1, 0.2, 0.4, 0.5, 0.5]
    told = [(record.levelname, bool(record.exc_info)) for record in caplog.records]
    assert told == [("WARNING", False), ("WARNING", False), ("WARNING", False), ("ERROR", True)]


async def test_an_outage_is_one_also_where_a_session_meets_it(
    database: Database, owner: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLAlchemy wraps what the driver raises, and repeats the statement."""
    outage = Outage("The offerer")
    async with database.reading() as session:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
        await owner.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(DBAPIError) as raised:
            await session.scalar(text("SELECT 'ada@example.com'"))
        await session.invalidate()
    with caplog.at_level(logging.WARNING, logger="vacancy"):
        outage.failed(raised.value)
    [record] = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "ada@example.com" in str(raised.value)
    assert "ada@example.com" not in caplog.text
