"""bookingChanged: a booking, now and with every change."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from engine.bookings import find_booking
from models.booking import BookingStatus
from models.errors import NotFound
from models.keys import BookingKey
from models.ledger.records import BookingRecord
from schema.booking import Booking
from schema.context import Context

FINAL: Final = frozenset(
    {
        BookingStatus.EXPIRED,
        BookingStatus.CANCELLED,
        BookingStatus.REJECTED,
        BookingStatus.COMPLETED,
        BookingStatus.NO_SHOW,
    }
)


async def booking_changes(context: Context, key: BookingKey, token: str | None) -> AsyncGenerator[Booking, None]:
    """The booking now, and each newer state of it that is seen; it ends by itself after a final one.

    Raises NotFound unless the viewer may see it, and as `engine.ports.LiveFeed.booking`.
    """
    opened = None if token is None else context.tokens.verify(token)
    await _find(context, key, opened)  # before anything is watched: whether there is such a booking is not told
    shown = 0
    async with aclosing(context.feed.booking(key)) as versions:
        async for version in versions:
            if version <= shown:
                continue
            context.loaders.renew()
            record = await _find(context, key, opened)
            shown = record.booking.version
            yield Booking.of(record)
            if record.booking.status in FINAL:
                return


async def _find(context: Context, key: BookingKey, opened: BookingKey | None) -> BookingRecord:
    record = await find_booking(context.database, context.viewer, key=key, opened_by_token=opened)
    if record is None:
        raise NotFound("There is no such booking.", path=("bookingId",))
    return record
