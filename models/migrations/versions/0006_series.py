"""Series of bookings: which bookings were made together, by which date."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("booking", sa.Column("series_id", sa.Uuid(), nullable=True))
    op.add_column("booking", sa.Column("series_position", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(
        op.f("booking_series_check"), "booking", "(series_id IS NULL) = (series_position IS NULL)"
    )
    op.create_index(
        "booking_series_idx",
        "booking",
        ["organization_id", "series_id", "series_position"],
        unique=True,
        postgresql_where=sa.text("series_id IS NOT NULL"),
    )
