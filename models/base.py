"""What every table shares: named constraints, column types, ids.

Constraint names follow one convention, so that the database may decide and `models.ledger.failures` can turn the
name of the constraint that refused into the business fact.

No module with tables imports annotations from the future: SQLModel reads them when the class is made.
"""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, text
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

SQLModel.metadata.naming_convention = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}

Instant = DateTime(timezone=True)
"""Column type of every instant: timestamptz, aware in Python, UTC on the wire."""


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 (RFC 9562), ordered by time; made here, not in the database, so that a retry carries the same."""
    return uuid7()


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The constraint that keeps a text column within an enumeration."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Row(SQLModel):
    """A row of one organization. `organization_id` leads every key: it is the shard key of the distributed engine."""

    organization_id: uuid.UUID = Field(primary_key=True)


class CreatedRow(Row):
    """A row with an id of its own, and the instant at which it was written."""

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    created_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )
