"""What was taken is settled against a version of its booking; disputes; cards that are kept are tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("payment", sa.Column("settled_version", sa.BigInteger(), nullable=True))
    op.add_column("payment", sa.Column("is_disputed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("payment", sa.Column("charged_back", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("payment", sa.Column("charge_at", INSTANT, nullable=True))
    op.add_column("payment_refund", sa.Column("booking_version", sa.BigInteger(), nullable=True))
    op.create_table(
        "payment_dispute",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("payment_number", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'OPEN'"), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
        sa.CheckConstraint("state IN ('OPEN', 'WON', 'LOST')", name=op.f("payment_dispute_state_check")),
        sa.CheckConstraint("amount > 0", name=op.f("payment_dispute_amount_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("payment_dispute_currency_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id", "payment_number"],
            ["payment.organization_id", "payment.booking_id", "payment.number"],
            name=op.f("payment_dispute_organization_id_booking_id_payment_number_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "booking_id", "reference", name=op.f("payment_dispute_pkey")),
    )
