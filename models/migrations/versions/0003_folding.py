"""Timelines forget what is long past."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


# Rows of these come and go all day: they are vacuumed when a twentieth of them is dead, not a fifth. A page of the
# timeline keeps room for the next version of its rows, so that fewer of them need new entries in the index.
OPTIONS = {
    "timeline": "fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05",
    "claim": "autovacuum_vacuum_scale_factor = 0.05",
    "outbox": "autovacuum_vacuum_scale_factor = 0.05",
    "idempotency": "autovacuum_vacuum_scale_factor = 0.05",
}


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
    for table, options in OPTIONS.items():
        op.execute(f"ALTER TABLE {table} SET ({options})")
    # What is not published yet has an index of its own; what stays for ever is set aside. Neither need be in this one.
    op.drop_index("outbox_published_idx", "outbox")
    op.create_index(
        "outbox_published_idx",
        "outbox",
        ["organization_id", "published_at"],
        unique=False,
        postgresql_where=sa.text("published_at < 'infinity'"),
    )
