import os
import pwd
from pathlib import Path

import pytest

from server.embedded.account import Account, server_account
from server.embedded.errors import StateUnusable

OURS = Account(os.geteuid(), os.getegid())
STRANGER = Account(os.geteuid() + 1, os.getegid() + 1)


def as_root(monkeypatch: pytest.MonkeyPatch, *accounts: str) -> None:
    """Let the code believe that it is root on a machine with just these accounts."""
    numbers = {name: 1000 + position for position, name in enumerate(accounts)}

    def entry(name: str) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", numbers[name], numbers[name], "", "/", "/bin/false"))

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", entry)


def test_servers_run_as_ourselves_unless_we_are_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    account = server_account(tmp_path / "data")
    assert account == Account(4321, os.getegid())
    assert account.is_ours


def test_root_hands_the_servers_to_an_account_that_exists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    as_root(monkeypatch, "nobody", "postgres")
    assert server_account(tmp_path / "data") == Account(1001, 1001)
    as_root(monkeypatch, "nobody")
    assert server_account(tmp_path / "data") == Account(1000, 1000)
    as_root(monkeypatch)
    with pytest.raises(StateUnusable, match="DATABASE_URL"):
        server_account(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_existing_data_stays_with_its_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 54321, 54322)
    assert server_account(tmp_path) == Account(54321, 54322)


def test_one_closed_folder_on_the_way_keeps_an_account_out(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    assert OURS.can_enter(inner)
    inner.chmod(0o755)
    inner.parent.chmod(0o700)
    assert not STRANGER.can_enter(inner)


def test_a_link_is_followed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(closed)
    assert not STRANGER.can_enter(tmp_path / "link")
