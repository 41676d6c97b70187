"""Telling a tax provider what became of bookings whose taxes it has counted: recorded once confirmed, taken back after.

What is to be told is in the database from the transaction on that confirms or cancels (ledger/sql/22_taxes.sql), so a
worker that dies loses nothing: another tells it again, and the provider does it once.
"""

import logging
from datetime import datetime
from fractions import Fraction
from typing import Final

from engine.cancellation.refunds import kept
from engine.cancellation.terms import Terms
from engine.payment import PaymentRefused, PaymentUnavailable
from engine.ports import TaxProvider
from engine.quote_rows import terms_of
from engine.taxes.bill import ComesBack, TaxKey
from models.database import Database
from models.keys import BookingKey
from models.price import Quote
from models.queries.tax_entries import (
    DueEntry,
    note_fault,
    note_recorded,
    note_reversed,
    read_tax_entry,
    take_tax_entries,
)
from models.tax_entry import TaxEntry

ATTEMPTS_MAX: Final = 20
"""After about 15 hours: within the day for which the provider knows a repetition by its key."""

logger = logging.getLogger(__name__)


async def tell_taxes(database: Database, provider: TaxProvider, *, limit: int) -> int:
    """Tell the provider of at most so many bookings that are due; returns how many were taken.

    No transaction is open while it is told. What it does not answer comes again; what it refuses is given up, logged,
    and kept with the reason.
    """
    taken = await take_tax_entries(database, limit=limit)
    for due in taken:
        try:
            await _tell(database, provider, due)
        except PaymentUnavailable as error:
            if due.attempts >= ATTEMPTS_MAX:
                await _give_up(database, due, "unavailable", error)
        except PaymentRefused as error:
            await _give_up(database, due, error.code, error)
    return len(taken)


def comes_back(terms: Terms, at: datetime) -> ComesBack:
    """Of each item, how much of its price comes back when the booking is cancelled at this instant."""
    shares: dict[int, Fraction] = {}
    for position, item in enumerate(terms.items):
        price = item.priced.price
        keeps = min(kept(item, at), price)
        shares[position] = Fraction(price - keeps, price) if price else Fraction(0)
    return shares


async def _tell(database: Database, provider: TaxProvider, due: DueEntry) -> None:
    row, quote = await read_tax_entry(database, due)
    key = TaxKey(BookingKey(due.organization_id, due.booking_id), due.quote_id)
    recorded = row.recorded
    if recorded is None:
        recorded = await provider.record(row.calculation, key)
        await note_recorded(database, due, recorded)
    if row.reverses is not None and row.reversed is None:
        await note_reversed(database, due, await _reverse(provider, row, quote, recorded, key))


async def _reverse(provider: TaxProvider, row: TaxEntry, quote: Quote, recorded: str, key: TaxKey) -> str | None:
    """What the provider calls the reversal; None where the venue keeps everything, and nothing is taken back."""
    if row.cancelled_at is None:
        return await provider.reverse(recorded, key, None)
    shares = comes_back(terms_of(quote), row.cancelled_at)
    if not any(shares.values()):
        return None
    is_whole = all(share == 1 for share in shares.values())
    return await provider.reverse(recorded, key, None if is_whole else shares)


async def _give_up(database: Database, due: DueEntry, fault: str, error: Exception) -> None:
    booking = due.booking_id
    logger.error("the tax provider was not told of booking %s, which is given up (%s: %s)", booking, fault, error)
    await note_fault(database, due, fault)
