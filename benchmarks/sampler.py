"""`python -m benchmarks.sampler FILE`: `vacancy serve` that looks every few milliseconds of CPU time what it is doing.

It begins at SIGUSR1, so that starting does not count, and writes the counts by layer into FILE when it has stopped.
"""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

from server.cli import main as vacancy

INTERVAL_SECONDS: Final = 0.002

LAYERS: Final = {
    "graphql": "graphql-core",
    "strawberry": "Strawberry",
    "resolvers": "resolvers, schema",
    "schema": "resolvers, schema",
    "server": "edge: uvicorn, Starlette, server",
    "starlette": "edge: uvicorn, Starlette, server",
    "uvicorn": "edge: uvicorn, Starlette, server",
    "engine": "engine",
    "models": "ledger's calls",
    "sqlalchemy": "SQLAlchemy",
    "sqlmodel": "SQLAlchemy",
    "asyncpg": "asyncpg",
}
OTHER: Final = "event loop, other"


def main() -> int:
    """Serve until SIGTERM."""
    counts: Counter[str] = Counter()

    def sample(_signal: int, frame: FrameType | None) -> None:
        counts[layer_of(frame)] += 1

    def begin(_signal: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    signal.signal(signal.SIGPROF, sample)
    signal.signal(signal.SIGUSR1, begin)
    try:
        return vacancy(["serve"])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        Path(sys.argv[1]).write_text(json.dumps(counts))


def layer_of(frame: FrameType | None) -> str:
    """Whose code this is: the innermost that we know, so that what a library does with json counts for the library."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in LAYERS:
            return LAYERS[package]
        frame = frame.f_back
    return OTHER


if __name__ == "__main__":
    sys.exit(main())
