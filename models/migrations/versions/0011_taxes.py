"""Taxes and cancellation policies of venues and resources."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    _placed("tax_rule", "type")
    _placed("cancellation_policy", "code")
    op.drop_constraint(op.f("price_change_kind_check"), "price_change", type_="check")
    op.create_check_constraint(
        op.f("price_change_kind_check"),
        "price_change",
        "kind IN ('RATE_PLAN', 'PRICE_RULE', 'PROMO_CODE', 'TAX_RULE', 'CANCELLATION_POLICY')",
    )


def _placed(name: str, identity: str) -> None:
    """A table of what is set for a resource or a venue."""
    op.create_table(
        name,
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("is_removed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_actor", sa.String(), server_default=sa.text("'system'"), nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("venue_id", sa.Uuid(), nullable=True),
        sa.Column(identity, sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("(venue_id IS NULL) <> (resource_id IS NULL)", name=op.f(f"{name}_scope_check")),
        sa.CheckConstraint("valid_from < valid_until", name=op.f(f"{name}_valid_check")),
        _of(name, "resource"),
        _of(name, "venue"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f(f"{name}_pkey")),
    )
    for scope in ("resource", "venue"):
        op.create_index(
            f"{name}_{scope}_idx",
            name,
            ["organization_id", f"{scope}_id"],
            unique=False,
            postgresql_where=sa.text("NOT is_removed"),
        )


def _of(name: str, other: str) -> sa.ForeignKeyConstraint:
    columns = ["organization_id", f"{other}_id"]
    key = op.f(f"{name}_organization_id_{other}_id_fkey")
    return sa.ForeignKeyConstraint(columns, [f"{other}.organization_id", f"{other}.id"], name=key)
