"""The compose file fits the application: no engine runs here, but a wrong name, path or command is found."""

import re

import pytest

from server.cli import main
from server.settings import Settings
from tests.docker.files import FOLDER, ROOT, application_services, compose_text, example_names, services

FILLED_IN = "0123456789abcdef" * 4
SETTINGS = set(Settings(state_dir=ROOT).to_environment())


def filled_in(value: str) -> str:
    """A value as compose hands it to a container when .env is filled in."""
    return re.sub(r"\$\{[A-Z_]+:\?[^}]+\}", FILLED_IN, value)


def test_two_servers_a_worker_and_one_migration_run_our_image() -> None:
    commands = {name: service["command"] for name, service in application_services().items()}
    assert commands == {"migrate": ["migrate"], "server-1": ["serve"], "server-2": ["serve"], "worker": ["worker"]}


@pytest.mark.parametrize("name", application_services())
def test_a_command_is_one_of_the_command_line(name: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*application_services()[name]["command"], "--help"])
    assert ended.value.code == 0


@pytest.mark.parametrize("name", application_services())
def test_the_settings_can_be_read_and_every_variable_is_one(name: str) -> None:
    given = application_services()[name]["environment"]
    assert set(given) <= SETTINGS
    read = Settings.from_environment(
        {"HOME": "/nonexistent", **{key: filled_in(value) for key, value in given.items()}}
    )
    assert read.secrets == (FILLED_IN,)
    assert read.database_url == f"postgresql://vacancy_login:{FILLED_IN}@postgres:5432/vacancy"
    assert read.redis_url == "redis://valkey:6379/0"


def test_only_the_migration_is_the_owner_of_the_tables() -> None:
    environments = {name: service["environment"] for name, service in application_services().items()}
    owner = services()["postgres"]["environment"]["POSTGRES_USER"]
    assert f"//{owner}:" in environments["migrate"].pop("MIGRATION_DATABASE_URL")
    assert not [name for name, given in environments.items() if owner in str(given) or "OWNER" in str(given)]


def test_a_secret_that_is_missing_is_an_error_that_says_where_it_belongs() -> None:
    used = re.findall(r"\$\{([A-Z_]+)(.*?)\}", compose_text())
    assert {name for name, _ in used} == example_names()
    assert {otherwise for _, otherwise in used} == {":?is not set, see docker/example.env"}
    assert "docker/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_nothing_serves_before_the_database_is_migrated() -> None:
    assert services()["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services()["migrate"]["restart"] == "no"
    for name in ("server-1", "server-2", "worker"):
        conditions = {other: waits["condition"] for other, waits in services()[name]["depends_on"].items()}
        assert conditions["migrate"] == "service_completed_successfully"
        assert conditions["postgres"] == "service_healthy"
        assert conditions["valkey"] == "service_started", "bookings need no Redis"


def test_whatever_is_waited_for_is_a_service_with_a_healthcheck() -> None:
    for name, service in services().items():
        for other, waits in service.get("depends_on", {}).items():
            assert other in services(), name
            if waits["condition"] == "service_healthy":
                assert "test" in services()[other]["healthcheck"]


def test_what_does_not_listen_is_not_asked_for_its_health() -> None:
    off = {name for name, service in application_services().items() if service.get("healthcheck") == {"disable": True}}
    assert off == {"migrate", "worker"}


@pytest.mark.parametrize("name", application_services())
def test_our_containers_can_write_nothing_and_may_do_nothing(name: str) -> None:
    service = application_services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", services())
def test_an_image_names_its_version_and_a_log_is_bounded(name: str) -> None:
    service = services()[name]
    assert re.search(r":[0-9]", service["image"])
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


def test_only_this_machine_reaches_the_servers_and_nobody_the_others() -> None:
    ports = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert ports == {"server-1": ["127.0.0.1:8001:8000"], "server-2": ["127.0.0.1:8002:8000"]}


def test_valkey_keeps_nothing() -> None:
    valkey = services()["valkey"]
    assert "volumes" not in valkey
    assert valkey["command"][:5] == ["valkey-server", "--save", "", "--appendonly", "no"]


def test_what_is_mounted_is_there() -> None:
    mounts = [mount for service in services().values() for mount in service.get("volumes", [])]
    sources = [mount.partition(":")[0] for mount in mounts]
    assert [source for source in sources if source.startswith(".") and not (FOLDER / source).is_file()] == []
    assert "postgres" in sources
