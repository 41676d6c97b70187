"""What the worker asks of the database for all organizations: see sql/60_worker.sql of the ledger."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from models.database import Database
from models.ledger.tables import OutboxKind


class OutboxRow(NamedTuple):
    """An outbox row: one version of a resource or a booking."""

    organization_id: uuid.UUID
    kind: OutboxKind
    entity_id: uuid.UUID
    version: int
    age_seconds: float = 0.0
    """Since its commit, as of when it was read, by the database's clock."""


class Backlog(NamedTuple):
    """How far behind the worker is, and who waits for a lock of the PostgreSQL server just now."""

    holds_over: int
    oldest_over_seconds: float
    unpublished: int
    oldest_unpublished_seconds: float
    waiting: int
    longest_wait_seconds: float


async def read_backlog(database: Database) -> Backlog:
    """The backlog as it is now; counts end at 10,000."""
    return Backlog(*await database.ledger.fetchrow("SELECT * FROM worker_backlog()"))


async def read_unpublished(database: Database, *, limit: int) -> list[OutboxRow]:
    """The oldest outbox rows that nobody has published yet, oldest first."""
    rows = await database.ledger.fetch(
        "SELECT u.*, extract(epoch FROM clock_timestamp() - u.created_at)::float AS age FROM worker_unpublished($1) u",
        limit,
    )
    return [
        OutboxRow(row["organization_id"], OutboxKind(row["kind"]), row["entity_id"], row["version"], row["age"])
        for row in rows
    ]


async def mark_published(database: Database, rows: Sequence[OutboxRow]) -> None:
    """These rows need not be published again. What another worker has marked meanwhile stays as it is."""
    await database.ledger.execute(
        "SELECT worker_mark_published($1, $2, $3, $4)",
        [row.organization_id for row in rows],
        [str(row.kind) for row in rows],
        [row.entity_id for row in rows],
        [row.version for row in rows],
    )


async def organizations_with_over_holds(database: Database, *, limit: int) -> list[uuid.UUID]:
    """The organizations in which a hold is over and has not ended yet."""
    rows = await database.ledger.fetch("SELECT * FROM worker_organizations_with_over_holds($1)", limit)
    return [row[0] for row in rows]


async def expire_over(database: Database, organization_id: uuid.UUID, *, limit: int, patient: bool) -> int:
    """End holds of an organization that are over; returns how many have ended.

    One transaction that locks their resources. Not `patient`: what is being admitted to just now is passed over.
    """
    ended: int = await database.ledger.fetchval(
        "SELECT worker_expire_over($1, $2, $3)", organization_id, limit, patient
    )
    return ended


async def fold(database: Database, *, older_than: timedelta, limit: int, points: int) -> int:
    """Fold what is older in at most `limit` timelines, `points` change points of each; returns in how many.

    One transaction that locks their resources; what is being admitted to just now is passed over.
    """
    folded: int = await database.ledger.fetchval("SELECT worker_fold($1, $2, $3)", older_than, limit, points)
    return folded


async def forget(database: Database, *, older_than: timedelta, limit: int) -> int:
    """Forget idempotency keys, quotes that came to nothing and published outbox rows that are older; returns how many.

    Webhooks too, after 30 days whatever `older_than` is. At most `limit` of each. Outbox rows that are looked at and
    stay, being the newest of their entity, are counted too.
    """
    forgotten: int = await database.ledger.fetchval("SELECT worker_forget($1, $2)", older_than, limit)
    return forgotten


async def analyze(database: Database) -> int:
    """Take statistics of small tables that have grown much: no plan for an empty table stays. Returns how many."""
    analyzed: int = await database.ledger.fetchval("SELECT worker_analyze()")
    return analyzed
