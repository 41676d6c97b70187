"""Rules of venues and resources, with order, validity and history; versions of what decides; approval."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("resource", sa.Column("catalog_version", sa.BigInteger(), server_default="0", nullable=False))

    op.drop_constraint("booking_rule_organization_id_resource_id_type_key", "booking_rule", type_="unique")
    op.alter_column("booking_rule", "resource_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("booking_rule", sa.Column("venue_id", sa.Uuid(), nullable=True))
    op.add_column("booking_rule", sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("booking_rule", sa.Column("valid_from", sa.Date(), nullable=True))
    op.add_column("booking_rule", sa.Column("valid_until", sa.Date(), nullable=True))
    op.add_column("booking_rule", sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("booking_rule", sa.Column("is_removed", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("booking_rule", sa.Column("last_actor", sa.String(), server_default="system", nullable=False))
    op.add_column(
        "booking_rule",
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
    )
    op.create_foreign_key(
        op.f("booking_rule_organization_id_venue_id_fkey"),
        "booking_rule",
        "venue",
        ["organization_id", "venue_id"],
        ["organization_id", "id"],
    )
    op.create_check_constraint(
        op.f("booking_rule_scope_check"), "booking_rule", "(venue_id IS NULL) <> (resource_id IS NULL)"
    )
    op.create_check_constraint(op.f("booking_rule_valid_check"), "booking_rule", "valid_from < valid_until")
    for scope in ("resource_id", "venue_id"):
        op.create_index(
            f"booking_rule_{scope.removesuffix('_id')}_idx",
            "booking_rule",
            ["organization_id", scope],
            unique=False,
            postgresql_where=sa.text("NOT is_removed"),
        )
    op.create_table(
        "booking_rule_change",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("venue_id", sa.Uuid(), nullable=True),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("is_removed", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "rule_id"],
            ["booking_rule.organization_id", "booking_rule.id"],
            name=op.f("booking_rule_change_organization_id_rule_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "rule_id", "version", name=op.f("booking_rule_change_pkey")),
    )

    op.add_column("booking", sa.Column("approval_seconds", sa.Integer(), nullable=True))
    op.drop_constraint(op.f("booking_hold_expires_at_check"), "booking", type_="check")
    op.create_check_constraint(
        op.f("booking_hold_expires_at_check"),
        "booking",
        "(status IN ('ON_HOLD', 'PENDING')) = (hold_expires_at IS NOT NULL)",
    )
    op.drop_constraint(op.f("booking_last_event_check"), "booking", type_="check")
    op.create_check_constraint(
        op.f("booking_last_event_check"),
        "booking",
        "last_event IN ('HELD', 'EXTENDED', 'SUBMITTED', 'CONFIRMED', 'APPROVED', 'REJECTED', 'RELEASED', 'CANCELLED', "
        "'EXPIRED')",
    )
    op.drop_index("booking_due_idx", "booking")
    op.create_index(
        "booking_due_idx",
        "booking",
        ["organization_id", "hold_expires_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('ON_HOLD', 'PENDING')"),
    )
    op.add_column("booking_item", sa.Column("guests", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    # It gets more fields; the functions that use it are installed anew after the migrations.
    op.execute("DROP TYPE IF EXISTS ledger_take CASCADE")
