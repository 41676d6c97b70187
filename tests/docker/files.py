"""docker/ as data: the instructions of the Dockerfile, the services of the compose file, the names in the lock."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker"


class Instruction(NamedTuple):
    """One instruction of a Dockerfile, with its continued lines joined."""

    name: str
    arguments: str


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions in their order, without comments."""
    text = "\n".join(line for line in _lines(FOLDER / "Dockerfile") if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def last_stage() -> list[Instruction]:
    """The instructions that make the image itself."""
    found = instructions()
    starts = [at for at, instruction in enumerate(found) if instruction.name == "FROM"]
    return found[starts[-1] :]


def argument_of(name: str) -> str:
    """The last argument that an instruction has in the image's stage."""
    return [arguments for found, arguments in last_stage() if found == name][-1]


def image_environment() -> dict[str, str]:
    """The variables that the image sets."""
    pairs = (pair.partition("=") for name, given in last_stage() if name == "ENV" for pair in given.split())
    return {name: value for name, _, value in pairs}


def healthcheck() -> list[str]:
    """The command that tells whether a container is healthy."""
    command: list[str] = json.loads(argument_of("HEALTHCHECK").partition("CMD ")[2])
    return command


def compose_text() -> str:
    return (FOLDER / "compose.yaml").read_text()


def services() -> dict[str, dict[str, Any]]:
    """The services of the compose file, with what they share filled in."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(compose_text())["services"]
    return found


def application_services() -> dict[str, dict[str, Any]]:
    """Those that run our image."""
    return {name: service for name, service in services().items() if "build" in service}


def example_names() -> set[str]:
    """The variables of example.env, which are to be filled in."""
    return {line.removesuffix("=") for line in _lines(FOLDER / "example.env") if line and not line.startswith("#")}


def locked(name: str) -> dict[str, str]:
    """What a lock names: each package with its version, its marker and its hashes."""
    entries = re.findall(r"^([a-z0-9-]+)(==(?:.*\\\n)+.*)$", (ROOT / name).read_text(), re.MULTILINE)
    return {package: pinned.partition("\n    #")[0] for package, pinned in entries}


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()
