"""What has changed since somebody looked: by version, in one snapshot with the timelines that are read next."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

from models.database import Database
from models.interval import Interval
from models.keys import BookingKey, EntryKey, ResourceKey
from models.resource import Resource

VERSIONS_FOLDED_MAX = 1_000
"""A watcher that has missed more versions of a resource gets its whole window again: cheaper than to add them up."""

NEVER = -1
"""The version of a watcher that has seen nothing yet."""

_MOVED = "SELECT * FROM ledger_moved($1, $2, $3, $4)"

_BOOKING_VERSIONS = "SELECT * FROM ledger_booking_versions($1, $2)"

Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy


@dataclass(frozen=True, slots=True)
class Moved:
    """The version of a resource now, and where its timeline changed after the version that was asked about.

    `resource` is its row, None if the version is the same.
    The hull is [starts_at, ends_at), `ends_at` None: from then on. `is_known` False: it may have changed anywhere.
    """

    version: int
    is_known: bool
    resource: Resource | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def within(self, window: Interval) -> Interval | None:
        """The part of the window that may differ; None: nothing in it does."""
        if not self.is_known or self.starts_at is None:
            return window
        starts_at = max(self.starts_at, window.starts_at)
        ends_at = min(self.ends_at or window.ends_at, window.ends_at)
        return Interval(starts_at, ends_at) if starts_at < ends_at else None


@asynccontextmanager
async def one_snapshot(database: Database) -> AsyncIterator[Connection]:
    """A connection on which all that is read is of one instant, whatever is committed meanwhile.

    So the steps that are read are of the very version whose changes were asked for. It only reads, and takes no locks.
    """
    async with (
        database.ledger.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def read_moved(connection: Connection, questions: Sequence[tuple[ResourceKey, int]]) -> list[Moved | None]:
    """For each resource and version: what happened after it. None for a resource that does not exist. One statement.

    The version is `NEVER`, or one that the watcher has been told; any other is answered as unknown.
    """
    answers: list[Moved | None] = [None] * len(questions)
    if questions:
        rows = await connection.fetch(
            _MOVED,
            [key.organization_id for key, _ in questions],
            [key.id for key, _ in questions],
            [version for _, version in questions],
            VERSIONS_FOLDED_MAX,
        )
        for row in rows:
            resource = None if row["resource"] is None else Resource.model_validate(json.loads(row["resource"]))
            answers[row["position"] - 1] = Moved(
                row["version"], row["whole"], resource, row["starts_at"], row["ends_at"]
            )
    return answers


async def read_booking_versions(connection: Connection, keys: Sequence[BookingKey]) -> list[int | None]:
    """The version of each booking now, None for one that does not exist. One statement."""
    versions: list[int | None] = [None] * len(keys)
    if keys:
        rows = await connection.fetch(
            _BOOKING_VERSIONS, [key.organization_id for key in keys], [key.id for key in keys]
        )
        for row in rows:
            versions[row["position"] - 1] = row["version"]
    return versions


async def read_entry_versions(connection: Connection, keys: Sequence[EntryKey]) -> list[int | None]:
    """The version of each entry of a waitlist now, None for one that does not exist. One statement."""
    versions: list[int | None] = [None] * len(keys)
    if keys:
        rows = await connection.fetch(
            "SELECT * FROM ledger_entry_versions($1, $2)",
            [key.organization_id for key in keys],
            [key.id for key in keys],
        )
        for row in rows:
            versions[row["position"] - 1] = row["version"]
    return versions
