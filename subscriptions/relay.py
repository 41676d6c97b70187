"""The outbox relay: what the ledger has committed becomes hints in Redis, at least once.

Several relays side by side are harmless, and so is one that stops between publishing and marking: a hint that comes
twice says nothing new. What is published is not ordered either, since each hint carries its version.
"""

import asyncio
import time
from collections.abc import Iterable

from redis.asyncio import Redis

from models.database import Database
from models.queries.work import OutboxRow, mark_published, read_unpublished
from subscriptions.channels import Entity, Hint, channel_of, connect, encode
from subscriptions.outage import Outage

BATCH_ROWS_MAX = 500
IDLE_PAUSE_SECONDS = 0.05
NOBODY_LISTENS_PAUSE_SECONDS = 1.0


async def relay(database: Database, redis_url: str | None) -> None:
    """Publish until cancelled, through failures of either server; nothing is marked that Redis has not taken.

    Without Redis there is nobody to tell (watchers look into the database by themselves), and rows are only marked.
    """
    outage = Outage("The relay of live updates")
    redis = connect(redis_url) if redis_url is not None else None
    idle_pause_seconds = IDLE_PAUSE_SECONDS if redis is not None else NOBODY_LISTENS_PAUSE_SECONDS
    try:
        while True:
            try:
                is_full = await relay_batch(database, redis) == BATCH_ROWS_MAX
                outage.over()
                pause_seconds = 0.0 if is_full else idle_pause_seconds
            except Exception as error:  # noqa: BLE001 - the loop goes on whatever happens; an outage is logged once
                pause_seconds = outage.failed(error)
            await asyncio.sleep(pause_seconds)
    finally:
        if redis is not None:
            await redis.aclose()


async def relay_batch(database: Database, redis: Redis | None) -> int:
    """Publish the oldest unpublished rows, then mark them; returns how many rows there were."""
    rows = await read_unpublished(database, limit=BATCH_ROWS_MAX)
    if not rows:
        return 0
    read_at = time.monotonic()
    if redis is not None:
        async with redis.pipeline(transaction=False) as pipeline:
            for hint in newest(rows):
                _ = pipeline.publish(channel_of(hint.entity.organization_id), encode(hint))
            await pipeline.execute()
        since_seconds = time.monotonic() - read_at
        database.observer.published([row.age_seconds + since_seconds for row in rows])
    await mark_published(database, rows)
    return len(rows)


def newest(rows: Iterable[OutboxRow]) -> list[Hint]:
    """One hint per entity, of its newest version: who is told of it looks for all before."""
    versions: dict[Entity, int] = {}
    for row in rows:
        entity = Entity(row.organization_id, row.kind, row.entity_id)
        versions[entity] = max(row.version, versions.get(entity, 0))
    return [Hint(entity, version) for entity, version in versions.items()]
