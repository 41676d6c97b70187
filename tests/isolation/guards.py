"""The two guards, each as something that can be taken away: the scoping of the code, and the database's row security.

Scoping off is what somebody would do who forgets it everywhere: every comparison of an organization_id, in every
statement that SQLAlchemy sends and in every function that runs with the application's rights, is gone. What runs with
the owner's rights stays: row security is not over it, and so it is not what could make up for it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import event

from models.database import Database
from tests.isolation.tenants import tables_of

_COLUMN = r"(?:\w+\.)?organization_id"
_UUID = r"\$\d+(?:::UUID)?"
_WITH_PARAMETER = re.compile(rf"{_COLUMN} = (\$\d+)(?:::UUID)?")
_WITH_COLUMN = re.compile(rf"{_COLUMN} = (?:p_organization_id|{_COLUMN})\b")
_PAIRS = rf"\({_UUID}, {_UUID}\)(?:, \({_UUID}, {_UUID}\))*"
_OF_PAIRS = re.compile(rf"\(({_COLUMN}), ((?:\w+\.)?\w+)\) IN \(({_PAIRS})\)")
_PAIR = re.compile(rf"\((\$\d+)(?:::UUID)?, ({_UUID})\)")
_SCOPED = re.compile(r"organization_id(?:, [\w.]+\))? (?:=|IN) ")

_FUNCTIONS = """
SELECT pg_get_functiondef(p.oid) AS definition FROM pg_proc p
 WHERE p.pronamespace = 'public'::regnamespace AND NOT p.prosecdef AND p.proname ~ '^(ledger|worker)_'
   AND has_function_privilege('vacancy_app', p.oid, 'EXECUTE')
"""


def unscoped(statement: str) -> str:
    """The statement without its comparisons of organizations; each parameter stays, so that its type is known."""
    statement = _OF_PAIRS.sub(_without_first, statement)
    statement = _WITH_PARAMETER.sub(r"\1::UUID IS NOT NULL", statement)
    return _WITH_COLUMN.sub("true", statement)


@contextmanager
def statements_unscoped(database: Database) -> Iterator[list[str]]:
    """While the block lasts, what the application's sessions send is sent unscoped; the list tells what was changed."""
    changed: list[str] = []

    def rewrite(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> tuple[str, Any]:
        rewritten = unscoped(statement)
        assert not _SCOPED.search(rewritten), rewritten
        if rewritten != statement:
            changed.append(rewritten)
        return rewritten, parameters

    event.listen(database.engine.sync_engine, "before_cursor_execute", rewrite, retval=True)
    try:
        yield changed
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", rewrite)


async def functions_unscoped(owner: "asyncpg.Connection") -> int:
    """Put the functions that run with the application's rights in place again, unscoped; returns how many."""
    changed = 0
    for row in await owner.fetch(_FUNCTIONS):
        rewritten = unscoped(row["definition"])
        assert not _SCOPED.search(rewritten), rewritten
        if rewritten != row["definition"]:
            await owner.execute(rewritten)
            changed += 1
    return changed


async def row_security_off(owner: "asyncpg.Connection") -> None:
    """The policies stay where they are, and nobody asks them."""
    for table in await tables_of(owner):
        await owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _without_first(found: re.Match[str]) -> str:
    column, second, pairs = found.groups()
    pairs = _PAIR.sub(r"(\1::UUID IS NOT NULL, \2)", pairs)
    return f"({column} IS NOT NULL, {second}) IN ({pairs})"
