"""Where the time of something goes that this very process does: whose code it finds itself in, every millisecond."""

import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Final

from benchmarks.report import say, table

SAMPLE_SECONDS: Final = 0.001
PARTS: Final = {
    "engine.rules": "rules",
    "engine.conditions": "rules: what they count",
    "engine.supply": "what is left, step by step",
    "engine": "requests and answers",
    "models.queries": "reading: rows to steps",
    "asyncpg": "reading: the driver",
    "strawberry": "gathering what is asked",
    "schema": "gathering what is asked",
    "sqlalchemy": "rows of the catalog",
}
OTHER: Final = "event loop, other"


async def say_where_the_time_goes(name: str, ask: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Ask again and again, for so long, and print the shares of its CPU time. For the main thread."""
    counts: Counter[str] = Counter()

    def sample(_signal: int, frame: FrameType | None) -> None:
        counts[_part_of(frame)] += 1

    before = signal.signal(signal.SIGPROF, sample)
    rounds, began, used = 0, time.monotonic(), time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)
    try:
        while time.monotonic() - began < seconds:
            await ask()
            rounds += 1
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    cpu_ms = (time.process_time() - used) * 1000 / rounds
    samples = sum(counts.values())
    say()
    say(f"CPU of the engine: {name} ({cpu_ms:.1f} ms, {samples:,} samples)")
    say()
    rows = sorted(counts.items(), key=lambda found: -found[1])
    table(["", "share", "ms"], [[part, f"{n / samples:.0%}", cpu_ms * n / samples] for part, n in rows])


def _part_of(frame: FrameType | None) -> str:
    """Whose code this is: the innermost that we know, so that what a rule does with a date counts for the rule."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        while module:
            if module in PARTS:
                return PARTS[module]
            module = module.rpartition(".")[0]
        frame = frame.f_back
    return OTHER
