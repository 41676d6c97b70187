"""What the application's role sees and writes in the database itself, in a unit of work for one organization."""

import uuid
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from models.database import EVERYWHERE, Database, connect
from models.venue import Organization, Venue
from tests.isolation.guards import row_security_off
from tests.isolation.tenants import CATALOG, Tenant, key_column, tables_of
from tests.support.scope import scoped

WRITABLE = """
SELECT column_name FROM information_schema.column_privileges
 WHERE grantee = 'vacancy_app' AND privilege_type = 'UPDATE' AND table_name = $1 ORDER BY column_name LIMIT 1
"""

OF_RESOURCE = "venue_id = $2 OR resource_id IN (SELECT id FROM resource WHERE venue_id = $2)"

# The published part of the catalog, by table: whose of their rows everybody may read.
PUBLISHED = {
    "organization": "true",
    "directory": "is_published",
    "venue": "is_published",
    "resource": "venue_id = $2",
    "booking_rule": OF_RESOURCE,
    "cancellation_policy": OF_RESOURCE,
    "price_rule": OF_RESOURCE,
    "rate_plan": OF_RESOURCE,
    "tax_rule": OF_RESOURCE,
    "resource_choice": "resource_id IN (SELECT id FROM resource WHERE venue_id = $2)",
    "resource_requirement": "resource_id IN (SELECT id FROM resource WHERE venue_id = $2)",
}


async def seen(session: asyncpg.Connection, table: str, tenant: Tenant) -> set[str]:
    rows = await session.fetch(f"SELECT t::text FROM {table} t WHERE {key_column(table)} = $1", tenant.id)
    return {row[0] for row in rows}


async def published(owner: asyncpg.Connection, table: str, tenant: Tenant) -> set[str]:
    condition = PUBLISHED.get(table, "false")
    arguments = [tenant.id, tenant.venue.id] if "$2" in condition else [tenant.id]
    query = f"SELECT t::text FROM {table} t WHERE {key_column(table)} = $1 AND ({condition})"
    return {row[0] for row in await owner.fetch(query, *arguments)}


async def written(session: asyncpg.Connection, statement: str, *arguments: Any) -> int:
    """How many rows it wrote; none where it was refused. What was written is taken back."""
    trial = session.transaction()
    await trial.start()
    try:
        return int((await session.execute(statement, *arguments)).rpartition(" ")[2])
    except asyncpg.InsufficientPrivilegeError:
        return 0
    finally:
        await trial.rollback()


async def touched(session: asyncpg.Connection, owner: asyncpg.Connection, tenant: Tenant) -> set[tuple[str, str]]:
    """What could be done to that organization's rows, as (operation, table)."""
    done: set[tuple[str, str]] = set()
    for table in await tables_of(owner):
        of_tenant = f"{key_column(table)} = $1"
        column = await owner.fetchval(WRITABLE, table)
        row = await owner.fetchval(f"SELECT to_jsonb(t)::text FROM {table} t WHERE {of_tenant} LIMIT 1", tenant.id)
        assert row is not None, f"{table} has no row to try it with"
        if column and await written(session, f"UPDATE {table} SET {column} = {column} WHERE {of_tenant}", tenant.id):
            done.add(("UPDATE", table))
        if await written(session, f"DELETE FROM {table} WHERE {of_tenant}", tenant.id):
            done.add(("DELETE", table))
        copy = f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, $1::text::jsonb)"
        try:
            if await written(session, copy, row):
                done.add(("INSERT", table))
        except (asyncpg.UniqueViolationError, asyncpg.CheckViolationError):
            done.add(("INSERT", table))  # it was let in as far as the constraints
    return done


async def test_private_rows_are_seen_by_their_organization_only(
    database: Database, owner: asyncpg.Connection, ours: Tenant, theirs: Tenant
) -> None:
    async with scoped(database, ours.id) as session:
        for table in await tables_of(owner):
            assert await seen(session, table, ours) == await seen(owner, table, ours) != set(), table
            assert await seen(session, table, theirs) == await published(owner, table, theirs), table


async def test_a_unit_of_work_for_nobody_sees_what_is_published(
    database: Database, owner: asyncpg.Connection, theirs: Tenant
) -> None:
    async with scoped(database, None) as session:
        for table in await tables_of(owner):
            assert await seen(session, table, theirs) == await published(owner, table, theirs), table
    assert all([await published(owner, table, theirs) for table in CATALOG])


async def test_an_opened_catalog_is_read_and_nothing_else(
    database: Database, owner: asyncpg.Connection, ours: Tenant, theirs: Tenant
) -> None:
    for catalogs, open_to in ((str(theirs.id), (theirs,)), ("*", (ours, theirs)), (str(uuid.uuid4()), ())):
        async with scoped(database, None) as session:
            await session.execute("SELECT set_config('vacancy.catalogs', $1, true)", catalogs)
            for tenant in (ours, theirs):
                for table in await tables_of(owner):
                    is_open = tenant in open_to and table in CATALOG
                    expected = seen(owner, table, tenant) if is_open else published(owner, table, tenant)
                    assert await seen(session, table, tenant) == await expected, (catalogs, table)
                assert await touched(session, owner, tenant) == set()


