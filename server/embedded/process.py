"""Child processes that never outlive us, not even after kill -9."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from server.embedded.account import Account

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
KILL_WAIT_SECONDS: Final = 5.0

# Nothing of our own environment: a PGOPTIONS or a locale of the user's must not change a server.
SERVER_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# Loaded here and not between fork and exec, where importing may deadlock.
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str],
    death_signal: signal.Signals,
    account: Account | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own, so that Ctrl-C at the terminal reaches us alone and we stop it.

    On Linux the kernel sends it `death_signal` when the thread that called this ends: call it from the main
    thread. `account` is whom it runs as, `output` where both its output streams go, and `keep_open` the file
    descriptors that it inherits besides.
    """
    stepping_down = account is not None and not account.is_ours
    return subprocess.Popen(
        argv,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        pass_fds=tuple(keep_open),
        start_new_session=True,
        preexec_fn=_tie_to_parent(death_signal),
        user=account.uid if account is not None and stepping_down else None,
        group=account.gid if account is not None and stepping_down else None,
        extra_groups=[] if stepping_down else None,
    )


def stop_all(processes: Iterable[subprocess.Popen[bytes]], how: signal.Signals, *, wait_seconds: float) -> None:
    """End all `processes` at once with `how`, and with SIGKILL those still there after `wait_seconds`.

    Returns when they are gone; nothing happens to one that had ended before.
    """
    asked = [process for process in processes if process.poll() is None]
    for process in asked:
        process.send_signal(how)
    deadline = time.monotonic() + wait_seconds
    for process in asked:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(KILL_WAIT_SECONDS)


def _tie_to_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does before exec. It runs after setuid, which would clear the setting."""
    libc, parent = _LIBC, os.getpid()
    if libc is None:
        return None

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return tie
