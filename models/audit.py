"""The invariants as statements that find what breaks them (queries/audit.sql), all read in one snapshot."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from models.database import CONNECT_TIMEOUT_SECONDS

EXAMPLES_MAX = 5
ROWS_AT_ONCE = 500

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
    call = f"SELECT * FROM {_function(INVARIANTS.index(invariant))}($1)"  # noqa: S608 - our own name
    row = await connection.fetchrow(call, EXAMPLES_MAX)
    return Finding(invariant, row["count"], tuple(row["examples"] or ()))


async def money_of_bookings(connection: "asyncpg.Connection") -> AsyncIterator[Mapping[str, Any]]:
    """What was taken of each booking, and what it was agreed on: rows of `audit_money`, of one snapshot."""
    async for row in connection.cursor("SELECT * FROM audit_money()", prefetch=ROWS_AT_ONCE):
        yield row


async def count_rows(connection: "asyncpg.Connection") -> dict[str, int]:
    """How much there is to look at, by kind: an audit of nothing finds nothing."""
    return dict(await connection.fetchrow("SELECT * FROM audit_rows()"))


def functions() -> str:
    """The script that installs the invariants as functions, with the ledger's own (`models.migrate`).

    Whoever audits works as the application's role, which sees one organization at a time; the functions look at all
    of them with the owner's rights, and tell ids only.
    """
    return "".join(
        f"""
        CREATE OR REPLACE FUNCTION {_function(position)}(p_examples_max integer)
        RETURNS TABLE (count bigint, examples text[])
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $audit$
            SELECT count(*), (array_agg(violation ORDER BY violation))[:p_examples_max] FROM (
            {invariant.violations}
            ) found
        $audit$;
        REVOKE ALL ON FUNCTION {_function(position)} FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION {_function(position)} TO vacancy_app;
        """  # noqa: S608 - our file
        for position, invariant in enumerate(INVARIANTS)
    )


def _function(position: int) -> str:
    return f"audit_{position + 1}"