async def test_no_row_of_another_organization_is_written(
    database: Database, owner: asyncpg.Connection, ours: Tenant, theirs: Tenant
) -> None:
    async with scoped(database, ours.id) as session:
        assert await touched(session, owner, theirs) == set()
        assert {("UPDATE", "booking"), ("INSERT", "booking"), ("DELETE", "claim")} <= await touched(
            session, owner, ours
        )


async def test_a_row_is_not_given_away(database: Database, ours: Tenant, theirs: Tenant) -> None:
    for table in ("booking", "venue", "booking_rule", "directory"):
        async with scoped(database, ours.id) as session:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await session.execute(f"UPDATE {table} SET organization_id = $1", theirs.id)


async def test_control_without_row_security_all_of_it_is_there(
    database: Database, owner: asyncpg.Connection, ours: Tenant, theirs: Tenant
) -> None:
    await row_security_off(owner)
    async with scoped(database, ours.id) as session:
        for table in await tables_of(owner):
            assert await seen(session, table, theirs) == await seen(owner, table, theirs), table
        done = await touched(session, owner, theirs)
    assert {("UPDATE", "booking"), ("INSERT", "claim"), ("DELETE", "claim"), ("UPDATE", "venue")} <= done


async def test_every_table_is_guarded(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "SELECT c.relname AS name, c.relrowsecurity AS is_on, ARRAY(SELECT p.polcmd::text FROM pg_policy p"
        " WHERE p.polrelid = c.oid AND p.polpermissive AND 'vacancy_app'::regrole = ALL (p.polroles)) AS commands"
        " FROM pg_class c WHERE c.oid = ANY ($1::text[]::regclass[])",
        await tables_of(owner),
    )
    assert len(rows) >= 14
    for row in rows:
        assert row["is_on"], row["name"]
        assert sorted(row["commands"]) in (["*"], ["a", "d", "r", "w"]), row["name"]


async def test_the_role_can_not_get_around_it(
    database_url: str, owner: asyncpg.Connection, database: Database, theirs: Tenant
) -> None:
    role = await owner.fetchrow(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole AS is_mighty, (SELECT count(*) FROM pg_class c"
        " WHERE c.relowner = r.oid) + (SELECT count(*) FROM pg_proc p WHERE p.proowner = r.oid) AS owns,"
        " (SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid) AS is_member_of"
        " FROM pg_roles r WHERE rolname = 'vacancy_app'"
    )
    assert dict(role) == {"is_mighty": False, "owns": 0, "is_member_of": 0}
    for statement in (
        "ALTER TABLE booking DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own ON booking",
        "CREATE POLICY mine ON booking USING (true)",
        "ALTER ROLE vacancy_app BYPASSRLS",
        "CREATE OR REPLACE FUNCTION vacancy_organization() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.ledger.execute(statement)
    async with database.ledger.acquire() as session:
        await session.execute("SET row_security = off")
        try:  # it makes a query that would be filtered an error, and does not switch the filter off
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await session.fetch("SELECT FROM booking")
        finally:
            await session.execute("RESET row_security")


async def test_the_login_of_a_server_becomes_no_other_role(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"):
            pytest.skip("one login for all, by VACANCY_TEST_DATABASE_URL: its servers only switch to vacancy_app")
        for role in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname <> 'vacancy_app'"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f'SET ROLE "{role["rolname"]}"')
    finally:
        await connection.close()


async def test_no_connection_carries_it_into_the_next_unit_of_work(
    database_url: str, ours: Tenant, theirs: Tenant
) -> None:
    setting = "SELECT current_setting('vacancy.organization_id', true), current_setting('vacancy.catalogs', true)"
    database = await connect(database_url, pool_size=1)
    try:
        backends = set()
        for _ in range(3):
            async with database.writing(ours.id) as session:
                assert await session.get(Venue, (ours.id, ours.hidden_venue.id)) is not None
                backends.add(await _backend(session))
            async with database.reading(catalogs=EVERYWHERE) as session:
                assert await session.get(Venue, (theirs.id, theirs.hidden_venue.id)) is not None
            async with database.reading() as session:
                assert await session.get(Venue, (ours.id, ours.hidden_venue.id)) is None
                assert await session.get(Organization, ours.id) is not None
                backends.add(await _backend(session))
            with pytest.raises(ZeroDivisionError):
                async with database.writing(ours.id):
                    raise ZeroDivisionError
            async with database.reading() as session:
                assert await session.get(Venue, (ours.id, ours.hidden_venue.id)) is None
        assert len(backends) == 1
        for _ in range(3):
            booking = await database.ledger.fetchval("SELECT ledger_booking($1, $2)", ours.id, ours.held.booking.id)
            assert booking is not None
            assert [value or "" for value in await database.ledger.fetchrow(setting)] == ["", ""]
            assert await database.ledger.fetchval("SELECT count(*) FROM booking") == 0
    finally:
        await database.close()


async def _backend(session: Any) -> int:
    pid: int = await session.scalar(text("SELECT pg_backend_pid()"))
    return pid
