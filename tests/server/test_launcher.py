"""`vacancy run` as its user meets it: one process in a terminal, and another terminal beside it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.launcher import LaunchError, check_port
from tests.support.ports import free_port
from tests.support.waiting import wait_until

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 25
POLL_SECONDS = 0.05


class Terminal:
    """Runs `vacancy` with a state folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "output"
        self.state_dir = folder / "state"
        unset = {"DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "VACANCY_SECRET"}
        self.environment = {name: value for name, value in os.environ.items() if name not in unset} | {
            "VACANCY_STATE_DIR": str(self.state_dir),
            "VACANCY_PORT": str(self.port),
        }

    def start_run(self) -> "subprocess.Popen[bytes]":
        """Start `vacancy run`, and return when its server answers."""
        self.log.unlink(missing_ok=True)
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "run"],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

        def has_started() -> bool:
            assert process.poll() is None, self.log.read_text()
            # What answers on the port may still be the server of a run that was killed before.
            return "Starting the server" in self.log.read_text() and self.is_live()

        wait_until(has_started, seconds_max=START_SECONDS_MAX, poll_seconds=POLL_SECONDS, says=self.log.read_text)
        return process

    def call(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """What another command says and how it exits."""
        return subprocess.run(
            [sys.executable, "-m", "server.cli", *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS_MAX,
        )

    def is_live(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def simulator(self) -> str:
        """Where the run says that payments are simulated."""

        def told() -> re.Match[str] | None:
            return re.search(r"Payments are simulated at (http://\S+), ", self.log.read_text())

        found = wait_until(told, seconds_max=START_SECONDS_MAX, poll_seconds=POLL_SECONDS, says=self.log.read_text)
        return found[1]

    def processes(self) -> dict[int, str]:
        """Everything that runs for this state folder: children carry it in their environment, servers in arguments."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                about = command + (entry / "environ").read_bytes().decode()
            except (OSError, UnicodeDecodeError):
                continue
            if str(self.state_dir) in about and int(entry.name) != os.getpid():
                found[int(entry.name)] = command
        return found

    def process_of(self, words: str) -> int:
        (pid,) = (pid for pid, command in self.processes().items() if words in command)
        return pid


def make_intent(simulator: str) -> None:
    """What a checkout would make there."""
    given, key = {"amount": 1000, "currency": "eur"}, {"Authorization": "Bearer sk_test_simulated"}
    answer = httpx.post(f"{simulator}/v1/payment_intents", data=given, headers=key, trust_env=False)
    assert answer.is_success, answer.text


def count_of_intents(simulator: str) -> int:
    told = httpx.get(f"{simulator}/simulator", trust_env=False).json()
    return int(told["objects"]["payment_intent"])


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    with tempfile.TemporaryDirectory(prefix="vacancy-test-") as folder:
        Path(folder).chmod(0o755)
        terminal = Terminal(Path(folder))
        try:
            yield terminal
        finally:
            for pid in terminal.processes():
                os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by /proc")
@pytest.mark.timeout(240)
def test_run_from_first_start_to_last_stop(terminal: Terminal) -> None:
    # The first start makes everything.
    run = terminal.start_run()

    # A second one on the same folder, or on the same port, says so and leaves the first alone.
    second = terminal.call("run")
    assert second.returncode == 1
    assert f"The state folder {terminal.state_dir} is in use by process {run.pid}" in second.stderr
    with tempfile.TemporaryDirectory() as other:
        third = terminal.call("run", VACANCY_STATE_DIR=other)
    assert third.returncode == 1
    assert f"Port {terminal.port} on 127.0.0.1 cannot be used" in third.stderr

    # Other commands find its database without settings.
    for command in ("migrate", "seed", "audit"):
        called = terminal.call(command)
        assert called.returncode == 0, called.stderr

    # Payments are simulated, and it says where; what the simulator tells is signed by a secret of this folder.
    make_intent(terminal.simulator())
    assert (terminal.state_dir / "payments" / "webhook-secret").read_text().startswith("whsec_")

    # After kill -9, nothing is left running, and the next start takes over.
    run.kill()
    run.wait()
    run = terminal.start_run()
    assert count_of_intents(terminal.simulator()) == 1, "what was paid is kept"

    # Ctrl-C stops all of it, cleanly.
    assert terminal.processes().keys() > {run.pid}
    run.send_signal(signal.SIGINT)
    assert run.wait(STOP_SECONDS_MAX) == 0, terminal.log.read_text()
    assert terminal.processes() == {}
    assert "Traceback" not in terminal.log.read_text()

    # A part that stops by itself takes the rest with it, and the exit code says that it was no wish of ours.
    run = terminal.start_run()
    os.kill(terminal.process_of("server.cli worker"), signal.SIGKILL)
    assert run.wait(STOP_SECONDS_MAX) == 1
    assert "`vacancy worker` stopped by itself" in terminal.log.read_text()
    assert terminal.processes() == {}


def test_a_port_that_is_taken_is_told_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=f"Port {port} on 127.0.0.1 cannot be used .* VACANCY_PORT"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(LaunchError, match=host):
        check_port(host, free_port())
