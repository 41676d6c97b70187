"""What is owed for a booking: a pure function of what was agreed on, which payments are settled against.

All amounts are of the quote that the booking has now, in minor units of its currency. What is paid at the venue is not
in them: it is not ours to collect.
"""

from datetime import datetime

from engine.cancellation.refunds import kept_of_all
from engine.money import Money
from engine.quote_rows import due_later_of, terms_of
from models.booking import BookingStatus
from models.ledger.records import BookingSnapshot
from models.price import Quote

OWED_WHOLE = frozenset(
    {BookingStatus.CONFIRMED, BookingStatus.REDEEMED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW}
)


def owed(booking: BookingSnapshot, quote: Quote, *, paid: int | None = None) -> Money:
    """What is owed to us in total as things are: what was taken beyond it comes back, what is missing is to be paid.

    `quote` is the booking's own (`booking.quote_id`); a booking without one owes nothing. Once it was confirmed, all
    that is not paid at the venue, now or later (`due` tells how much of it by when). Once it was cancelled after that,
    what the venue keeps by the terms at `booking.updated_at`, but not more than was `paid`; where that is not told,
    than had fallen due: who cancels owes nothing more. Before it is confirmed, and where that never was, nothing.
    """
    if booking.confirmed_at is None:
        amount = 0
    elif booking.status in OWED_WHOLE:
        amount = owed_whole(quote)
    elif booking.status == BookingStatus.CANCELLED:
        amount = owed_if_cancelled(quote, booking.updated_at, paid=paid)
    else:
        amount = 0
    return Money(amount, quote.currency)


def owed_whole(quote: Quote) -> int:
    """What is owed to us, now and later, of a booking that is confirmed."""
    return quote.due_now + sum(due.amount for due in due_later_of(quote))


def owed_if_cancelled(quote: Quote, at: datetime, *, paid: int | None = None) -> int:
    """What is owed of a confirmed booking once it is cancelled at this instant; `paid` as in `owed`."""
    return min(kept_of_all(terms_of(quote), at), due(quote, at) if paid is None else paid)


def due(quote: Quote, at: datetime) -> int:
    """How much of what is owed to us has fallen due by this instant."""
    return quote.due_now + sum(due.amount for due in due_later_of(quote) if due.at <= at)
