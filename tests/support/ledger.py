"""Looking at the ledger from outside of it."""

import uuid
from datetime import datetime
from typing import NamedTuple

import asyncpg

from models.resource import Resource
from tests.support.factories import DAY


class StepRow(NamedTuple):
    """A row of the timeline, its instant as "dawn" or the time on the tests' day."""

    at: str
    capacity: int
    taken: int
    sharing_key: str | None
    closed: bool


async def timeline_of(owner: "asyncpg.Connection", resource: Resource) -> list[StepRow]:
    """The stored timeline of a resource, whole."""
    rows = await owner.fetch(
        "SELECT CASE WHEN at = '-infinity' THEN NULL ELSE at END AS at, capacity, taken, sharing_key, closed"
        " FROM timeline t WHERE organization_id = $1 AND resource_id = $2 ORDER BY t.at",
        resource.organization_id,
        resource.id,
    )
    return [StepRow(_time(row["at"]), *list(row)[1:]) for row in rows]


async def taken_of(owner: "asyncpg.Connection", resource: Resource) -> list[tuple[str, int]]:
    """What is taken, from which time on."""
    return [(step.at, step.taken) for step in await timeline_of(owner, resource)]


async def version_of(owner: "asyncpg.Connection", resource: Resource) -> int:
    """The resource's version as stored."""
    version: int = await owner.fetchval("SELECT version FROM resource WHERE id = $1", resource.id)
    return version


async def count_of(owner: "asyncpg.Connection", table: str) -> int:
    """How many rows a table has."""
    count: int = await owner.fetchval(f"SELECT count(*) FROM {table}")
    return count


async def status_of(owner: "asyncpg.Connection", booking_id: uuid.UUID) -> str:
    """A booking's status as stored."""
    status: str = await owner.fetchval("SELECT status FROM booking WHERE id = $1", booking_id)
    return status


def _time(at: datetime | None) -> str:
    if at is None:
        return "dawn"
    text = f"{at:%Y-%m-%d %H:%M}"
    return text.removeprefix(f"{DAY} ")
