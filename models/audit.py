"""The invariants as statements that find what breaks them (queries/audit.sql), all read in one snapshot."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from models.database import CONNECT_TIMEOUT_SECONDS

EXAMPLES_MAX = 5

_HEADING = re.compile(r"^-- (\d+)\. (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Invariant:
    """What is promised, and the SELECT that tells each violation as text, by ids alone."""

    number: int
    promise: str
    violations: str


@dataclass(frozen=True, slots=True)
class Finding:
    """How often an invariant is broken, with at most EXAMPLES_MAX examples."""

    invariant: Invariant
    count: int
    examples: tuple[str, ...]


def _read(text: str) -> tuple[Invariant, ...]:
    """The statements of the file: each reaches from its heading to the next."""
    _, *parts = _HEADING.split(text)
    numbers, promises, statements = parts[0::3], parts[1::3], parts[2::3]
    return tuple(
        Invariant(int(number), promise, statement.strip())
        for number, promise, statement in zip(numbers, promises, statements, strict=True)
    )


INVARIANTS = _read((Path(__file__).parent / "queries" / "audit.sql").read_text())


@asynccontextmanager
async def snapshot(database_url: str) -> AsyncIterator["asyncpg.Connection"]:
    """A read-only transaction that sees the database as it is now, whatever is booked meanwhile; it locks no row."""
    connection = await asyncpg.connect(
        database_url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        server_settings={"role": "vacancy_app", "application_name": "vacancy audit", "timezone": "UTC", "jit": "off"},
    )
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


async def examine(connection: "asyncpg.Connection", invariant: Invariant) -> Finding:
    """Count what breaks the invariant. It reads whole tables: minutes, where there are many millions of bookings."""
    row = await connection.fetchrow(
        "SELECT count(*) AS count, (array_agg(violation ORDER BY violation))[:$1] AS examples"  # noqa: S608 - our file
        f" FROM ({invariant.violations}) found",
        EXAMPLES_MAX,
    )
    return Finding(invariant, row["count"], tuple(row["examples"] or ()))


async def count_rows(connection: "asyncpg.Connection") -> dict[str, int]:
    """How much there is to look at, by kind: an audit of nothing finds nothing."""
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM organization) AS organizations, (SELECT count(*) FROM resource) AS resources,"
        " (SELECT count(*) FROM booking) AS bookings, (SELECT count(*) FROM claim) AS claims"
    )
    return dict(row)
