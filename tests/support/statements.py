"""Counting what reaches PostgreSQL, by either way: SQLAlchemy's engine, and the ledger's pool of bare connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import event

from models.database import Database


@contextmanager
def recorded_statements(database: Database) -> Iterator[list[str]]:
    """The list of every statement that is run while the `with` lasts, in order.

    What begins and ends a unit of work is not among them: BEGIN, ROLLBACK, and the word whom it is for.
    """
    statements: list[str] = []

    def by_engine(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith("SELECT set_config("):
            statements.append(statement)

    original = asyncpg.Connection._execute

    async def by_ledger(connection: Any, query: str, *arguments: Any, **named: Any) -> Any:
        statements.append(query)
        return await original(connection, query, *arguments, **named)

    event.listen(database.engine.sync_engine, "before_cursor_execute", by_engine)
    # SQLAlchemy prepares its statements and does not come this way, so nothing is counted twice.
    asyncpg.Connection._execute = by_ledger
    try:
        yield statements
    finally:
        asyncpg.Connection._execute = original
        event.remove(database.engine.sync_engine, "before_cursor_execute", by_engine)
