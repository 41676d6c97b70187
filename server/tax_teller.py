"""The tax teller: tells the tax provider of bookings that were confirmed or cancelled, where one counts their taxes."""

import asyncio
from typing import Final

from engine.ports import TaxProvider
from engine.tax_entries import tell_taxes
from models.database import Database
from subscriptions.outage import Outage

PERIOD_SECONDS: Final = 2.0
ENTRIES_PER_ROUND_MAX: Final = 5
"""One after the other, and each within the 40 seconds that two calls may take: all before they are due again."""


async def tell(database: Database, provider: TaxProvider) -> None:
    """Tell what is due, every two seconds, until cancelled, through failures of the database."""
    outage = Outage("Telling the tax provider of bookings", pause_seconds_max=60.0)
    while True:
        pause_seconds = PERIOD_SECONDS
        try:
            if await tell_taxes(database, provider, limit=ENTRIES_PER_ROUND_MAX) == ENTRIES_PER_ROUND_MAX:
                pause_seconds = 0.0
            outage.over()
        except Exception as error:  # noqa: BLE001 - the loop goes on whatever happens; an outage is logged once
            pause_seconds = outage.failed(error)
        await asyncio.sleep(pause_seconds)
