"""A booking is changed and cancelled in part: what it was before stays in its history, and in the chain of its quotes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
EVENTS = (
    *("HELD", "EXTENDED", "CHECKOUT", "SUBMITTED", "CONFIRMED", "CONFIRMED_LATE", "APPROVED", "REJECTED", "RELEASED"),
    *("CANCELLED", "EXPIRED", "CHANGED", "ITEM_CANCELLED"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for name in ("kept_before", "owed_least"):
        op.add_column("quote", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("quote", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(op.f("quote_before_check"), "quote", "kept_before >= 0 AND owed_least >= 0")
    op.create_foreign_key(
        op.f("quote_organization_id_replaces_id_fkey"),
        "quote",
        "quote",
        ["organization_id", "replaces_id"],
        ["organization_id", "id"],
    )
    op.create_index(
        "quote_replaces_idx",
        "quote",
        ["organization_id", "replaces_id"],
        unique=False,
        postgresql_where=sa.text("replaces_id IS NOT NULL"),
    )
    op.add_column("booking", sa.Column("last_details", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("booking", sa.Column("confirmed_at", INSTANT, nullable=True))
    op.add_column("booking_event", sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("booking_item", sa.Column("claim_from", INSTANT, nullable=True))
    op.add_column("booking_item", sa.Column("claim_to", INSTANT, nullable=True))
    op.drop_constraint(op.f("booking_last_event_check"), "booking", type_="check")
    listed = ", ".join(f"'{event}'" for event in EVENTS)
    op.create_check_constraint(op.f("booking_last_event_check"), "booking", f"last_event IN ({listed})")
    _fill()
    # Made anew with another list of parameters, after the migrations.
    op.execute("DROP FUNCTION IF EXISTS ledger_lock_for(uuid, jsonb)")


def _fill() -> None:
    """What is known of bookings that were made before: neither their versions nor their history change by it."""
    op.execute("ALTER TABLE booking DISABLE TRIGGER USER")
    op.execute("""
        UPDATE booking b SET confirmed_at = e.created_at
          FROM (
              SELECT organization_id, booking_id, min(created_at) AS created_at
                FROM booking_event WHERE status = 'CONFIRMED' GROUP BY organization_id, booking_id
          ) e
         WHERE e.organization_id = b.organization_id AND e.booking_id = b.id
    """)
    op.execute("ALTER TABLE booking ENABLE TRIGGER USER")
    op.execute("""
        UPDATE booking_item i SET claim_from = c.starts_at, claim_to = c.ends_at
          FROM claim c
         WHERE c.organization_id = i.organization_id AND c.booking_id = i.booking_id AND c.resource_id = i.resource_id
           AND c.starts_at <= i.starts_at AND c.ends_at >= i.ends_at
           AND NOT EXISTS (
               SELECT FROM claim o
                WHERE o.organization_id = c.organization_id AND o.booking_id = c.booking_id
                  AND o.resource_id = c.resource_id AND o.starts_at >= c.starts_at AND o.ends_at <= c.ends_at
                  AND o.starts_at <= i.starts_at AND o.ends_at >= i.ends_at
                  AND (o.starts_at, o.ends_at) <> (c.starts_at, c.ends_at)
           )
           AND (c.starts_at, c.ends_at) <> (i.starts_at, i.ends_at)
    """)
