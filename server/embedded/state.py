"""The state folder: what outlives a run. One process at a time owns it, and servers run only under it.

lock            flock'd by the owner and its children; holds the owner's process number
secret          the key that signs our tokens
webhook-key     the key that signs the payment simulator's webhooks
owner-password, app-password
postgres/       data/ and log
valkey/         log
payments/       the payment simulator's account.sqlite, webhook-secret and log
sockets/        the servers' Unix sockets (elsewhere when the path is too long for one)
binaries/       copies of the server programs, when they run as another account
instance.json   how to reach the servers, while they run (server/instance.py)
"""

import fcntl
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.embedded.account import Account
from server.embedded.errors import StateTaken, StateUnusable

# A Unix socket's address holds 108 bytes on Linux and 104 on macOS, with a closing NUL.
SOCKET_PATH_BYTES_MAX: Final = 103
LONGEST_SOCKET_NAME: Final = ".s.PGSQL.5432"
SHORT_FOLDERS: Final = Path("/tmp")  # noqa: S108 - only for a 0700 folder with a random name

# How long the children of an owner that was killed may take to finish what they do, and go.
ORPHANS_WAIT_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class State:
    """A state folder that this process owns until it leaves `locked_state`."""

    path: Path
    lock_fd: int
    """Inherited by the owner's children: while one of them lives, no other process gets the folder."""

    @property
    def postgres(self) -> Path:
        """PostgreSQL's part."""
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's part."""
        return self.path / "valkey"

    @property
    def payments(self) -> Path:
        """The payment simulator's part."""
        return self.path / "payments"

    @property
    def binaries(self) -> Path:
        """Where programs are copied that the servers' account could not reach."""
        return self.path / "binaries"

    def folder_for(self, account: Account, folder: Path) -> Path:
        """`folder`, below the state folder, made and handed to `account`, closed to all others.

        Raises StateUnusable if the account cannot get there through the folders above.
        """
        if not account.can_enter(self.path):
            raise StateUnusable(
                f"The servers run as user {account.uid}, which may not enter {self.path}: choose a folder "
                "that everyone may pass through, with VACANCY_STATE_DIR"
            )
        folder.mkdir(mode=0o700, exist_ok=True)
        account.own(folder, 0o700)
        return folder

    def sockets(self, account: Account) -> Path:
        """The folder for Unix sockets: below the state folder, or a short one where that path would not do.

        A short one is remembered and used again, so that runs leave one folder and not many.
        """
        folder = self.path / "sockets"
        if _may_hold_sockets(folder):
            return self.folder_for(account, folder)
        note = self.path / "sockets-elsewhere"
        if note.exists():
            short = Path(note.read_text())
            if _is_private(short, account):
                return short
        short = Path(tempfile.mkdtemp(prefix="vacancy-", dir=SHORT_FOLDERS))
        account.own(short, 0o700)
        write_private(note, str(short))
        return short


@contextmanager
def locked_state(path: Path) -> Iterator[State]:
    """Own the state folder at `path`, made if need be, for the length of a `with`.

    After a kill -9 of the last owner its children are still shutting down for a moment; this waits for them.
    Raises StateTaken when a living process owns the folder, StateUnusable when the folder cannot be used.
    """
    make_state_folder(path)
    try:
        lock_fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateUnusable(f"{path}/lock cannot be opened: {error.strerror}") from error
    try:
        _take(lock_fd, path)
        os.ftruncate(lock_fd, 0)
        os.pwrite(lock_fd, f"{os.getpid()}\n".encode(), 0)
        yield State(path, lock_fd)
    finally:
        # Closed and not unlocked: a child that refused to stop keeps the folder taken.
        os.close(lock_fd)


def is_taken(path: Path) -> bool:
    """Whether some process owns the state folder at `path` now."""
    try:
        lock_fd = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock_fd)


def make_state_folder(path: Path) -> None:
    """Make the state folder at `path` if it is missing. Raises StateUnusable if that fails or it is not ours."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise StateUnusable(
                f"The state folder {path} belongs to user {found.st_uid}: run as that user, or choose "
                "another folder with VACANCY_STATE_DIR"
            )
        # The servers' account passes through root's folder to its own parts; nobody lists it.
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise StateUnusable(
            f"The state folder {path} cannot be used: {error.strerror}. Choose another with VACANCY_STATE_DIR"
        ) from error


def kept_secret(path: Path, name: str) -> str:
    """The secret `name` of the state folder at `path`: generated by whoever asks first, the same ever after.

    43 characters that need no quoting in a URL.
    """
    make_state_folder(path)
    file = path / name
    if not file.exists():
        fresh = path / f".{name}.{os.getpid()}"
        write_private(fresh, secrets.token_urlsafe(32))
        try:
            os.link(fresh, file)  # whole, or not at all; of two at once the first wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    kept = file.read_text().strip()
    if not kept:
        raise StateUnusable(f"{file} is empty; restore it from a backup, or delete it to have a new one made")
    return kept


def write_private(path: Path, text: str) -> None:
    """Replace the file at `path` by `text`, in one step and on disk before it counts, for our eyes only."""
    aside = path.with_name(f".{path.name}.writing")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _may_hold_sockets(folder: Path) -> bool:
    """Whether every client reaches a socket there: they read a comma as the end of one of several hosts."""
    return len(os.fsencode(folder / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX and "," not in str(folder)


def _take(lock_fd: int, path: Path) -> None:
    """Lock, or raise StateTaken: at once if the owner lives, else when its children outstay their time."""
    deadline = time.monotonic() + ORPHANS_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        owner = os.pread(lock_fd, 32, 0).decode("ascii", "replace").strip()
        if owner.isdigit() and _is_alive(int(owner)):
            raise StateTaken(
                f"The state folder {path} is in use by process {owner}: stop it, or choose another folder "
                "with VACANCY_STATE_DIR"
            )
        if time.monotonic() > deadline:
            raise StateTaken(
                f"The state folder {path} is in use by what process {owner or 'unknown'} started and left behind: "
                "stop that, or choose another folder with VACANCY_STATE_DIR"
            )
        time.sleep(POLL_SECONDS)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_private(folder: Path, account: Account) -> bool:
    """Whether a folder below /tmp is still the one we made, and not something planted in its place."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == 0o700
