"""Organizations, their venues, and the directory that finds a venue by its public name."""

import uuid
from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import CreatedRow, Instant, new_id, one_of


class Organization(SQLModel, table=True):
    """The tenant. Its id is the `organization_id` of every other row."""

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    slug: str
    name: str
    created_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )


class Venue(CreatedRow, table=True):
    """A place with one clock and one currency. Civil times of its resources are read in `time_zone` (IANA)."""

    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        UniqueConstraint("organization_id", "slug"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
    )

    slug: str
    name: str
    description: str | None = None
    time_zone: str
    currency: str
    country: str
    check_in_time: time | None = None
    check_out_time: time | None = None
    is_published: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})


class DirectoryKind(StrEnum):
    """What a public name is of."""

    ORGANIZATION = "ORGANIZATION"
    VENUE = "VENUE"


class Directory(SQLModel, table=True):
    """Public name of an organization or a venue → the organization that has it.

    The one table that is not led by `organization_id` (docs/adr/0005): a public name must be unique over all
    organizations, and is read before the organization is known. It routes and holds nothing else; a distributed
    engine replicates it to every node.
    """

    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        UniqueConstraint("organization_id", "venue_id"),
        CheckConstraint("(kind = 'VENUE') = (venue_id IS NOT NULL)", name="venue"),
        one_of("kind", DirectoryKind),
    )

    kind: str = Field(primary_key=True)
    slug: str = Field(primary_key=True)
    organization_id: uuid.UUID
    venue_id: uuid.UUID | None = None
    is_published: bool
