"""What is installed is no older than the versions that fixed a security hole or a loss of data.

Vulnerability scanners compare with a list that has to be fetched; this one is in the repository, and a lock
that fell below it would fail here.
"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
FLOORS = {
    "sqlalchemy": "2.1.9",
    "strawberry-graphql": "0.341.2",
    "graphql-core": "3.3.2",
    "starlette": "1.3.1",
    "uvicorn": "0.52.4",
    "python-multipart": "0.0.26",
    "pyjwt": "2.13.0",
    "h11": "0.16",
    "redis": "8.1",
}
NOT_USED = {"python-multipart"}  # nothing parses forms: the floor is for whoever brings it in


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_what_is_installed_is_no_older_than_its_floor(name: str, floor: str) -> None:
    try:
        installed = Version(version(name))
    except PackageNotFoundError:
        assert name in NOT_USED
        return
    assert installed >= Version(floor)


def test_pyproject_allows_nothing_below_the_floors() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {item.name.lower(): item.specifier for item in map(Requirement, project["dependencies"])}
    too_low = {
        name: str(declared.get(name))
        for name, floor in FLOORS.items()
        if name not in NOT_USED and not _starts_at_least_at(floor, str(declared.get(name)))
    }
    assert too_low == {}


def test_the_lock_names_versions_and_hashes_but_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@ file", lock)
    entries = [entry for entry in lock.split("\n") if re.match(r"[A-Za-z0-9]", entry)]
    assert len(entries) > 20
    assert [entry for entry in entries if "==" not in entry or not entry.endswith("\\")] == []


def _starts_at_least_at(floor: str, specifier: str) -> bool:
    lower = re.search(r">=([0-9.]+)", specifier)
    return lower is not None and Version(lower[1]) >= Version(floor)
