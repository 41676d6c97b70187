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
from benchmarks.kept import kept
from benchmarks.month import month
from benchmarks.payments import payments
from benchmarks.pools import pools
from benchmarks.report import machine, say
from benchmarks.rules import rules
from benchmarks.shares import profile
from benchmarks.stage import Stage, running
from benchmarks.watchers import watchers

PARTS: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {
    "watchers": watchers,
    "availability": availability,
    "rules": rules,
    "pools": pools,
    "profile": profile,
    "holds": holds,
    "refusals": refusals,
    "kept": kept,
    "claims": claims,
    "isolation": isolation,
    "payments": payments,
}
LONG: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {"month": month}
"""Parts that are run only when they are asked for: each takes minutes."""


def main() -> None:
    """Under five minutes for all parts but the long ones, on two cores."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    known = f"{', '.join(PARTS)} (default: all of these); {', '.join(LONG)}"
    parser.add_argument("parts", nargs="*", metavar="PART", help=known)
    names: list[str] = parser.parse_args().parts
    unknown = set(names) - set(PARTS) - set(LONG)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    uvloop.run(_run(names or list(PARTS)))


async def _run(names: Sequence[str]) -> None:
    began = time.monotonic()
    machine()
    async with running() as stage:
        for name in names:
            await stage.settle()
            await (PARTS | LONG)[name](stage)
    say()
    say(f"All of it took {time.monotonic() - began:.0f} seconds.")


if __name__ == "__main__":
    main()
