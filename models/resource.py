"""What has capacity and can be booked, what a booking of it also takes, and the rules it obeys."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import CreatedRow, Instant, Row, one_of


class AvailabilityType(StrEnum):
    """How a resource is sold: any interval in opening hours, sessions, or nights."""

    OPENING_HOURS = "OPENING_HOURS"
    START_TIME = "START_TIME"
    NIGHTLY = "NIGHTLY"


class Sharing(StrEnum):
    """Which parties may be there at the same time."""

    SHARED = "SHARED"
    SAME_ACTIVITY = "SAME_ACTIVITY"
    EXCLUSIVE = "EXCLUSIVE"


class Resource(CreatedRow, table=True):
    """Something with capacity.

    `capacity` is the base; the timeline has the truth at an instant. Two versions are written by the database alone
    (ledger/sql/10 and 15): `version` is one more with every change of the timeline or of what else decides whether
    something can be booked; `catalog_version` grows with every change of what is kept beside the timeline: this row,
    its venue, its rules, what it requires. Holds last `hold_seconds`, and can be extended up to `hold_ceiling_seconds`
    after they were made. It alone also writes `folded_until`, before which the timeline is forgotten and closed
    (docs/adr/0011), and `foldable_from`: no change point after that one is earlier; None: there is none.
    """

    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        UniqueConstraint("organization_id", "venue_id", "slug"),
        CheckConstraint("capacity BETWEEN 0 AND 1000000", name="capacity"),
        Index("resource_foldable_idx", "foldable_from", postgresql_where=text("foldable_from IS NOT NULL")),
        CheckConstraint("hold_seconds BETWEEN 1 AND hold_ceiling_seconds", name="hold_seconds"),
        one_of("availability_type", AvailabilityType),
        one_of("sharing", Sharing),
    )

    venue_id: uuid.UUID
    slug: str
    name: str
    description: str | None = None
    availability_type: str
    sharing: str = Sharing.SHARED
    capacity: int
    version: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    catalog_version: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    hold_seconds: int = Field(default=600, sa_column_kwargs={"server_default": text("600")})
    hold_ceiling_seconds: int = Field(default=1800, sa_column_kwargs={"server_default": text("1800")})
    folded_until: datetime | None = Field(default=None, sa_type=Instant)
    foldable_from: datetime | None = Field(default=None, sa_type=Instant)


class ResourceRequirement(Row, table=True):
    """A booking of `resource_id` also takes `per_unit × quantity + per_booking` of `required_id`.

    One level deep: a required resource has no requirements of its own, so that the resources which a booking locks
    are known from the request alone.
    """

    __tablename__ = "resource_requirement"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        ForeignKeyConstraint(["organization_id", "required_id"], ["resource.organization_id", "resource.id"]),
        CheckConstraint("resource_id <> required_id", name="other"),
        CheckConstraint(
            "per_unit BETWEEN 0 AND 10000 AND per_booking BETWEEN 0 AND 10000 AND per_unit + per_booking > 0",
            name="amount",
        ),
        Index(None, "organization_id", "required_id"),
    )

    resource_id: uuid.UUID = Field(primary_key=True)
    required_id: uuid.UUID = Field(primary_key=True)
    per_unit: int = 0
    per_booking: int = 0


class ResourceChoice(Row, table=True):
    """A booking of k units of `resource_id` also takes a unit of k different members: this is one of them.

    Which, the admission chooses (ledger/sql/45_choices.sql). One level deep: a member has neither requirements nor
    members of its own, and what has members is not required.
    """

    __tablename__ = "resource_choice"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        ForeignKeyConstraint(["organization_id", "member_id"], ["resource.organization_id", "resource.id"]),
        CheckConstraint("resource_id <> member_id", name="other"),
        Index(None, "organization_id", "member_id"),
    )

    resource_id: uuid.UUID = Field(primary_key=True)
    member_id: uuid.UUID = Field(primary_key=True)


class BookingRule(CreatedRow, table=True):
    """One rule, as data: its type names the function in `engine.rules`, which reads `parameters`.

    It is of one resource, or of a venue and so of all its resources. It has a say on what begins on a civil day of the
    venue in [valid_from, valid_until); None: no bound. Which of several rules of a type decides is told by
    `engine.rules.deciding`. A removed rule stays for its history, which the database writes (`BookingRuleChange`) from
    `last_actor`.
    """

    __tablename__ = "booking_rule"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        CheckConstraint("(venue_id IS NULL) <> (resource_id IS NULL)", name="scope"),
        CheckConstraint("valid_from < valid_until", name="valid"),
        Index("booking_rule_resource_idx", "organization_id", "resource_id", postgresql_where=text("NOT is_removed")),
        Index("booking_rule_venue_idx", "organization_id", "venue_id", postgresql_where=text("NOT is_removed")),
    )

    resource_id: uuid.UUID | None = None
    venue_id: uuid.UUID | None = None
    type: str
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    priority: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    valid_from: date | None = None
    valid_until: date | None = None
    version: int = Field(default=1, sa_type=BigInteger, sa_column_kwargs={"server_default": text("1")})
    is_removed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    last_actor: str = Field(default="system", sa_column_kwargs={"server_default": text("'system'")})
    updated_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )


class BookingRuleChange(Row, table=True):
    """A rule as it was from one change on: who set or removed it. Written by the database, never altered."""

    __tablename__ = "booking_rule_change"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "rule_id"], ["booking_rule.organization_id", "booking_rule.id"]),
    )

    rule_id: uuid.UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    venue_id: uuid.UUID | None = None
    resource_id: uuid.UUID | None = None
    type: str
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    priority: int = Field(sa_type=SmallInteger)
    valid_from: date | None = None
    valid_until: date | None = None
    is_removed: bool
    actor: str
    created_at: datetime = Field(sa_type=Instant)
