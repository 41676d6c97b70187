"""PostgreSQL 18 as our child: reached by Unix socket only, with passwords, durable, gone when we are."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from server.embedded import cluster
from server.embedded.account import server_account
from server.embedded.binaries import postgres_bin
from server.embedded.daemon import Daemon
from server.embedded.errors import ServerFailed
from server.embedded.process import SERVER_ENVIRONMENT
from server.embedded.state import State, kept_secret

DATABASE: Final = "vacancy"
OWNER_ROLE: Final = "vacancy"
APP_ROLE: Final = "vacancy_app"

START_SECONDS_MAX: Final = 60.0  # recovery after a crash is included
PROVISION_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 10.0

# The server processes of a killed server take a moment to notice; until then the next one is refused.
LEFTOVERS_SECONDS_MAX: Final = 5.0
LEFTOVERS_SIGN: Final = "is still in use"
RETRY_SECONDS: Final = 0.05

SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For throw-away clusters of tests alone: a crash of the machine may destroy everything.
SETTINGS_NOT_DURABLE: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

# Run at every start, so that the next one completes a first start that was interrupted.
PROVISION: Final = f"""
\\getenv app_password APP_PASSWORD
SELECT 'CREATE ROLE {APP_ROLE}'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') \\gexec
ALTER ROLE {APP_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app_password';
SELECT 'CREATE DATABASE {DATABASE}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""  # noqa: S608 - constants of this module


class EmbeddedPostgres:
    """One PostgreSQL cluster in a state folder that we own.

    `durable=False` is for throw-away clusters of tests; `pg_bin` replaces the programs of the wheel. A
    process that is killed at any point of `start` leaves nothing that the next `start` cannot use.
    """

    def __init__(self, state: State, *, durable: bool = True, pg_bin: Path | None = None) -> None:
        self._state = state
        self._durable = durable
        self._data = state.postgres / "data"
        self._account = server_account(self._data)
        self._programs = postgres_bin(state.binaries, self._account, pg_bin)
        self._sockets = state.sockets(self._account)
        # SIGINT is the fast shutdown: it waits for no client, and writes a checkpoint.
        self._daemon = Daemon("PostgreSQL", state, state.postgres, self._account, stop_signal=signal.SIGINT)

    @property
    def owner_url(self) -> str:
        """The database as its owner, a superuser: for migrations, and to make test databases."""
        return self._url(OWNER_ROLE, self._owner_password())

    @property
    def app_url(self) -> str:
        """The database as the application: a role that has only the rights it is granted."""
        return self._url(APP_ROLE, self._app_password())

    def start(self) -> None:
        """Make the cluster if there is none, start it, and return when both roles can connect.

        Call it from the main thread: the server stops when the thread that started it ends. Raises
        StateForeign for data of another version, else ServerFailed with the end of the log.
        """
        cluster.check_version(self._programs, self._data)
        self._state.folder_for(self._account, self._state.postgres)
        if not self._data.exists():
            cluster.make_cluster(
                self._programs,
                self._state,
                self._account,
                self._data,
                owner=OWNER_ROLE,
                password=self._owner_password(),
                durable=self._durable,
            )
        cluster.remove_stale_locks(self._data, self._sockets)
        self._start_server()
        try:
            self._provision()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it: what is committed is on disk, what runs is rolled back. Nothing to do if it does not run."""
        self._daemon.stop(seconds_max=STOP_SECONDS_MAX)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would: for tests of what happens then."""
        self._daemon.kill()

    def has_exited(self) -> bool:
        """Whether it was started and has ended without being asked to."""
        return self._daemon.has_exited()

    def _url(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@/{DATABASE}?host={quote(str(self._sockets))}"

    def _owner_password(self) -> str:
        return kept_secret(self._state.path, "owner-password")

    def _app_password(self) -> str:
        return kept_secret(self._state.path, "app-password")

    def _start_server(self) -> None:
        settings = SETTINGS | ({} if self._durable else SETTINGS_NOT_DURABLE)
        settings["unix_socket_directories"] = str(self._sockets)
        command: list[str | Path] = [self._programs / "postgres", "-D", self._data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + LEFTOVERS_SECONDS_MAX
        while True:
            try:
                self._daemon.start(
                    command,
                    is_ready=lambda pid: cluster.is_ready(self._data, pid),
                    seconds_max=START_SECONDS_MAX,
                )
                return
            except ServerFailed as error:
                if LEFTOVERS_SIGN not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_SECONDS)

    def _provision(self) -> None:
        """Make the application's role, with its password, and the database, where they are missing."""
        options = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-"]
        where = [f"--host={self._sockets}", f"--username={OWNER_ROLE}", "--dbname=postgres"]
        # Passwords go by the environment: everyone can read a command line.
        secrets = {"PGPASSWORD": self._owner_password(), "APP_PASSWORD": self._app_password()}
        try:
            subprocess.run(
                [self._programs / "psql", *options, *where],
                input=PROVISION,
                env=SERVER_ENVIRONMENT | secrets,
                capture_output=True,
                check=True,
                text=True,
                timeout=PROVISION_SECONDS_MAX,
            )
        except subprocess.CalledProcessError as error:
            said = " / ".join(error.stderr.strip().splitlines())
            raise ServerFailed(f"PostgreSQL started, but its roles could not be made: {said}") from error
        except subprocess.TimeoutExpired as error:
            raise ServerFailed("PostgreSQL started, but does not answer") from error
