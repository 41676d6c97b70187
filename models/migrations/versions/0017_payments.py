"""Payments of bookings, refunds, and their history; bookings tell when checkout began, and when money came late."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
NOW = sa.text("clock_timestamp()")
NONE = sa.text("0")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.drop_constraint(op.f("booking_last_event_check"), "booking", type_="check")
    op.create_check_constraint(
        op.f("booking_last_event_check"),
        "booking",
        "last_event IN ('HELD', 'EXTENDED', 'CHECKOUT', 'SUBMITTED', 'CONFIRMED', 'CONFIRMED_LATE', 'APPROVED', "
        "'REJECTED', 'RELEASED', 'CANCELLED', 'EXPIRED', 'CHANGED', 'ITEM_CANCELLED')",
    )
    _payment()
    _payment_refund()
    _payment_event()


def _payment() -> None:
    op.create_table(
        "payment",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("state", sa.String(), server_default=sa.text("'NEW'"), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("captured", sa.BigInteger(), server_default=NONE, nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default=NONE, nullable=False),
        sa.Column("failure_code", sa.String(), nullable=True),
        sa.Column("decline_code", sa.String(), nullable=True),
        sa.Column("failure_id", sa.String(), nullable=True),
        sa.Column("failures", sa.SmallInteger(), server_default=NONE, nullable=False),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("claims", JSON, nullable=False),
        sa.Column("refusal", JSON, nullable=True),
        sa.Column("retry_seconds", sa.Integer(), nullable=False),
        sa.Column("ceiling_at", INSTANT, nullable=False),
        sa.Column("is_extended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("check_at", INSTANT, nullable=True),
        sa.Column("checks", sa.SmallInteger(), server_default=NONE, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
        _one_of("payment", "purpose", "BOOKING", "SURCHARGE", "BALANCE"),
        _one_of("payment", "state", "NEW", "OPEN", "AWAITS_BUYER", "PROCESSING", "HELD", "CAPTURED", "VOID"),
        _one_of("payment", "decision", "CAPTURE", "VOID"),
        sa.CheckConstraint("number > 0 AND amount > 0", name=op.f("payment_amount_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("payment_currency_check")),
        sa.CheckConstraint("refunded BETWEEN 0 AND captured", name=op.f("payment_captured_check")),
        sa.CheckConstraint("reference IS NOT NULL OR state IN ('NEW', 'VOID')", name=op.f("payment_reference_check")),
        _of_booking("payment"),
        sa.PrimaryKeyConstraint("organization_id", "booking_id", "number", name=op.f("payment_pkey")),
        sa.UniqueConstraint("organization_id", "reference", name=op.f("payment_organization_id_reference_key")),
    )
    op.create_index(
        "payment_check_idx",
        "payment",
        ["organization_id", "check_at"],
        unique=False,
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )


def _payment_refund() -> None:
    op.create_table(
        "payment_refund",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("payment_number", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'REQUESTED'"), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
        _one_of("payment_refund", "reason", "CANCELLED", "CHANGED", "PART", "NOT_BOOKED"),
        _one_of("payment_refund", "state", "REQUESTED", "SUCCEEDED", "FAILED"),
        sa.CheckConstraint("number > 0 AND amount > 0", name=op.f("payment_refund_amount_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("payment_refund_currency_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id", "payment_number"],
            ["payment.organization_id", "payment.booking_id", "payment.number"],
            name=op.f("payment_refund_organization_id_booking_id_payment_number_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "booking_id", "number", name=op.f("payment_refund_pkey")),
        sa.UniqueConstraint("organization_id", "reference", name=op.f("payment_refund_organization_id_reference_key")),
    )


def _payment_event() -> None:
    op.create_table(
        "payment_event",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("payment_number", sa.SmallInteger(), nullable=False),
        sa.Column("refund_number", sa.SmallInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        _one_of("payment_event", "kind", "AUTHORIZE", "CAPTURE", "VOID", "REFUND", "DISPUTE"),
        _one_of("payment_event", "outcome", "REQUESTED", "SUCCEEDED", "FAILED"),
        _of_booking("payment_event"),
        sa.PrimaryKeyConstraint("organization_id", "booking_id", "position", name=op.f("payment_event_pkey")),
    )


def _one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"{table}_{column}_check"))


def _of_booking(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "booking_id"],
        ["booking.organization_id", "booking.id"],
        name=op.f(f"{table}_organization_id_booking_id_fkey"),
    )
