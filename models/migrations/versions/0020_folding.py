"""Timelines forget what is long past."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("resource", sa.Column("folded_until", sa.DateTime(timezone=True), nullable=True))
    # Of the resources that are there nobody has noted their first change point: each is looked at once.
    op.add_column(
        "resource",
        sa.Column("foldable_from", sa.DateTime(timezone=True), nullable=True, server_default="1970-01-01 00:00+00"),
    )
    op.alter_column("resource", "foldable_from", server_default=None)
    op.create_index(
        "resource_foldable_idx",
        "resource",
        ["foldable_from"],
        unique=False,
        postgresql_where=sa.text("foldable_from IS NOT NULL"),
    )
