"""What tax providers are told of bookings: what was sold, and what of it came back."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, text
from sqlmodel import Field

from models.base import Instant, Row


class TaxEntry(Row, table=True):
    """A booking at the price of one quote, whose taxes a provider has counted.

    The database writes it as the booking is confirmed, and what is to be reversed as it is cancelled (`BY_TERMS`, as of
    `cancelled_at`) or gets another price (`WHOLE`): in the transaction of that, so that nothing is forgotten. The
    worker then tells the provider at `next_at`; None: there is nothing more to tell. `recorded` and `reversed` are the
    provider's references, `fault` why it was given up.
    """

    __tablename__ = "tax_entry"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
        ForeignKeyConstraint(["organization_id", "quote_id"], ["quote.organization_id", "quote.id"]),
        CheckConstraint("reverses IN ('BY_TERMS', 'WHOLE')", name="reverses"),
        CheckConstraint("(reverses = 'BY_TERMS') = (cancelled_at IS NOT NULL)", name="cancelled_at"),
        Index("tax_entry_next_at_idx", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )

    booking_id: uuid.UUID = Field(primary_key=True)
    quote_id: uuid.UUID = Field(primary_key=True)
    calculation: str
    reverses: str | None = None
    cancelled_at: datetime | None = Field(default=None, sa_type=Instant)
    recorded: str | None = None
    reversed: str | None = None
    fault: str | None = None
    attempts: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )
