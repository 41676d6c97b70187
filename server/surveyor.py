"""The surveyor: sees to it that PostgreSQL knows the size of its tables while they are new and grow fast."""

from typing import Final

from models.database import Database
from models.queries.work import analyze
from server.loops import keep_on

PERIOD_SECONDS: Final = 2.0


async def survey(database: Database) -> None:
    """Look every two seconds, until cancelled. Large tables are autovacuum's."""

    async def step() -> float:
        await analyze(database)
        return PERIOD_SECONDS

    await keep_on("Taking statistics of new tables", step, pause_seconds_max=60.0)
