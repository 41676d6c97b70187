"""Brings a database to the state that this code needs: roles, tables, functions and triggers. Idempotent."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import audit
from models.database import Database, owner_engine

SQL_FOLDER = Path(__file__).parent / "ledger" / "sql"
MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"
APPLICATION_ROLE = "vacancy_app"
INSTALLED_MARK = "obj_description(to_regprocedure('ledger_hold(uuid, jsonb)'), 'pg_proc')"
LOCK_KEY = 0x7661_6361_6E63_79  # "vacancy": one migration at a time in a database, whoever starts it

ALEMBIC = threading.Lock()
"""Alembic's `op` and `context` are of the whole process: one migration at a time, of whatever database and loop."""

ALEMBIC_SECONDS_MAX = 600.0
ALEMBIC_POLL_SECONDS = 0.05


async def migrate(owner_url: str, *, say: Callable[[str], None] = lambda line: None) -> None:
    """Migrate the database at `owner_url`, whose role owns the tables and may create the application's role.

    Concurrent calls wait for one another: of one database wherever they run, of one process whatever their database.
    Each migration is a transaction; the functions and triggers are installed in one transaction, and only when their
    text has changed.
    """
    engine = owner_engine(owner_url)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
            await connection.commit()
            await _ensure_application_role(connection)
            async with _alone():
                await connection.run_sync(_upgrade)
                await connection.commit()
            if await _install_functions(connection):
                say("functions and triggers installed")
    finally:
        await engine.dispose()


async def is_current(database: Database) -> bool:
    """Whether the database is what this code needs: all migrations, and these very functions and triggers."""
    try:
        state = f"SELECT version_num, {INSTALLED_MARK} AS mark FROM alembic_version"  # noqa: S608 - a constant
        found = await database.ledger.fetchrow(state)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return False
    head = ScriptDirectory(str(MIGRATIONS_FOLDER)).get_current_head()
    return found is not None and found["version_num"] == head and found["mark"] == _mark(_scripts())


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings, made here so that no ini file has to be found."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER))
    config.attributes["connection"] = connection
    return config


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """While nobody else of this process migrates. Asked for again and again: a loop that waited would stop whoever has
    the lock, if that runs in the same one. Raises TimeoutError after ten minutes.
    """
    async with asyncio.timeout(ALEMBIC_SECONDS_MAX):
        while not ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110 - it may be of another thread's loop
            await asyncio.sleep(ALEMBIC_POLL_SECONDS)
    try:
        yield
    finally:
        ALEMBIC.release()


def _upgrade(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")


async def _ensure_application_role(connection: AsyncConnection) -> None:
    """The role is of the whole cluster, so another database's migration may be making it at this moment."""
    await connection.execute(
        text(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
                    CREATE ROLE {APPLICATION_ROLE} NOLOGIN;
                END IF;
                IF NOT pg_has_role(current_user, '{APPLICATION_ROLE}', 'MEMBER') THEN
                    EXECUTE format('GRANT {APPLICATION_ROLE} TO %I', current_user);
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
            """
        )
    )
    await connection.commit()


async def _install_functions(connection: AsyncConnection) -> bool:
    """Install ledger/sql/*.sql in the order of their names, and the audit, unless this very text is installed."""
    scripts = _scripts()
    mark = _mark(scripts)
    if await connection.scalar(text(f"SELECT {INSTALLED_MARK}")) == mark:
        return False
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # a script has many statements: the driver sends them as they are
    await driver.execute("SET LOCAL lock_timeout = '4s'")
    for script in scripts:
        await driver.execute(script)
    await driver.execute(f"COMMENT ON FUNCTION ledger_hold IS '{mark}'")
    await connection.commit()
    return True


def _scripts() -> list[str]:
    return [*(path.read_text() for path in sorted(SQL_FOLDER.glob("*.sql"))), audit.functions()]


def _mark(scripts: list[str]) -> str:
    """What the comment on a function says when these scripts are installed."""
    return "sha256:" + hashlib.sha256("\0".join(scripts).encode()).hexdigest()
