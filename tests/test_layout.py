"""The packages have short names at the top level, as the house asks for: here is what keeps that safe."""

import importlib.util
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
DEVELOPERS = ["benchmarks", "tests"]  # not in the wheel
SKIPPED = {"node_modules", "build", "dist"}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_the_one_of_this_repository(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin == str(ROOT / name / "__init__.py")


@pytest.mark.parametrize("name", [*PACKAGES, *DEVELOPERS])
def test_a_name_belongs_to_nobody_else(name: str) -> None:
    assert name not in sys.stdlib_module_names
    assert set(packages_distributions().get(name, [])) <= {"vacancy"}


def test_every_tool_looks_at_the_same_packages() -> None:
    tools = PROJECT["tool"]
    on_disk = {path.parent.name for path in ROOT.glob("*/__init__.py")} - set(DEVELOPERS)
    assert set(PACKAGES) == on_disk
    assert set(tools["importlinter"]["root_packages"]) == on_disk
    assert set(tools["mypy"]["packages"]) == on_disk | set(DEVELOPERS)
    layers = tools["importlinter"]["contracts"][0]["layers"]
    assert {name.strip() for layer in layers for name in re.split(r"[|:]", layer)} == on_disk


def test_every_folder_with_python_is_a_package() -> None:
    bare = {
        str(path.parent.relative_to(ROOT))
        for package in [*PACKAGES, *DEVELOPERS]
        for path in (ROOT / package).rglob("*.py")
        if not SKIPPED & set(path.parts) and not (path.parent / "__init__.py").exists()
    }
    assert bare == set()
