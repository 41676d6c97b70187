"""The ledger's tables: what is taken, the step function kept from it, and what follows a commit."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import Instant, Row, one_of


class Claim(Row, table=True):
    """Quantity taken from a resource over [starts_at, ends_at): the truth that the timeline is kept from.

    Claims are inserted and deleted, never updated, and exist only while their booking is live. `sharing_key` is null
    where parties may overlap freely; otherwise only claims with one and the same key may be there at an instant
    (SAME_ACTIVITY: the activity; EXCLUSIVE, or no activity named: '#' and the booking's id).
    """

    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        CheckConstraint("starts_at < ends_at", name="interval"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index(None, "organization_id", "resource_id", "starts_at"),
    )

    booking_id: uuid.UUID = Field(primary_key=True)
    resource_id: uuid.UUID = Field(primary_key=True)
    starts_at: datetime = Field(sa_type=Instant, primary_key=True)
    ends_at: datetime = Field(sa_type=Instant, primary_key=True)
    quantity: int
    sharing_key: str | None = None


class Timeline(Row, table=True):
    """What is true of a resource from `at` until its next row: gaps and overlaps can not be written down.

    Written by the database's triggers alone. The CHECK is the last line: no code path gets past it.
    """

    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        CheckConstraint("taken BETWEEN 0 AND capacity", name="taken"),
        CheckConstraint("sharing_key IS NULL OR taken > 0", name="sharing_key"),
    )

    resource_id: uuid.UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, primary_key=True)
    capacity: int
    taken: int
    sharing_key: str | None = None
    closed: bool


class Adjustment(Row, table=True):
    """A change of capacity, or a closing or opening, over [starts_at, ends_at); no end: from then on. Append-only.

    `version` is the resource's version that this change made. The timeline's capacity and closed are these,
    painted over one another in the order of their versions.
    """

    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        CheckConstraint("starts_at < ends_at", name="interval"),
        CheckConstraint("(capacity IS NULL) <> (closed IS NULL)", name="one_change"),
        CheckConstraint("capacity BETWEEN 0 AND 1000000", name="capacity"),
    )

    resource_id: uuid.UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    capacity: int | None = None
    closed: bool | None = None
    actor: str
    reason: str | None = None
    created_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )


class OutboxKind(StrEnum):
    """Whose version an outbox row tells."""

    RESOURCE = "RESOURCE"
    BOOKING = "BOOKING"
    WAITLIST = "WAITLIST"


class Outbox(Row, table=True):
    """One version of a resource, a booking or a waitlist's entry, written with it, published after its commit.

    For a resource, [starts_at, ends_at) is where its timeline changed (no end: from then on). The key has no global
    sequence in it: versions count per entity, so nothing can be skipped. When it is old the newest of an entity stays,
    as published at infinity.
    """

    __table_args__ = (
        one_of("kind", OutboxKind),
        Index("outbox_unpublished_idx", "organization_id", "created_at", postgresql_where=text("published_at IS NULL")),
        Index(
            "outbox_published_idx",
            "organization_id",
            "published_at",
            postgresql_where=text("published_at < 'infinity'"),
        ),
    )

    kind: str = Field(primary_key=True)
    entity_id: uuid.UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    starts_at: datetime | None = Field(default=None, sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    published_at: datetime | None = Field(default=None, sa_type=Instant)


class Idempotency(Row, table=True):
    """What a mutation with this key did: written in the effect's own transaction, kept seven days.

    `request_hash` is SHA-256 of the operation and its input; `result` names what was made, never a contact or a token.
    """

    __table_args__ = (Index(None, "organization_id", "created_at"),)

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: bytes = Field(sa_type=LargeBinary)
    result: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )
