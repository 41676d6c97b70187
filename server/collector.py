"""The collector: looks after payments that nobody else looks after just now.

A webhook came, a booking has changed, a page was never returned to, a process has died: each leaves a time at which
somebody is to look, in the database. A dead collector costs time and no money: what it has begun is found again when
its lease is over.
"""

import asyncio
import logging
from typing import Final

from engine.collecting import drive
from engine.payment import PaymentRefused, PaymentUnavailable
from engine.ports import Clock, PaymentGateway
from models.database import Database
from models.errors import BookingError
from models.keys import BookingKey
from models.ledger.failures import translate
from models.ledger.payments import take_payments
from server.loops import keep_on
from server.resources import utc_now

PERIOD_SECONDS: Final = 0.5
BOOKINGS_PER_ROUND_MAX: Final = 50
AT_ONCE_MAX: Final = 8
"""Calls of the provider under way: it counts them, and the pool of the database has no more connections."""

LEASE_SECONDS: Final = 30
"""Longer than a step takes, and short enough that all is looked after within a minute of the provider's return."""

logger = logging.getLogger(__name__)


async def collect(database: Database, gateway: PaymentGateway) -> None:
    """Look after payments twice a second, until cancelled, through failures of the database and of the provider."""
    was_reached = True

    async def step() -> float:
        nonlocal was_reached
        found, is_reached = await collect_once(database, gateway)
        if found and is_reached is not was_reached:
            was_reached = is_reached
            logger.warning("The payment provider %s.", "answers again" if is_reached else "does not answer")
        return 0.0 if found == BOOKINGS_PER_ROUND_MAX and is_reached else PERIOD_SECONDS

    await keep_on("Looking after payments", step)


async def collect_once(database: Database, gateway: PaymentGateway, *, now: Clock = utc_now) -> tuple[int, bool]:
    """Look after what is due now, within the limits above; of how many bookings, and whether the provider answered."""
    keys = await take_payments(database, limit=BOOKINGS_PER_ROUND_MAX, lease_seconds=LEASE_SECONDS)
    turn = asyncio.Semaphore(AT_ONCE_MAX)

    async def in_turn(key: BookingKey) -> bool:
        async with turn:
            return await look_after(database, gateway, key, now)

    answered = await asyncio.gather(*(in_turn(key) for key in keys))
    return len(keys), all(answered)


async def look_after(database: Database, gateway: PaymentGateway, key: BookingKey, now: Clock) -> bool:
    """Look after one booking; whether the provider answered. What fails is logged, and left for the next who looks."""
    try:
        await drive(database, gateway, key, now=now)
    except PaymentUnavailable:
        return False
    except PaymentRefused as error:
        logger.error("The payment of booking %s is refused: %s", key.id, error)
    except BookingError as error:
        logger.info("The payment of booking %s is looked at later: %s", key.id, error.code)
    except Exception as error:
        if translate(error) is None:
            logger.exception("The payment of booking %s meets a defect", key.id)
    return True
