import tempfile
from collections.abc import Iterator

import pytest

from engine.viewer import Role
from server.cli import ROLES, main

COMMANDS = ("run", "serve", "worker", "migrate", "seed", "audit", "token", "schema")


@pytest.fixture(autouse=True)
def own_state_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """No test finds, or disturbs, what runs on this machine."""
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("VACANCY_STATE_DIR", folder)
        yield folder


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_every_command_explains_itself(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: vacancy {' '.join(arguments)}".strip())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run", "--fast"],
        ["token"],
        ["token", "--role", "king"],
        ["token", "--role", "staff", "--hours", "0"],
        ["token", "--role", "staff", "--hours", "nan"],
        ["token", "--role", "staff", "--hours", "1e9"],
    ],
)
def test_a_command_that_makes_no_sense_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: vacancy" in capsys.readouterr().err


def test_a_setting_that_makes_no_sense_exits_with_2_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VACANCY_PORT", "http")
    assert main(["run"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "vacancy: VACANCY_PORT must be a whole number from 1 to 65535, not 'http'\n"


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "seed", "audit", "token"])
def test_a_command_without_a_database_exits_with_1_and_says_what_to_do(
    command: str, capsys: pytest.CaptureFixture[str], own_state_dir: str
) -> None:
    arguments = ["token", "--role", "staff"] if command == "token" else [command]
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"vacancy: Nothing is running in {own_state_dir}: start `vacancy run` first, or set DATABASE_URL\n"
    )


@pytest.mark.parametrize("command", ["migrate", "seed", "audit"])
def test_a_database_that_cannot_be_reached_exits_with_1_and_one_line(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:hunter2@127.0.0.1:1/vacancy")
    assert main([command]) == 1
    said = capsys.readouterr().err
    assert said.startswith("vacancy: No connection to postgresql://ada:***@127.0.0.1:1/vacancy")
    assert said.count("\n") == 1


def test_a_token_may_be_for_every_role_that_has_an_account() -> None:
    assert {role.upper() for role in ROLES} == set(Role) - {Role.GUEST}
