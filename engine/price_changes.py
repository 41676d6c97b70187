"""What changes about the price of a booking that is changed, or cancelled in part: what is told before it is done."""

from dataclasses import dataclass
from datetime import datetime

from engine.owing import due, owed_if_cancelled, owed_whole
from models.database import Database
from models.keys import QuoteKey
from models.ledger.records import BookingRecord
from models.price import Quote
from models.queries.prices import read_quotes


@dataclass(frozen=True, slots=True)
class PriceDelta:
    """In minor units of `currency`; None: neither before nor after it had a price.

    `total_before` and `total_after` are all that the guest pays, at the venue too. `due_now` is what is to be paid at
    once, `refund` what comes back at once, if all that had fallen due was paid. `quote` is what the booking costs after
    it, and is kept with it when it is done; None: nothing is left of it, or nothing of it has a price.
    """

    currency: str | None
    total_before: int
    total_after: int
    due_now: int
    refund: int
    quote: Quote | None


NO_PRICE = PriceDelta(None, 0, 0, 0, 0, None)


async def quote_of(database: Database, record: BookingRecord) -> Quote | None:
    """What the booking costs; None: nothing of it has a price."""
    booking = record.booking
    if booking.quote_id is None:
        return None
    key = QuoteKey(booking.organization_id, booking.quote_id)
    async with database.reading(booking.organization_id) as session:
        return (await read_quotes(session, [key]))[key]


def is_owed(record: BookingRecord) -> bool:
    """Whether something is owed for the booking: it was confirmed."""
    return record.booking.confirmed_at is not None


def delta(record: BookingRecord, before: Quote | None, after: Quote | None) -> PriceDelta:
    """What a change makes of the price, at the instant at which the booking was read."""
    quote = after or before
    if quote is None:
        return NO_PRICE
    totals = (0 if before is None else before.total, 0 if after is None else after.total)
    if not is_owed(record):
        return PriceDelta(quote.currency, *totals, 0 if after is None else after.due_now, 0, after)
    paid = 0 if before is None else due(before, record.now)
    owed, at_once = (0, 0) if after is None else (owed_whole(after), due(after, record.now))
    return PriceDelta(quote.currency, *totals, max(0, at_once - paid), max(0, paid - owed), after)


def delta_of_all(record: BookingRecord, before: Quote | None, at: datetime) -> PriceDelta:
    """The same of cancelling all that is left at this instant: what is kept is all that is paid for it in the end."""
    if before is None:
        return NO_PRICE
    kept = owed_if_cancelled(before, at) if is_owed(record) else 0
    paid = due(before, at) if is_owed(record) else 0
    return PriceDelta(before.currency, before.total, kept, 0, paid - kept, None)
