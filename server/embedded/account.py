"""The account that the servers run as: our own, or, when we are root, one without rights.

PostgreSQL refuses to run as root. We use an account that exists, and never add one to somebody's machine.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.embedded.errors import StateUnusable

UNPRIVILEGED_ACCOUNTS: Final = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group of this machine."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether this process already runs as it, so that nothing needs to be handed over."""
        return self.uid == os.geteuid()

    def own(self, path: Path, mode: int) -> None:
        """Make `path` this account's, with exactly `mode`."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def can_enter(self, folder: Path) -> bool:
        """Whether the permission bits let this account pass through `folder` and everything above it."""
        resolved = folder.resolve()
        return all(self._may_pass(step.stat()) for step in (resolved, *resolved.parents))

    def _may_pass(self, folder: os.stat_result) -> bool:
        if self.uid == folder.st_uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if self.gid == folder.st_gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


def server_account(data: Path) -> Account:
    """The account for servers whose data is, or will be, in `data`.

    Whoever owns existing data keeps it: `nobody` stays `nobody` when a `postgres` appears later.
    Raises StateUnusable when we are root and the machine has neither account.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StateUnusable(
        "PostgreSQL refuses to run as root, and this machine has no account "
        f"{' or '.join(UNPRIVILEGED_ACCOUNTS)}: run as another user, or set DATABASE_URL and REDIS_URL"
    )
