"""What the payment provider told by webhooks, so that what comes twice is done once."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.create_table(
        "webhook_event",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id"],
            ["booking.organization_id", "booking.id"],
            name=op.f("webhook_event_organization_id_booking_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "event_id", name=op.f("webhook_event_pkey")),
    )
    op.create_index(
        op.f("webhook_event_organization_id_received_at_idx"), "webhook_event", ["organization_id", "received_at"]
    )
    op.create_index("payment_reference_idx", "payment", ["reference"])
