"""The files of a PostgreSQL cluster: made once, whole or not at all, and checked before every start."""

import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

from server.embedded import log
from server.embedded.account import Account
from server.embedded.errors import BinariesMissing, ServerFailed, StateForeign
from server.embedded.process import SERVER_ENVIRONMENT, spawn, stop_all
from server.embedded.state import State, write_private

MAJOR: Final = "18"
INITDB_SECONDS_MAX: Final = 120.0

# The builtin locale sorts and folds alike on every machine; the C library's may change under an index.
OPTIONS: Final = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


def check_version(programs: Path, data: Path) -> None:
    """Raise BinariesMissing unless `programs` are PostgreSQL 18, StateForeign if `data` is of another version."""
    program = programs / "postgres"
    try:
        answer = subprocess.run(
            [program, "--version"], env=SERVER_ENVIRONMENT, capture_output=True, check=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise BinariesMissing(f"{program} does not run on this machine: {error}") from error
    found = re.search(r"\d+", answer)
    if found is None or found[0] != MAJOR:
        raise BinariesMissing(f"{program} is not PostgreSQL {MAJOR} but {answer}")
    if not data.exists():
        return
    marker = data / "PG_VERSION"
    made_by = marker.read_text().strip() if marker.exists() else "of an unknown version"
    if made_by != MAJOR:
        raise StateForeign(
            f"{data} holds data of PostgreSQL {made_by}, and this is PostgreSQL {MAJOR}: move the data with "
            "pg_dump or pg_upgrade, or choose another state folder with VACANCY_STATE_DIR"
        )


def make_cluster(
    programs: Path, state: State, account: Account, data: Path, *, owner: str, password: str, durable: bool
) -> None:
    """Make a cluster at `data` whose superuser is `owner`. Raises ServerFailed with the end of the log.

    It is made aside and renamed, so that `data` is whole whenever it exists: what an interrupted run left
    is swept away by the next.
    """
    aside = data.with_name(f"{data.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    password_file = data.with_name("initial-password")
    write_private(password_file, password)
    account.own(password_file, 0o600)
    command: list[str | Path] = [
        programs / "initdb",
        f"--pgdata={aside}",
        f"--username={owner}",
        f"--pwfile={password_file}",
        *OPTIONS,
        *([] if durable else ["--no-sync"]),
    ]
    try:
        _run(command, state, account, data.with_name("log"))
    finally:
        password_file.unlink()
    aside.rename(data)


def remove_stale_locks(data: Path, sockets: Path) -> None:
    """Remove what a killed server left and the next one could take for a sign of life.

    Call it as the owner of the state folder: then no server runs on it. But a process number is soon used
    again, above all in a container that was started anew, and PostgreSQL would refuse to start for its sake.
    """
    for leftover in sockets.glob(".s.PGSQL.*"):
        leftover.unlink()
    lock = data / "postmaster.pid"
    if lock.exists():
        name = Path("/proc") / lock.read_text().partition("\n")[0] / "comm"
        if name.exists() and name.read_text().strip() != "postgres":
            lock.unlink()


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server `pid` on `data` takes connections: the sign that pg_ctl looks for."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _run(command: list[str | Path], state: State, account: Account, log_path: Path) -> None:
    with log.appended(log_path) as output:
        since = output.tell()
        process = spawn(
            command,
            env=SERVER_ENVIRONMENT,
            cwd=log_path.parent,
            account=account,
            output=output,
            keep_open=[state.lock_fd],
            death_signal=signal.SIGKILL,
        )
    try:
        failed = process.wait(INITDB_SECONDS_MAX) != 0
    except subprocess.TimeoutExpired:
        failed = True
    finally:
        stop_all([process], signal.SIGKILL, wait_seconds=0)
    if failed:
        raise ServerFailed(f"initdb failed; {log_path} ends: {log.tail(log_path, since=since)}")
