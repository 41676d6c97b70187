"""The surveyor: sees to it that PostgreSQL knows the size of its tables while they are new and grow fast."""

import asyncio
from typing import Final

from models.database import Database
from models.queries.work import analyze
from subscriptions.outage import Outage

PERIOD_SECONDS: Final = 2.0


async def survey(database: Database) -> None:
    """Look every two seconds, until cancelled. Large tables are autovacuum's."""
    outage = Outage("Taking statistics of new tables", pause_seconds_max=60.0)
    while True:
        pause_seconds = PERIOD_SECONDS
        try:
            await analyze(database)
            outage.over()
        except Exception as error:  # noqa: BLE001 - the loop goes on whatever happens; an outage is logged once
            pause_seconds = outage.failed(error)
        await asyncio.sleep(pause_seconds)
