"""Real servers, started and stopped by each test."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio as redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from server.embedded import Servers, embedded_servers
from server.embedded.errors import BinariesMissing, ServerFailed, StateForeign, StateTaken

OWNER = """
import pathlib, signal, sys
from server.embedded import embedded_servers
with embedded_servers(pathlib.Path(sys.argv[1])) as servers:
    print(servers.owner_url, flush=True)
    signal.alarm(60)  # should nobody kill it
    signal.pause()
"""


@contextmanager
def running(state_dir: Path) -> Iterator[Servers]:
    with embedded_servers(state_dir, durable=False) as servers:
        yield servers


def start_owner(state_dir: Path) -> "tuple[subprocess.Popen[bytes], str]":
    """Another process that owns the servers, and the URL that it printed once they ran."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(state_dir)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    url = owner.stdout.readline().decode().strip()
    owner.stdout.close()
    return owner, url


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        result: object = await connection.fetchval(query)
        return result
    finally:
        await connection.close()


async def test_both_roles_reach_the_database_through_both_drivers(used_state_dir: Path) -> None:
    with running(used_state_dir) as servers:
        for url, role in ((servers.owner_url, "vacancy"), (servers.app_url, "vacancy_app")):
            assert await value(url, "SELECT current_user || '/' || current_database()") == f"{role}/vacancy"
            engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
            async with engine.connect() as connection:
                assert await connection.scalar(text("SELECT current_user")) == role
            await engine.dispose()
        assert await value(servers.owner_url, "SELECT lower('ÄÉ') || current_setting('server_version_num')") == (
            "äé180006"
        )
        is_superuser = "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname="
        assert await value(servers.owner_url, f"{is_superuser}'vacancy_app'") is False
        client = redis.from_url(servers.redis_url)
        assert await client.ping()
        assert (await client.config_get("appendonly", "save", "port")) == {
            "appendonly": "no",
            "save": "",
            "port": "0",
        }
        await client.aclose()


async def test_nobody_gets_in_without_the_password_or_over_the_network(used_state_dir: Path) -> None:
    with running(used_state_dir) as servers:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await value(servers.app_url.replace(":", ":x", 2), "SELECT 1")
        assert await value(servers.owner_url, "SELECT current_setting('listen_addresses')") == ""
        assert (used_state_dir / "sockets").stat().st_mode & 0o077 == 0
        for name in ("owner-password", "app-password"):
            assert (used_state_dir / name).stat().st_mode & 0o077 == 0
        assert servers.owner_url not in repr(servers)


async def test_a_cluster_is_durable_unless_a_test_says_otherwise(used_state_dir: Path) -> None:
    query = "SELECT array_agg(setting ORDER BY name) FROM pg_settings WHERE name IN "
    query += "('fsync', 'full_page_writes', 'synchronous_commit')"
    with embedded_servers(used_state_dir) as servers:
        assert await value(servers.owner_url, query) == ["on", "on", "on"]
    with embedded_servers(used_state_dir, durable=False) as servers:
        assert await value(servers.owner_url, query) == ["off", "off", "off"]


async def test_what_was_committed_is_there_after_a_crash_of_the_server_and_of_us(used_state_dir: Path) -> None:
    owner, url = start_owner(used_state_dir)
    await value(url, "CREATE TABLE kept AS SELECT 1 AS number")
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with embedded_servers(used_state_dir) as servers:
        assert await value(servers.owner_url, "SELECT number FROM kept") == 1
        await value(servers.owner_url, "UPDATE kept SET number = 2")
        servers.postgres.kill()
        servers.valkey.kill()
        servers.valkey.start()
        servers.postgres.start()
        assert await value(servers.owner_url, "SELECT number FROM kept") == 2
        with pytest.raises(StateTaken), running(used_state_dir):
            pass
        assert not servers.postgres.has_exited()


async def test_an_interrupted_first_start_is_swept_away(used_state_dir: Path) -> None:
    with running(used_state_dir):
        pass
    (used_state_dir / "postgres" / "data").rename(used_state_dir / "postgres" / "data.partial")
    (used_state_dir / "postgres" / "data.partial" / "PG_VERSION").unlink()
    with running(used_state_dir) as servers:
        assert await value(servers.app_url, "SELECT 1") == 1
        await value(servers.owner_url.replace("/vacancy?", "/postgres?"), "DROP DATABASE vacancy")
        await value(servers.owner_url.replace("/vacancy?", "/postgres?"), "DROP ROLE vacancy_app")
    # As if it had ended between the cluster and its roles; and with another process under the old number.
    (used_state_dir / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with running(used_state_dir) as servers:
        assert await value(servers.app_url, "SELECT 1") == 1


def test_what_the_server_says_when_it_cannot_start_is_passed_on(used_state_dir: Path) -> None:
    with running(used_state_dir):
        pass
    settings = used_state_dir / "postgres" / "data" / "postgresql.conf"
    before = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(ServerFailed, match="no_such_setting"), running(used_state_dir):
            pass
    finally:
        settings.write_text(before)


def programs_of(version: str, folder: Path) -> Path:
    """Programs that say which version they are, and do nothing else."""
    folder.mkdir()
    for name in ("postgres", "initdb", "psql"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_data_of_another_version_is_refused_and_left_alone(state_dir: Path) -> None:
    data = state_dir / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    programs = programs_of("18.6", state_dir.with_name("bin"))
    with pytest.raises(StateForeign, match="of PostgreSQL 17"), embedded_servers(state_dir, pg_bin=programs):
        pass
    assert (data / "PG_VERSION").read_text() == "17\n"


def test_programs_of_another_version_are_refused(state_dir: Path) -> None:
    programs = programs_of("17.2", state_dir.with_name("bin"))
    with pytest.raises(BinariesMissing, match="is not PostgreSQL 18"), embedded_servers(state_dir, pg_bin=programs):
        pass
