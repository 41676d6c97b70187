"""The janitor: forgets what nobody can ask for any more, so that tables do not grow without end."""

from datetime import timedelta
from typing import Final

from models.database import Database
from models.queries.work import forget
from server.loops import keep_on

KEPT: Final = timedelta(days=7)
"""How long idempotency keys are remembered, and outbox rows kept for watchers that come back."""

PERIOD_SECONDS: Final = 3600.0
ROWS_PER_CALL_MAX: Final = 10_000
PAUSE_SECONDS: Final = 1.0


async def tidy(database: Database) -> None:
    """Forget once an hour, a bounded number of rows at a time, until cancelled."""

    async def step() -> float:
        forgotten = await forget(database, older_than=KEPT, limit=ROWS_PER_CALL_MAX)
        return PERIOD_SECONDS if forgotten < ROWS_PER_CALL_MAX else PAUSE_SECONDS

    await keep_on("Forgetting old keys and hints", step, pause_seconds_max=60.0)
