"""What the payment provider has told by webhooks: remembered, so that what comes twice is done once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from models.base import Instant, Row

_NOW: dict[str, Any] = {"server_default": text("clock_timestamp()")}


class WebhookEvent(Row, table=True):
    """An event of the provider that says: look at this booking. Nothing else of it is believed, and nothing kept.

    `created_at` is the provider's, `received_at` ours. Kept for 30 days.
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
        Index(None, "organization_id", "received_at"),
    )

    event_id: str = Field(primary_key=True)
    booking_id: UUID
    type: str
    created_at: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(default=None, sa_type=Instant, nullable=False, sa_column_kwargs=_NOW)
