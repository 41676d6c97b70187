"""The dispute finder: sees to disputes of which no webhook has told.

Several workers may look at once. The booking is then looked after as by the collector, so what has been written of the
dispute meanwhile is not written again.
"""

import logging
from datetime import timedelta
from typing import Final

from engine.disputes import newly_disputed
from engine.payment import PaymentRefused, PaymentUnavailable
from engine.ports import Clock, PaymentGateway
from models.database import Database
from server.collector import look_after
from server.loops import keep_on
from server.resources import utc_now

PERIOD_SECONDS: Final = 3_600.0
AWAY_SECONDS: Final = 60.0
"""Until the next try, if the provider does not answer."""

LOOK_BACK: Final = timedelta(days=120)
"""For lost webhooks days would do; but a bank may only ask at first, and what it takes later has the date of that."""

logger = logging.getLogger(__name__)


async def find_disputes(database: Database, gateway: PaymentGateway) -> None:
    """Look at once, and then every hour, until cancelled, through failures of the database and of the provider."""
    is_away = False

    async def step() -> float:
        nonlocal is_away
        was_away, is_away = is_away, False
        try:
            await find_disputes_once(database, gateway)
        except PaymentUnavailable as error:
            is_away = True
            if not was_away:
                logger.warning("Disputes are looked for later: %s", error)
            return AWAY_SECONDS
        except PaymentRefused as error:
            logger.error("Disputes can not be looked for: %s", error)
        return PERIOD_SECONDS

    await keep_on("Looking for disputes", step, pause_seconds_max=60.0)


async def find_disputes_once(database: Database, gateway: PaymentGateway, *, now: Clock = utc_now) -> int:
    """Look for disputes, and after the bookings that have one which is not written; returns how many these were.

    Raises PaymentUnavailable when the provider does not answer, also in the middle.
    """
    keys = await newly_disputed(database, gateway, since=now() - LOOK_BACK)
    for key in keys:
        if not await look_after(database, gateway, key, now):
            raise PaymentUnavailable("The payment provider has stopped answering")
    return len(keys)
