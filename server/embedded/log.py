"""The servers' log files: bounded, and quoted when a server does not start."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

LOG_BYTES_MAX: Final = 4 * 1024 * 1024
TAIL_LINES: Final = 4
TAIL_BYTES: Final = 4096


@contextmanager
def appended(path: Path) -> Iterator[IO[bytes]]:
    """The log at `path`, to append to. One that has grown long is put aside, in place of the last such."""
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_name(f"{path.name}.1"))
    with path.open("ab") as file:
        file.seek(0, os.SEEK_END)
        yield file


def tail(path: Path, *, since: int) -> str:
    """The last lines written to the log after its first `since` bytes, as one line for a message."""
    with path.open("rb") as file:
        file.seek(max(since, path.stat().st_size - TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    shown = [line.strip() for line in lines if line.strip()][-TAIL_LINES:]
    return " / ".join(shown) or "nothing"
