"""`python -m benchmarks [PART ...]`: runs these parts, or all, and prints the figures of this one run as Markdown."""

import argparse
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import uvloop

from benchmarks.availability import availability
from benchmarks.claims import claims
from benchmarks.holds import holds, refusals
from benchmarks.isolation import isolation
from benchmarks.report import machine, say
from benchmarks.shares import profile
from benchmarks.stage import Stage, running
from benchmarks.watchers import watchers

PARTS: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {
    "watchers": watchers,
    "availability": availability,
    "profile": profile,
    "holds": holds,
    "refusals": refusals,
    "claims": claims,
    "isolation": isolation,
}


def main() -> None:
    """Under five minutes for all parts, on two cores."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    names: list[str] = parser.parse_args().parts
    unknown = set(names) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    uvloop.run(_run(names or list(PARTS)))


async def _run(names: Sequence[str]) -> None:
    began = time.monotonic()
    machine()
    async with running() as stage:
        for name in names:
            await stage.settle()
            await PARTS[name](stage)
    say()
    say(f"All of it took {time.monotonic() - began:.0f} seconds.")


if __name__ == "__main__":
    main()
