"""A clock of the database that stands until it is moved: days of a ledger's life in seconds."""

from datetime import datetime

import asyncpg

CLOCK = """
    CREATE TABLE model_clock (at timestamptz NOT NULL);
    GRANT SELECT ON model_clock TO PUBLIC;
    CREATE FUNCTION model_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
        AS 'BEGIN RETURN (SELECT at FROM public.model_clock); END';
"""
READS_CLOCK = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosrc ~ 'clock_timestamp'"


async def take_clock(owner: asyncpg.Connection, at: datetime) -> None:
    """From now on every function of this database reads the model's clock; nothing else of them is changed."""
    await owner.execute(CLOCK)
    await owner.execute("INSERT INTO model_clock VALUES ($1)", at)
    for row in await owner.fetch(READS_CLOCK):
        await edit_function(owner, row["proname"], "clock_timestamp()", "public.model_now()")


async def move_clock(owner: asyncpg.Connection, at: datetime) -> None:
    """Now is this instant."""
    await owner.execute("UPDATE model_clock SET at = $1", at)


async def edit_function(owner: asyncpg.Connection, name: str, old: str, new: str) -> None:
    """Put the installed function of that name in place again, with `old` in its text read as `new`."""
    text: str = await owner.fetchval("SELECT pg_get_functiondef($1::regproc)", name)
    assert old in text, f"{name} has no {old!r}"
    await owner.execute(text.replace(old, new))
