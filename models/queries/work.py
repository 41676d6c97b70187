"""What the worker asks of the database for all organizations: see sql/60_worker.sql of the ledger."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from models.database import Database
from models.ledger.tables import OutboxKind


class OutboxRow(NamedTuple):
    """The key of an outbox row: one version of a resource or a booking."""

    organization_id: uuid.UUID
    kind: OutboxKind
    entity_id: uuid.UUID
    version: int


async def read_unpublished(database: Database, *, limit: int) -> list[OutboxRow]:
    """The oldest outbox rows that nobody has published yet, oldest first."""
    rows = await database.ledger.fetch("SELECT * FROM worker_unpublished($1)", limit)
    return [
        OutboxRow(row["organization_id"], OutboxKind(row["kind"]), row["entity_id"], row["version"]) for row in rows
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


async def forget(database: Database, *, older_than: timedelta, limit: int) -> int:
    """Forget idempotency keys and published outbox rows that are older, at most `limit` of each; returns how many."""
    forgotten: int = await database.ledger.fetchval("SELECT worker_forget($1, $2)", older_than, limit)
    return forgotten
