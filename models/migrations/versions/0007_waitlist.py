"""Waitlists: who waits for what, with history; hints of their versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.drop_constraint(op.f("outbox_kind_check"), "outbox", type_="check")
    op.create_check_constraint(op.f("outbox_kind_check"), "outbox", "kind IN ('RESOURCE', 'BOOKING', 'WAITLIST')")
    op.create_table(
        "waitlist",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("joins", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("looked_at", INSTANT, server_default=sa.text("'-infinity'"), nullable=False),
        sa.Column("leased_until", INSTANT, server_default=sa.text("'-infinity'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("waitlist_organization_id_resource_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "resource_id", name=op.f("waitlist_pkey")),
    )
    op.create_table(
        "waitlist_entry",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("arrival", sa.Date(), nullable=True),
        sa.Column("departure", sa.Date(), nullable=True),
        sa.Column("earliest_at", INSTANT, nullable=True),
        sa.Column("latest_at", INSTANT, nullable=True),
        sa.Column("lapses_at", INSTANT, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("activity", sa.String(), nullable=True),
        sa.Column("guests", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("offers", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("contact_name", sa.String(), nullable=True),
        sa.Column("contact_email", sa.String(), nullable=True),
        sa.Column("contact_phone", sa.String(), nullable=True),
        sa.Column("last_actor", sa.String(), nullable=False),
        sa.Column("updated_at", INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('WAITING', 'OFFERED', 'ACCEPTED', 'LEFT', 'EXPIRED', 'LAPSED')",
            name=op.f("waitlist_entry_status_check"),
        ),
        sa.CheckConstraint(
            "starts_at < ends_at AND (arrival IS NULL) = (departure IS NULL)",
            name=op.f("waitlist_entry_interval_check"),
        ),
        sa.CheckConstraint(
            "(earliest_at IS NULL) = (latest_at IS NULL)"
            " AND (earliest_at IS NULL OR (earliest_at <= starts_at AND ends_at <= latest_at))",
            name=op.f("waitlist_entry_flexible_check"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("waitlist_entry_quantity_check")),
        sa.CheckConstraint("offers BETWEEN 0 AND 2", name=op.f("waitlist_entry_offers_check")),
        sa.CheckConstraint(
            "(status IN ('OFFERED', 'ACCEPTED')) = (booking_id IS NOT NULL)",
            name=op.f("waitlist_entry_booking_check"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["waitlist.organization_id", "waitlist.resource_id"],
            name=op.f("waitlist_entry_organization_id_resource_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id"],
            ["booking.organization_id", "booking.id"],
            name=op.f("waitlist_entry_organization_id_booking_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("waitlist_entry_pkey")),
    )
    is_waiting = sa.text("status = 'WAITING'")
    op.create_index(
        "waitlist_entry_waiting_idx",
        "waitlist_entry",
        ["organization_id", "resource_id", "offers", "created_at"],
        postgresql_where=is_waiting,
    )
    op.create_index(
        "waitlist_entry_due_idx", "waitlist_entry", ["organization_id", "lapses_at"], postgresql_where=is_waiting
    )
    op.create_index(
        "waitlist_entry_booking_idx",
        "waitlist_entry",
        ["organization_id", "booking_id"],
        unique=True,
        postgresql_where=sa.text("booking_id IS NOT NULL"),
    )
    op.create_index(
        op.f("waitlist_entry_organization_id_resource_id_id_idx"),
        "waitlist_entry",
        ["organization_id", "resource_id", "id"],
    )
    op.create_index(
        "waitlist_entry_customer_idx",
        "waitlist_entry",
        ["organization_id", "customer_id", "id"],
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )
    op.create_table(
        "waitlist_event",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "entry_id"],
            ["waitlist_entry.organization_id", "waitlist_entry.id"],
            name=op.f("waitlist_event_organization_id_entry_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "entry_id", "version", name=op.f("waitlist_event_pkey")),
    )
