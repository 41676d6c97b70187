"""The sweeper: ends holds that are over and that nobody needed yet, so that their places are seen to be free.

A dead sweeper costs no correctness: whoever needs the place ends such a hold in the admission itself.
"""

from itertools import count
from typing import Final

from models.database import Database
from models.queries.work import expire_over, organizations_with_over_holds
from server.loops import keep_on

PERIOD_SECONDS: Final = 1.0
ORGANIZATIONS_PER_ROUND_MAX: Final = 1_000
HOLDS_PER_CALL_MAX: Final = 100
CALLS_PER_ORGANIZATION_MAX: Final = 10
PATIENT_EVERY_ROUNDS: Final = 5
"""In most rounds what is locked just now is passed over; in every fifth it is waited for, so that nothing starves."""


async def sweep(database: Database) -> None:
    """End holds that are over, every second, until cancelled, through failures of the database."""
    rounds = count(1)

    async def step() -> float:
        await sweep_once(database, patient=next(rounds) % PATIENT_EVERY_ROUNDS == 0)
        return PERIOD_SECONDS

    await keep_on("Ending holds that are over", step)


async def sweep_once(database: Database, *, patient: bool) -> int:
    """End what is over now, within the limits above; returns how many holds have ended."""
    ended = 0
    for organization_id in await organizations_with_over_holds(database, limit=ORGANIZATIONS_PER_ROUND_MAX):
        for _ in range(CALLS_PER_ORGANIZATION_MAX):
            some = await expire_over(database, organization_id, limit=HOLDS_PER_CALL_MAX, patient=patient)
            ended += some
            database.observer.ended(some)
            if some < HOLDS_PER_CALL_MAX:
                break
    return ended
