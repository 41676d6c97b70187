"""One server process and its log: started, awaited, stopped, or killed."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from server.embedded import log
from server.embedded.account import Account
from server.embedded.errors import ServerFailed
from server.embedded.process import SERVER_ENVIRONMENT, spawn, stop_all
from server.embedded.state import State

POLL_SECONDS: Final = 0.01


class Daemon:
    """A server that runs as `account` in `folder`, logs there, and is asked to end with `stop_signal`."""

    def __init__(self, name: str, state: State, folder: Path, account: Account, *, stop_signal: signal.Signals) -> None:
        self._name = name
        self._state = state
        self._folder = folder
        self._account = account
        self._stop_signal = stop_signal
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        command: Sequence[str | Path],
        *,
        is_ready: Callable[[int], bool],
        seconds_max: float,
        env: Mapping[str, str] = SERVER_ENVIRONMENT,
    ) -> None:
        """Start `command` and return when `is_ready`, given its process number, says so.

        Raises ServerFailed, with the end of what it logged, if it exits first or takes longer.
        """
        with log.appended(self._log) as output:
            since = output.tell()
            process = spawn(
                command,
                env=env,
                cwd=self._folder,
                account=self._account,
                output=output,
                keep_open=[self._state.lock_fd],
                death_signal=self._stop_signal,
            )
        self._process = process
        deadline = time.monotonic() + seconds_max
        while not is_ready(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop(seconds_max=0)
                said = log.tail(self._log, since=since)
                raise ServerFailed(f"{self._name} did not start; {self._log} ends: {said}")
            time.sleep(POLL_SECONDS)

    def stop(self, *, seconds_max: float) -> None:
        """Ask it to end, and kill it if it takes longer. Nothing to do if it is not running."""
        if self._process is not None:
            stop_all([self._process], self._stop_signal, wait_seconds=seconds_max)
            self._process = None

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def has_exited(self) -> bool:
        """Whether it was started and has ended without being asked to."""
        return self._process is not None and self._process.poll() is not None
