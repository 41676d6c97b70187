"""Bookings, what they are of, and their append-only history."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import CreatedRow, Instant, Row, one_of


class BookingStatus(StrEnum):
    """Where a booking is in its life; the transitions are in ledger/sql/20_booking.sql."""

    ON_HOLD = "ON_HOLD"
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    REDEEMED = "REDEEMED"
    COMPLETED = "COMPLETED"
    NO_SHOW = "NO_SHOW"


class BookingEventKind(StrEnum):
    """What happened to a booking."""

    HELD = "HELD"
    EXTENDED = "EXTENDED"
    CHECKOUT = "CHECKOUT"
    SUBMITTED = "SUBMITTED"
    CONFIRMED = "CONFIRMED"
    CONFIRMED_LATE = "CONFIRMED_LATE"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    CHANGED = "CHANGED"
    ITEM_CANCELLED = "ITEM_CANCELLED"


class Booking(CreatedRow, table=True):
    """The contract between a guest and a venue; while ON_HOLD or PENDING it ends by itself at `hold_expires_at`.

    Where `approval_seconds` is set, confirming makes it PENDING, and the venue has so long to approve.

    There is no foreign key to `organization`: checking it would lock that one row in every hold, and the items
    already lead there. `version`, `updated_at` and the history are written by the database with every change, from
    `last_event`, `last_actor` and `last_reason`. `claim_count` is how many claims make the booking whole. Bookings that
    were made as a series share a `series_id`; `series_position` is the booking's date among those asked for, from 0.
    `quote_id` is what it costs; None: nothing that it is of has a price. `promo_code_id` is the code that it uses.
    `confirmed_at`, written by the database, is when it was CONFIRMED first: from then on something is owed for it.
    `last_details` is what the last change was of, where its event tells that; see `BookingEvent`.
    """

    __table_args__ = (
        UniqueConstraint("organization_id", "reference"),
        one_of("status", BookingStatus),
        one_of("last_event", BookingEventKind),
        CheckConstraint("(status IN ('ON_HOLD', 'PENDING')) = (hold_expires_at IS NOT NULL)", name="hold_expires_at"),
        CheckConstraint("(series_id IS NULL) = (series_position IS NULL)", name="series"),
        Index(
            "booking_due_idx",
            "organization_id",
            "hold_expires_at",
            postgresql_where=text("status IN ('ON_HOLD', 'PENDING')"),
        ),
        Index(
            "booking_customer_idx",
            "organization_id",
            "customer_id",
            "id",
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
        ForeignKeyConstraint(["organization_id", "quote_id"], ["quote.organization_id", "quote.id"]),
        Index(
            "booking_promo_code_idx",
            "organization_id",
            "promo_code_id",
            postgresql_where=text("promo_code_id IS NOT NULL"),
        ),
        Index("booking_quote_idx", "organization_id", "quote_id", postgresql_where=text("quote_id IS NOT NULL")),
        Index(
            "booking_series_idx",
            "organization_id",
            "series_id",
            "series_position",
            unique=True,
            postgresql_where=text("series_id IS NOT NULL"),
        ),
    )

    reference: str
    status: str
    version: int = Field(default=1, sa_type=BigInteger)
    customer_id: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    hold_expires_at: datetime | None = Field(default=None, sa_type=Instant)
    hold_ceiling_at: datetime = Field(sa_type=Instant)
    approval_seconds: int | None = None
    series_id: uuid.UUID | None = None
    series_position: int | None = Field(default=None, sa_type=SmallInteger)
    quote_id: uuid.UUID | None = None
    promo_code_id: uuid.UUID | None = None
    claim_count: int = Field(sa_type=SmallInteger)
    last_event: str
    last_actor: str
    last_reason: str | None = None
    last_details: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    updated_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )


class BookingItem(Row, table=True):
    """One resource, interval and quantity of a booking, as it was asked for; it stays when the booking has ended.

    `guests`, where the party was told: [{"type": …, "count": …, "ages": [… or none]}]. `chosen`, where the resource has
    members to choose from: those that the admission took. What it takes lasts from `claim_from` to `claim_to`; None: as
    long as the guest is there. What was before a change of the booking is in its events.
    """

    __tablename__ = "booking_item"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        CheckConstraint("starts_at < ends_at", name="interval"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index(None, "organization_id", "resource_id", "starts_at"),
    )

    booking_id: uuid.UUID = Field(primary_key=True)
    position: int = Field(sa_type=SmallInteger, primary_key=True)
    resource_id: uuid.UUID
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    quantity: int
    activity: str | None = None
    guests: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
    chosen: list[uuid.UUID] | None = Field(default=None, sa_type=ARRAY(Uuid))
    claim_from: datetime | None = Field(default=None, sa_type=Instant)
    claim_to: datetime | None = Field(default=None, sa_type=Instant)


class BookingEvent(Row, table=True):
    """One change of a booking: written by the database with the change, never altered.

    `details`, of CHANGED and ITEM_CANCELLED: the items before and after it, as rows of `booking_item`, and the ids of
    the quotes: {"items": {"before": […], "after": […]}, "quotes": {"before": … or none, "after": … or none}}.
    """

    __tablename__ = "booking_event"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
    )

    booking_id: uuid.UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    kind: str
    status: str
    actor: str
    reason: str | None = None
    details: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    created_at: datetime = Field(sa_type=Instant)
