"""The offerer: offers what has become free to who waits for it.

Its state is in the database: which lists have moved since somebody looked, and who looks through one just now. A worker
that dies leaves its list to the others when the lease is over; a dead offerer costs nothing but time.
"""

from typing import Final

from engine.offers import offer_free
from engine.ports import Clock, TaxProvider
from engine.provided_taxes import NO_TAX_PROVIDER
from models.database import Database
from models.queries.waitlist import TakenList, lapse_waiting, return_waitlist, take_waitlists
from server.loops import keep_on
from server.resources import utc_now

PERIOD_SECONDS: Final = 1.0
LISTS_PER_ROUND_MAX: Final = 20
LEASE_SECONDS: Final = 30
"""For all lists of a round. One that takes longer may be looked through by two workers, which costs order only."""

AGAIN_SECONDS: Final = 600
"""A list that nothing has moved on is looked through so often all the same."""

LAPSED_PER_ROUND_MAX: Final = 1_000


async def offer(database: Database, taxes: TaxProvider = NO_TAX_PROVIDER) -> None:
    """Offer every second, until cancelled, through failures of the database."""

    async def step() -> float:
        await offer_once(database, taxes=taxes)
        return PERIOD_SECONDS

    await keep_on("Offering what is free to who waits", step)


async def offer_once(database: Database, *, now: Clock = utc_now, taxes: TaxProvider = NO_TAX_PROVIDER) -> int:
    """Look through the lists that have moved, within the limits above; returns how many offers were made."""
    await lapse_waiting(database, limit=LAPSED_PER_ROUND_MAX)
    lists = await take_waitlists(
        database, limit=LISTS_PER_ROUND_MAX, lease_seconds=LEASE_SECONDS, again_seconds=AGAIN_SECONDS
    )
    return sum([await _look_through(database, each, now, taxes) for each in lists])


async def _look_through(database: Database, taken: TakenList, now: Clock, taxes: TaxProvider) -> int:
    is_done = False
    try:
        made = await offer_free(database, taken.resource, now=now, taxes=taxes)
        is_done = True
        return made
    finally:
        await return_waitlist(database, taken, is_done=is_done)
