"""Doing a unit of work until it is done: the loop behind each call of the ledger and each change of the catalog."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from models.database import Database
from models.ledger.failures import TOO_SLOW, TRY_AGAIN, busy, driver_error, is_key_race, translate

ATTEMPTS_MAX = 5
FIRST_PAUSE_SECONDS = 0.03

Result = TypeVar("Result")


class Relock(Exception):
    """An attempt found that it had not locked what it needs: nothing was done, and the next attempt will."""


async def until_done(database: Database, attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Make the attempt, one transaction with its idempotency key in it, and bring it to its end.

    After a deadlock, a serialization failure, a lost connection, a race for the key or a Relock the attempt is made
    again, at most ATTEMPTS_MAX times with growing pauses (30 ms to 0.5 s, half of it at random). Each may take
    `database.wait_seconds_max`. Work that has begun is finished even if the caller is cancelled meanwhile. Raises
    Busy when it takes too long or too often; a named constraint that refuses is raised as its business fact.
    """
    return await database.finish(_until_done(database, attempt))


async def _until_done(database: Database, attempt: Callable[[], Awaitable[Result]]) -> Result:
    for number in range(ATTEMPTS_MAX):
        try:
            async with asyncio.timeout(database.wait_seconds_max):
                return await attempt()
        except Relock:
            pass
        except Exception as error:
            cause = driver_error(error)
            if isinstance(cause, TOO_SLOW):
                raise busy() from error
            if not isinstance(cause, TRY_AGAIN) and not is_key_race(cause):
                fact = translate(cause)
                if fact is None:
                    raise
                raise fact from error
        await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**number * random.uniform(0.5, 1.5))
    raise busy()
