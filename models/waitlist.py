"""Who waits for what: the entries of waitlists, their history, and how far each list has been looked through."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import CreatedRow, Instant, Row, one_of

OFFERS_MAX = 2
"""How often a place is offered to an entry. After an offer that ran out it waits behind those with fewer offers."""


class WaitlistStatus(StrEnum):
    """Where an entry is; the transitions are in ledger/sql/45_waitlist.sql."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    LEFT = "LEFT"
    EXPIRED = "EXPIRED"
    LAPSED = "LAPSED"


class Waitlist(Row, table=True):
    """The list of one resource, made with its first entry, for the worker: no entry is in it, only how it stands.

    `seen` is what the list and its resource were like when it was looked through last (`waitlist_sight`): while that is
    so still, nobody can be offered anything. `leased_until`: a worker looks through it until then. `joins` counts.
    """

    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
    )

    resource_id: uuid.UUID = Field(primary_key=True)
    joins: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    seen: list[int] | None = Field(default=None, sa_type=ARRAY(BigInteger))
    looked_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("'-infinity'")}
    )
    leased_until: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("'-infinity'")}
    )


class WaitlistEntry(CreatedRow, table=True):
    """A party that waits for `quantity` units together over [starts_at, ends_at), or over another time of that length.

    Another time will do if it lies within [earliest_at, latest_at); null: exactly this. Of a stay, [arrival, departure)
    are its days; `guests` as in `models.booking.BookingItem`. At `lapses_at` the last time that would do begins.
    `booking_id` is the booking of the offer. It is OFFERED exactly while that is ON_HOLD. `version`, `updated_at` and
    the history are written by the database, which erases the contact when the entry ends.
    """

    __tablename__ = "waitlist_entry"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["waitlist.organization_id", "waitlist.resource_id"]),
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
        one_of("status", WaitlistStatus),
        CheckConstraint("starts_at < ends_at AND (arrival IS NULL) = (departure IS NULL)", name="interval"),
        CheckConstraint(
            "(earliest_at IS NULL) = (latest_at IS NULL)"
            " AND (earliest_at IS NULL OR (earliest_at <= starts_at AND ends_at <= latest_at))",
            name="flexible",
        ),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(f"offers BETWEEN 0 AND {OFFERS_MAX}", name="offers"),
        CheckConstraint("(status IN ('OFFERED', 'ACCEPTED')) = (booking_id IS NOT NULL)", name="booking"),
        Index(
            "waitlist_entry_waiting_idx",
            "organization_id",
            "resource_id",
            "offers",
            "created_at",
            postgresql_where=text("status = 'WAITING'"),
        ),
        Index("waitlist_entry_due_idx", "organization_id", "lapses_at", postgresql_where=text("status = 'WAITING'")),
        Index(
            "waitlist_entry_booking_idx",
            "organization_id",
            "booking_id",
            unique=True,
            postgresql_where=text("booking_id IS NOT NULL"),
        ),
        Index(None, "organization_id", "resource_id", "id"),
        Index(
            "waitlist_entry_customer_idx",
            "organization_id",
            "customer_id",
            "id",
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
    )

    resource_id: uuid.UUID
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    arrival: date | None = None
    departure: date | None = None
    earliest_at: datetime | None = Field(default=None, sa_type=Instant)
    latest_at: datetime | None = Field(default=None, sa_type=Instant)
    lapses_at: datetime = Field(sa_type=Instant)
    quantity: int
    activity: str | None = None
    guests: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
    status: str
    version: int = Field(default=1, sa_type=BigInteger)
    offers: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    booking_id: uuid.UUID | None = None
    customer_id: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    last_actor: str
    updated_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )


class WaitlistEvent(Row, table=True):
    """One change of an entry: written by the database with the change, never altered. It names no contact."""

    __tablename__ = "waitlist_event"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "entry_id"], ["waitlist_entry.organization_id", "waitlist_entry.id"]),
    )

    entry_id: uuid.UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    status: str
    booking_id: uuid.UUID | None = None
    actor: str
    created_at: datetime = Field(sa_type=Instant)
