"""The database that the migrations make: the models' own, sharded by organization, and made once."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from models import migrate as migrations
from models.database import Database, owner_engine
from models.ledger import calls
from models.ledger.requests import HoldItem
from models.migrate import migrate
from models.tables import METADATA
from server.audit import audit
from tests.support.databases import ServerUrls, fresh_database
from tests.support.factories import between, item_of, make_booking, make_hold, make_resource, rebook_of

# Not led by an organization: the tenants themselves, the public names that lead to them, and Alembic's own.
UNSHARDED = ("organization", "directory", "alembic_version")

INSTALLED = "SELECT obj_description('ledger_hold(uuid, jsonb)'::regprocedure, 'pg_proc')"


@asynccontextmanager
async def _empty_database(servers: ServerUrls) -> AsyncIterator[str]:
    async with fresh_database(servers, template="template0") as urls:
        yield urls.owner_url


async def test_the_migrations_make_what_the_models_say(owner_url: str) -> None:
    engine = owner_engine(owner_url)

    def differences(connection: Connection) -> object:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_every_key_leads_with_the_organization(owner: asyncpg.Connection) -> None:
    """A distributed engine keeps a key, a unique index or a reference only within one organization."""
    rows = await owner.fetch(
        """
        SELECT c.relname AS relation, i.relname AS name, a.attname AS leading, x.indisprimary AS is_primary
          FROM pg_index x
          JOIN pg_class c ON c.oid = x.indrelid AND c.relnamespace = 'public'::regnamespace
          JOIN pg_class i ON i.oid = x.indexrelid
          JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
         WHERE x.indisunique AND c.relname <> ALL ($1)
        """,
        UNSHARDED,
    )
    tables = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname <> ALL ($1)",
        UNSHARDED,
    )

    assert {row["relation"] for row in rows if row["is_primary"]} == {row["relname"] for row in tables}
    assert [row["name"] for row in rows if row["leading"] != "organization_id"] == []


async def test_every_reference_leads_with_the_organization(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        """
        SELECT k.conname AS name, a.attname AS leading, r.attname AS referred, f.relname AS relation
          FROM pg_constraint k
          JOIN pg_class f ON f.oid = k.confrelid
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
          JOIN pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = k.confkey[1]
         WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
        """
    )

    assert len(rows) > 10
    for row in rows:
        referred = "id" if row["relation"] == "organization" else "organization_id"
        assert (row["leading"], row["referred"]) == ("organization_id", referred), row["name"]


async def test_every_constraint_has_a_name_of_the_convention(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "SELECT c.relname AS relation, k.conname AS name FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        " WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')"
        " AND c.relname <> 'alembic_version'"
    )

    for row in rows:
        assert row["name"].startswith(f"{row['relation']}_"), row["name"]
        assert row["name"].endswith(("_pkey", "_key", "_fkey", "_check")), row["name"]


async def test_migrating_again_changes_nothing(database: Database, owner: asyncpg.Connection, owner_url: str) -> None:
    await make_hold(database, await make_resource(database))
    said: list[str] = []
    catalog = "SELECT oid, xmin::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY oid"
    before = await owner.fetch(catalog)

    await migrate(owner_url, say=said.append)

    assert said == []
    assert await owner.fetch(catalog) == before
    assert await owner.fetchval("SELECT count(*) FROM claim") == 1


async def test_migrations_at_the_same_moment_wait_for_one_another(servers: ServerUrls) -> None:
    async with _empty_database(servers) as url:
        said: list[str] = []

        await asyncio.gather(*(migrate(url, say=said.append) for _ in range(4)))

        assert said == ["functions and triggers installed"]
        assert await audit(url, io.StringIO()) == 0


async def test_functions_are_installed_again_when_their_text_has_changed(
    owner: asyncpg.Connection, owner_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in migrations.SQL_FOLDER.glob("*.sql"):
        (tmp_path / script.name).write_text(script.read_text())
    (tmp_path / "99_more.sql").write_text("CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 42'")
    before = await owner.fetchval(INSTALLED)
    monkeypatch.setattr(migrations, "SQL_FOLDER", tmp_path)
    said: list[str] = []

    await migrate(owner_url, say=said.append)

    assert said == ["functions and triggers installed"]
    assert await owner.fetchval("SELECT more()") == 42
    assert await owner.fetchval(INSTALLED) != before


async def test_a_script_that_fails_leaves_the_functions_as_they_were(
    owner: asyncpg.Connection, owner_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in migrations.SQL_FOLDER.glob("*.sql"):
        (tmp_path / script.name).write_text(script.read_text())
    (tmp_path / "98_more.sql").write_text("CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 42'")
    (tmp_path / "99_broken.sql").write_text("CREATE FUNCTION broken() AS 'nonsense'")
    before = await owner.fetchval(INSTALLED)
    monkeypatch.setattr(migrations, "SQL_FOLDER", tmp_path)

    with pytest.raises(asyncpg.PostgresError):
        await migrate(owner_url)

    assert await owner.fetchval("SELECT to_regprocedure('more()')") is None
    assert await owner.fetchval(INSTALLED) == before


async def test_two_databases_are_migrated_by_one_process_at_the_same_time(servers: ServerUrls) -> None:
    """Alembic knows one connection at a time, and would write what is for one database into the other."""
    async with _empty_database(servers) as first, _empty_database(servers) as second:
        await asyncio.gather(migrate(first), migrate(second))
        for url in (first, second):
            connection = await asyncpg.connect(url)
            try:
                assert await connection.fetchval(INSTALLED)
                assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
            finally:
                await connection.close()


async def test_the_lock_is_given_back_by_who_fails(servers: ServerUrls, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: Connection) -> None:
        raise RuntimeError("a migration that fails")

    async with _empty_database(servers) as url:
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "_upgrade", fail)
            with pytest.raises(RuntimeError, match="that fails"):
                await migrate(url)
        assert not migrations.ALEMBIC.locked()
        await migrate(url)


async def test_what_is_known_of_bookings_from_before_they_could_be_changed(
    database: Database, owner: asyncpg.Connection, owner_url: str
) -> None:
    """When they were confirmed, and for how long they claim; neither their versions nor their history change by it."""
    hall = await make_resource(database, capacity=5)
    plain = await make_booking(database, hall, "08:00", "09:00")
    held = await make_hold(database, hall, "08:00", "09:00")
    wide = HoldItem(hall.id, between("10:00", "12:00"), 1, claim=between("09:30", "12:30"))
    buffered = await calls.rebook(database, rebook_of(plain, item_of(hall, "08:00", "09:00"), wide))
    state = "SELECT id, version, confirmed_at FROM booking ORDER BY id"
    before = await owner.fetch(state), await owner.fetchval("SELECT count(*) FROM booking_event")
    for table, columns in (("booking", ["confirmed_at"]), ("booking_item", ["claim_from", "claim_to"])):
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        await owner.execute(f"UPDATE {table} SET " + ", ".join(f"{column} = NULL" for column in columns))
        await owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    scripts = ScriptDirectory(str(migrations.MIGRATIONS_FOLDER)).walk_revisions()
    fill = next(script.module._fill for script in scripts if "booking_changes" in script.path)

    engine = owner_engine(owner_url)
    async with engine.begin() as connection:

        def run(connection: Connection) -> None:
            with Operations.context(MigrationContext.configure(connection)):
                fill()

        await connection.run_sync(run)
    await engine.dispose()

    assert (await owner.fetch(state), await owner.fetchval("SELECT count(*) FROM booking_event")) == before
    assert [row["confirmed_at"] is None for row in before[0]] == [row["id"] == held.booking.id for row in before[0]]
    found = await calls.read_booking(database, hall.organization_id, plain.booking.id)
    assert found is not None
    assert found.items == buffered.items
