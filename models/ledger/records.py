"""Bookings as they were at one instant: values, whoever has read them, with nothing of the database about them.

Each field is the column of the same name in `models.booking`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from models.booking import Booking, BookingItem
from models.ledger.rows import columns_of, values_of


@dataclass(frozen=True, slots=True)
class BookingSnapshot:
    """A row of `booking`. Its contact is never in a log, a trace, an error or Redis; hence it has no repr."""

    organization_id: uuid.UUID
    id: uuid.UUID
    reference: str
    status: str
    version: int
    customer_id: str | None
    contact_name: str | None
    contact_email: str | None
    contact_phone: str | None
    hold_expires_at: datetime | None
    hold_ceiling_at: datetime
    approval_seconds: int | None
    series_id: uuid.UUID | None
    series_position: int | None
    quote_id: uuid.UUID | None
    promo_code_id: uuid.UUID | None
    claim_count: int
    last_event: str
    last_actor: str
    last_reason: str | None
    last_details: Mapping[str, Any] | None
    confirmed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"BookingSnapshot({self.reference}, {self.status}, version {self.version})"

    @classmethod
    def of(cls, row: Booking) -> "BookingSnapshot":
        """The row's values."""
        return cls(*(getattr(row, name) for name in _BOOKING))

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "BookingSnapshot":
        """The values of a row that PostgreSQL has made JSON of; columns that we do not know are left out."""
        return cls(*values_of(row, _BOOKING))


@dataclass(frozen=True, slots=True)
class ItemSnapshot:
    """A row of `booking_item`."""

    organization_id: uuid.UUID
    booking_id: uuid.UUID
    position: int
    resource_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime
    quantity: int
    activity: str | None
    guests: Sequence[Mapping[str, Any]] | None
    chosen: Sequence[uuid.UUID] | None
    claim_from: datetime | None
    claim_to: datetime | None

    @classmethod
    def of(cls, row: BookingItem) -> "ItemSnapshot":
        """The row's values."""
        return cls(*(getattr(row, name) for name in _ITEM))

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "ItemSnapshot":
        """As that of a booking."""
        return cls(*values_of(row, _ITEM))

    @classmethod
    def from_history(cls, row: Mapping[str, Any]) -> "ItemSnapshot":
        """As it was when its booking was changed; columns that are younger are None."""
        return cls.from_json({**dict.fromkeys(_ITEM), **row})


@dataclass(frozen=True, slots=True)
class BookingRecord:
    """A booking with its items, read together at `now` by the database's clock."""

    booking: BookingSnapshot
    items: tuple[ItemSnapshot, ...]
    now: datetime

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> "BookingRecord":
        """What `ledger_booking` and the calls of the ledger answer with."""
        return cls(
            booking=BookingSnapshot.from_json(answer["booking"]),
            items=tuple(ItemSnapshot.from_json(item) for item in answer["items"]),
            now=datetime.fromisoformat(answer["now"]),
        )


_BOOKING: Final = columns_of(BookingSnapshot)
_ITEM: Final = columns_of(ItemSnapshot)
