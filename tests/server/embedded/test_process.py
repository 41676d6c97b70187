import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.embedded.process import spawn, stop_all
from tests.support.waiting import wait_until

ENVIRONMENT = {"PATH": os.environ["PATH"]}

PARENT = """
import os, signal
from server.embedded.process import spawn
child = spawn(["sleep", "60"], env={"PATH": os.environ["PATH"]}, death_signal=signal.SIGTERM)
print(child.pid, flush=True)
signal.alarm(60)  # should nobody kill it
signal.pause()
"""


def has_gone(pid: int) -> bool:
    """Ended; a zombie that no one has collected yet has ended too."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at a parent's death is Linux's")
def test_a_child_does_not_outlive_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.stdout.close()
    assert not has_gone(child)
    parent.kill()
    parent.wait()
    wait_until(lambda: has_gone(child))


def test_ctrl_c_at_our_terminal_does_not_reach_a_child() -> None:
    child = spawn(["sleep", "60"], env=ENVIRONMENT, death_signal=signal.SIGKILL)
    try:
        assert os.getsid(child.pid) == child.pid != os.getsid(0)
    finally:
        stop_all([child], signal.SIGKILL, wait_seconds=0)


def test_those_that_do_not_stop_when_asked_are_killed_together_after_one_wait() -> None:
    deaf = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as output, os.fdopen(read_end, "rb") as ready:
        children = [spawn(deaf, env=ENVIRONMENT, output=output, death_signal=signal.SIGKILL) for _ in range(3)]
        assert [ready.readline() for _ in children] == [b"ready\n"] * 3
    willing = spawn(["sleep", "60"], env=ENVIRONMENT, death_signal=signal.SIGKILL)
    began = time.monotonic()
    stop_all([*children, willing], signal.SIGTERM, wait_seconds=0.3)
    assert time.monotonic() - began < 3
    assert [child.returncode for child in children] == [-signal.SIGKILL] * 3
    assert willing.returncode == -signal.SIGTERM


def test_what_has_ended_is_left_alone() -> None:
    child = spawn(["true"], env=ENVIRONMENT, death_signal=signal.SIGKILL)
    child.wait(5)
    stop_all([child], signal.SIGTERM, wait_seconds=0)
    assert child.returncode == 0
