import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.embedded import state as state_module
from server.embedded.account import Account
from server.embedded.errors import StateTaken, StateUnusable
from server.embedded.state import is_taken, kept_secret, locked_state, make_state_folder, write_private
from tests.support.waiting import wait_until

OURS = Account(os.geteuid(), os.getegid())

HOLDER = """
import pathlib, signal, sys
from server.embedded.state import locked_state
with locked_state(pathlib.Path(sys.argv[1])) as state:
    if len(sys.argv) > 2:  # a server that outlives its owner, until nobody can write into what it reads any more
        import subprocess
        subprocess.Popen(["cat"], stdin=int(sys.argv[2]), pass_fds=[state.lock_fd], stdout=subprocess.DEVNULL)
    print("held", flush=True)
    signal.alarm(60)  # should nobody kill it
    signal.pause()
"""


def hold(folder: Path, *read_by_orphan: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", HOLDER, str(folder), *map(str, read_by_orphan)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=read_by_orphan)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.stdout.close()
    return holder


@contextmanager
def orphan(folder: Path) -> Iterator[Callable[[], None]]:
    """What an owner that was killed has left behind; it goes when it is told to, or at the end of the `with`."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as line:
        holder = hold(folder, reading)
        os.close(reading)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        yield line.close


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_one_process_at_a_time_owns_a_state_folder(state_dir: Path) -> None:
    holder = hold(state_dir)
    try:
        assert is_taken(state_dir)
        with pytest.raises(StateTaken) as refused, locked_state(state_dir):
            pass
    finally:
        holder.kill()
        holder.wait()
    assert str(state_dir) in str(refused.value)
    assert f"process {holder.pid}" in str(refused.value)
    assert "VACANCY_STATE_DIR" in str(refused.value)
    with locked_state(state_dir):
        assert is_taken(state_dir)
    assert not is_taken(state_dir)


def test_children_of_a_killed_owner_are_waited_for(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with orphan(state_dir) as let_go:
        assert is_taken(state_dir)
        waited: list[float] = []

        def wait(seconds: float) -> None:
            waited.append(seconds)
            let_go()
            wait_until(lambda: not is_taken(state_dir))

        monkeypatch.setattr(state_module, "time", SimpleNamespace(monotonic=time.monotonic, sleep=wait))
        with locked_state(state_dir) as state:
            assert state.path == state_dir
        assert waited


def test_children_that_do_not_go_are_reported(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "ORPHANS_WAIT_SECONDS", 0.2)
    with orphan(state_dir), pytest.raises(StateTaken, match="left behind"), locked_state(state_dir):
        pass


def test_a_folder_without_an_owner_is_not_taken(state_dir: Path) -> None:
    assert not is_taken(state_dir)
    make_state_folder(state_dir)
    assert not is_taken(state_dir)


def test_only_root_lets_others_pass_through(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_state_folder(state_dir)
    assert mode(state_dir) == (0o711 if os.geteuid() == 0 else 0o700)


def test_a_folder_of_somebody_else_is_refused(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_state_folder(state_dir)
    monkeypatch.setattr(os, "geteuid", lambda: state_dir.stat().st_uid + 1)
    with pytest.raises(StateUnusable, match="belongs to user"):
        make_state_folder(state_dir)


def test_a_folder_that_cannot_be_made_is_refused(state_dir: Path) -> None:
    state_dir.write_text("a file")
    with pytest.raises(StateUnusable, match="VACANCY_STATE_DIR"):
        make_state_folder(state_dir)


def test_a_folder_that_the_servers_cannot_enter_is_refused(state_dir: Path) -> None:
    stranger = Account(os.geteuid() + 1, os.getegid() + 1)
    state_dir.mkdir(mode=0o700)
    with locked_state(state_dir) as state:
        state_dir.chmod(0o700)
        with pytest.raises(StateUnusable, match="may not enter"):
            state.folder_for(stranger, state.postgres)


def test_a_secret_is_made_once_and_for_our_eyes_only(state_dir: Path) -> None:
    secret = kept_secret(state_dir, "secret")
    assert len(secret) >= 32
    assert kept_secret(state_dir, "secret") == secret
    assert kept_secret(state_dir, "other") != secret
    assert mode(state_dir / "secret") == 0o600


def test_of_two_who_make_a_secret_at_once_both_get_the_same(state_dir: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        secrets = pool.starmap(kept_secret, [(state_dir, f"secret-{turn}") for turn in range(25) for _ in range(4)])
    assert [len(set(secrets[turn * 4 : turn * 4 + 4])) for turn in range(25)] == [1] * 25


def test_an_emptied_secret_is_not_used(state_dir: Path) -> None:
    make_state_folder(state_dir)
    (state_dir / "secret").touch()
    with pytest.raises(StateUnusable, match="is empty"):
        kept_secret(state_dir, "secret")


def test_a_private_file_is_replaced_whole(state_dir: Path) -> None:
    make_state_folder(state_dir)
    file = state_dir / "note"
    file.write_text("before")
    file.chmod(0o644)
    write_private(file, "after")
    assert file.read_text() == "after"
    assert mode(file) == 0o600


def test_sockets_lie_in_the_state_folder_or_in_a_short_one_that_is_used_again(state_dir: Path) -> None:
    with locked_state(state_dir) as state:
        assert state.sockets(OURS) == state_dir / "sockets"
    with locked_state(state_dir / "a,b") as state:
        elsewhere = state.sockets(OURS)
        elsewhere.rmdir()
        assert elsewhere.parent == Path("/tmp")  # noqa: S108
    with locked_state(state_dir / ("long" * 25)) as state:
        short = state.sockets(OURS)
        try:
            assert len(bytes(short)) < 40
            assert mode(short) == 0o700
            assert state.sockets(OURS) == short
            # Somebody else may have made the folder, once ours was cleaned away from /tmp.
            short.chmod(0o755)
            another = state.sockets(OURS)
            another.rmdir()
            assert another != short
        finally:
            short.rmdir()
