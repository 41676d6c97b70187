"""A state folder as an operator would have one: short, and open to pass through, which `tmp_path` is not."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder below /tmp, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="vacancy-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state folder that does not exist yet."""
    with open_folder() as above:
        yield above / "state"


@pytest.fixture(scope="session")
def used_state_dir() -> Iterator[Path]:
    """One state folder for all tests that leave a usable cluster in it, because making one takes seconds.

    Its name shows that what a path may hold arrives whole in every URL.
    """
    with open_folder() as above:
        yield above / "a stäte"
