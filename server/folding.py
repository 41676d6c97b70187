"""Folding: change points that are long past go, so that timelines are as long as what is to come (docs/adr/0011)."""

import asyncio
from datetime import timedelta
from typing import Final

from models.database import Database
from models.queries.work import fold
from server.loops import keep_on

PERIOD_SECONDS: Final = 3600.0
TIMELINES_PER_CALL_MAX: Final = 20
POINTS_PER_TIMELINE_MAX: Final = 500
"""A call holds the locks of its timelines until it commits: with these limits for some tens of milliseconds."""

CALLS_PER_ROUND_MAX: Final = 10_000
PAUSE_SECONDS: Final = 0.01


async def fold_past(database: Database, keep: timedelta) -> None:
    """Fold once an hour what is older than `keep`, until cancelled, through failures of the database."""

    async def step() -> float:
        await fold_once(database, keep)
        return PERIOD_SECONDS

    await keep_on("Folding the past of timelines", step, pause_seconds_max=60.0)


async def fold_once(database: Database, keep: timedelta) -> int:
    """Fold what is older than `keep`, within the limits above; returns how many timelines calls have folded.

    A timeline with more change points than a call may take counts as often as it was folded. What is being admitted
    to just now is left for the next round.
    """
    folded = 0
    for _ in range(CALLS_PER_ROUND_MAX):
        some = await fold(database, older_than=keep, limit=TIMELINES_PER_CALL_MAX, points=POINTS_PER_TIMELINE_MAX)
        folded += some
        if not some:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    return folded
