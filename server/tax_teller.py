"""The tax teller: tells the tax provider of bookings that were confirmed or cancelled, where one counts their taxes."""

from typing import Final

from engine.ports import TaxProvider
from engine.tax_entries import tell_taxes
from models.database import Database
from server.loops import keep_on

PERIOD_SECONDS: Final = 2.0
ENTRIES_PER_ROUND_MAX: Final = 5
"""One after the other, and each within the 40 seconds that two calls may take: all before they are due again."""


async def tell(database: Database, provider: TaxProvider) -> None:
    """Tell what is due, every two seconds, until cancelled, through failures of the database."""

    async def step() -> float:
        told = await tell_taxes(database, provider, limit=ENTRIES_PER_ROUND_MAX)
        return 0.0 if told == ENTRIES_PER_ROUND_MAX else PERIOD_SECONDS

    await keep_on("Telling the tax provider of bookings", step, pause_seconds_max=60.0)
