"""The payment simulator as our child: test keys and test cards only, on loopback, kept in the state folder."""

import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from payments.simulator.settings import DEFAULT_HOST, DEFAULT_PORT
from server.embedded.account import Account
from server.embedded.daemon import Daemon
from server.embedded.process import SERVER_ENVIRONMENT
from server.embedded.state import State, kept_secret, write_private

START_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 5.0

SECRET_KEY: Final = "sk_test_simulated"  # noqa: S105 - any test key counts there
PUBLISHABLE_KEY: Final = "pk_test_simulated"
KEY_FILE: Final = "webhook-key"
SECRET_FILE: Final = "webhook-secret"  # noqa: S105 - a name
LISTENS: Final = re.compile(rb"listens on (http://\S+)\n")


class EmbeddedPayments:
    """One payment simulator in a state folder that we own. It tells all events at `webhook_url`."""

    def __init__(self, state: State, *, webhook_url: str) -> None:
        self._state = state
        self._webhook_url = webhook_url
        self._account = Account(os.geteuid(), os.getegid())
        self._log = state.payments / "log"
        self._url: str | None = None
        self._daemon = Daemon("The payment simulator", state, state.payments, self._account, stop_signal=signal.SIGTERM)

    @property
    def url(self) -> str:
        """Where it is, once it was started."""
        assert self._url is not None, "it was not started"
        return self._url

    @property
    def webhook_secret(self) -> str:
        """What signs its webhooks: generated at the first start, the same ever after."""
        return f"whsec_{kept_secret(self._state.path, KEY_FILE)}"

    def start(self) -> None:
        """Start it at its usual port, or at a free one where that is taken; return when it listens.

        Call it from the main thread. Raises ServerFailed with the end of the log.
        """
        folder = self._state.folder_for(self._account, self._state.payments)
        secret_file = folder / SECRET_FILE
        write_private(secret_file, self.webhook_secret)
        since = self._log.stat().st_size if self._log.exists() else 0
        # -P: a folder `payments` where the user happens to be must not shadow ours.
        command: list[str | Path] = [sys.executable, "-P", "-m", "server.cli", "payments"]
        command += ["--port", str(_usual_port()), "--state-file", folder / "account.sqlite"]
        command += ["--webhook-url", self._webhook_url, "--webhook-secret-file", secret_file]

        def listens(_pid: int) -> bool:
            said = self._log.read_bytes()
            found = LISTENS.search(said, since if since <= len(said) else 0)  # it begins anew when it has grown long
            self._url = found[1].decode() if found is not None else None
            return found is not None

        # A command of ours reads the settings, which without a home need to know the folder.
        env = {**SERVER_ENVIRONMENT, "VACANCY_STATE_DIR": str(self._state.path)}
        self._daemon.start(command, is_ready=listens, seconds_max=START_SECONDS_MAX, env=env)

    def stop(self) -> None:
        """Stop it; what was paid is kept. Nothing to do if it is not running."""
        self._daemon.stop(seconds_max=STOP_SECONDS_MAX)

    def has_exited(self) -> bool:
        """Whether it was started and has ended without being asked to."""
        return self._daemon.has_exited()


def _usual_port() -> int:
    """The port that the documentation names, if it is free; else 0: any that is."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((DEFAULT_HOST, DEFAULT_PORT))
        except OSError:
            return 0
    return DEFAULT_PORT
