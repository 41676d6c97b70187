"""The nemesis: kills a process at random, leaves it dead for a while, starts it again."""

import asyncio
import random
import time
from contextlib import suppress

from tests.history.records import History
from tests.history.rig import POSTGRES, SERVERS, WORKER, Rig, server_name

VICTIMS = {server_name(number): 3 for number in range(SERVERS)} | {WORKER: 2, POSTGRES: 4}
"""Who is killed how often."""

QUIET_SECONDS = (0.3, 1.5)
DEAD_SECONDS = (0.0, 1.0)
PATIENCE_SECONDS = 5.0
"""How long the next kill waits for all to be up again: else a slow machine would do nothing but start."""
IMPATIENT = 0.25
"""Of the kills, those after which the next does not wait."""


async def torment(rig: Rig, history: History, rng: random.Random, *, seconds: float) -> None:
    """Kill and start again for so long; at the end all has been started again, though not all may answer yet."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(rng.uniform(*QUIET_SECONDS))
        await strike(rig, history, rng.choices(list(VICTIMS), weights=list(VICTIMS.values()))[0], rng)
        if rng.random() > IMPATIENT:
            with suppress(AssertionError):
                await rig.until_ready(seconds_max=PATIENCE_SECONDS)


async def strike(rig: Rig, history: History, victim: str, rng: random.Random) -> None:
    """Kill one and start it again. Starting PostgreSQL holds up everything in this process until it has recovered."""
    rig.kill(victim)
    history.killed(victim)
    await asyncio.sleep(rng.uniform(*DEAD_SECONDS))
    rig.start(victim)
