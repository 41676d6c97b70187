"""The sweeper: ends holds that are over and that nobody needed yet, so that their places are seen to be free.

A dead sweeper costs no correctness: whoever needs the place ends such a hold in the admission itself.
"""

import asyncio
from typing import Final

from models.database import Database
from models.queries.work import expire_over, organizations_with_over_holds
from subscriptions.outage import Outage

PERIOD_SECONDS: Final = 1.0
ORGANIZATIONS_PER_ROUND_MAX: Final = 1_000
HOLDS_PER_CALL_MAX: Final = 100
CALLS_PER_ORGANIZATION_MAX: Final = 10
PATIENT_EVERY_ROUNDS: Final = 5
"""In most rounds what is locked just now is passed over; in every fifth it is waited for, so that nothing starves."""


async def sweep(database: Database) -> None:
    """End holds that are over, every second, until cancelled, through failures of the database."""
    outage = Outage("Ending holds that are over")
    rounds = 0
    while True:
        rounds += 1
        try:
            await sweep_once(database, patient=rounds % PATIENT_EVERY_ROUNDS == 0)
            outage.over()
            pause_seconds = PERIOD_SECONDS
        except Exception as error:  # noqa: BLE001 - the loop goes on whatever happens; an outage is logged once
            pause_seconds = outage.failed(error)
        await asyncio.sleep(pause_seconds)


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
