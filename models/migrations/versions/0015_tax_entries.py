"""What tax providers are told of bookings."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.create_table(
        "tax_entry",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("calculation", sa.String(), nullable=False),
        sa.Column("reverses", sa.String(), nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("recorded", sa.String(), nullable=True),
        sa.Column("reversed", sa.String(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("reverses IN ('BY_TERMS', 'WHOLE')", name=op.f("tax_entry_reverses_check")),
        sa.CheckConstraint(
            "(reverses = 'BY_TERMS') = (cancelled_at IS NOT NULL)", name=op.f("tax_entry_cancelled_at_check")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id"],
            ["booking.organization_id", "booking.id"],
            name=op.f("tax_entry_organization_id_booking_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "quote_id"],
            ["quote.organization_id", "quote.id"],
            name=op.f("tax_entry_organization_id_quote_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "booking_id", "quote_id", name=op.f("tax_entry_pkey")),
    )
    op.create_index(
        "tax_entry_next_at_idx", "tax_entry", ["next_at"], unique=False, postgresql_where=sa.text("next_at IS NOT NULL")
    )
