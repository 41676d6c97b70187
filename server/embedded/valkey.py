"""Valkey 9 as our child: the carrier of live updates, reached by Unix socket only.

It is never the truth about a booking, so it writes nothing to disk and starts empty.
"""

import signal
import socket
from pathlib import Path
from typing import Final
from urllib.parse import quote

from server.embedded.account import server_account
from server.embedded.binaries import valkey_server
from server.embedded.daemon import Daemon
from server.embedded.state import State

START_SECONDS_MAX: Final = 20.0
STOP_SECONDS_MAX: Final = 5.0
PING_SECONDS_MAX: Final = 1.0

SETTINGS: Final = {
    "port": "0",  # no TCP: the socket lies in a folder that only we may enter, and needs no password
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory": "64mb",
    # Nothing here is the truth: at the limit an old key goes, rather than every new write being refused.
    "maxmemory-policy": "allkeys-lru",
    "daemonize": "no",
}


class EmbeddedValkey:
    """One Valkey in a state folder that we own."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._account = server_account(state.valkey)
        self._program = valkey_server(state.binaries, self._account)
        self._socket = state.sockets(self._account) / "valkey.sock"
        self._daemon = Daemon("Valkey", state, state.valkey, self._account, stop_signal=signal.SIGTERM)

    @property
    def url(self) -> str:
        """Where it is, as redis-py reads it."""
        return f"unix://{quote(str(self._socket))}"

    def start(self) -> None:
        """Start it, and return when it answers. Raises ServerFailed with the end of the log.

        Call it from the main thread: the server stops when the thread that started it ends.
        """
        self._state.folder_for(self._account, self._state.valkey)
        self._socket.unlink(missing_ok=True)
        command: list[str | Path] = [self._program, "--unixsocket", self._socket]
        for name, value in SETTINGS.items():
            command += [f"--{name}", value]
        self._daemon.start(command, is_ready=self._answers, seconds_max=START_SECONDS_MAX)

    def stop(self) -> None:
        """Stop it. Nothing to do if it is not running."""
        self._daemon.stop(seconds_max=STOP_SECONDS_MAX)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would: for tests of what happens then."""
        self._daemon.kill()

    def has_exited(self) -> bool:
        """Whether it was started and has ended without being asked to."""
        return self._daemon.has_exited()

    def _answers(self, _pid: int) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(PING_SECONDS_MAX)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False
