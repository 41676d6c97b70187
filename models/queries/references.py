"""From what people read out to keys."""

import uuid

from sqlmodel import select

from models.booking import Booking
from models.database import ReadSession


async def booking_id_by_reference(session: ReadSession, organization_id: uuid.UUID, reference: str) -> uuid.UUID | None:
    """The id of the booking with this reference, however its letters and hyphens were typed."""
    symbols = reference.upper().replace("-", "").replace(" ", "")
    written = "-".join(symbols[n : n + 4] for n in range(0, len(symbols), 4))
    found = await session.exec(
        select(Booking.id).where(Booking.organization_id == organization_id, Booking.reference == written)
    )
    return found.one_or_none()
