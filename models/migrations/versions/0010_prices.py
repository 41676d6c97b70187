"""Rate plans, price rules, promo codes, their history, and quotes, which bookings lead to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for name, identity in (("rate_plan", "code"), ("price_rule", "type")):
        _placed(name, identity)
    op.create_table(
        "promo_code",
        *_setting(),
        sa.Column("venue_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("uses_max", sa.Integer(), nullable=True),
        *_valid(),
        sa.CheckConstraint("uses_max BETWEEN 1 AND 1000000", name=op.f("promo_code_uses_max_check")),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("promo_code_valid_check")),
        _of("promo_code", "venue"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("promo_code_pkey")),
    )
    op.create_index(
        "promo_code_code_key",
        "promo_code",
        ["organization_id", "venue_id", "code"],
        unique=True,
        postgresql_where=sa.text("NOT is_removed"),
    )
    op.create_table(
        "price_change",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("setting_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("is_removed", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('RATE_PLAN', 'PRICE_RULE', 'PROMO_CODE')", name=op.f("price_change_kind_check")),
        sa.PrimaryKeyConstraint("organization_id", "setting_id", "version", name=op.f("price_change_pkey")),
    )
    _quote()
    op.add_column("booking", sa.Column("quote_id", sa.Uuid(), nullable=True))
    op.add_column("booking", sa.Column("promo_code_id", sa.Uuid(), nullable=True))
    # Both columns are empty, so there is nothing to check that would keep the table locked.
    op.create_foreign_key(
        op.f("booking_organization_id_quote_id_fkey"),
        "booking",
        "quote",
        ["organization_id", "quote_id"],
        ["organization_id", "id"],
    )
    for column in ("quote_id", "promo_code_id"):
        op.create_index(
            f"booking_{column.removesuffix('_id')}_idx",
            "booking",
            ["organization_id", column],
            unique=False,
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def _placed(name: str, identity: str) -> None:
    """A table of what is set for a resource or a venue."""
    op.create_table(
        name,
        *_setting(),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("venue_id", sa.Uuid(), nullable=True),
        sa.Column(identity, sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        *_valid(),
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


def _setting() -> list[sa.Column[object]]:
    return [
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("is_removed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_actor", sa.String(), server_default=sa.text("'system'"), nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
    ]


def _valid() -> list[sa.Column[object]]:
    return [sa.Column("valid_from", sa.Date(), nullable=True), sa.Column("valid_until", sa.Date(), nullable=True)]


def _of(name: str, other: str) -> sa.ForeignKeyConstraint:
    columns = ["organization_id", f"{other}_id"]
    key = op.f(f"{name}_organization_id_{other}_id_fkey")
    return sa.ForeignKeyConstraint(columns, [f"{other}.organization_id", f"{other}.id"], name=key)


def _quote() -> None:
    op.create_table(
        "quote",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("inputs", JSON, nullable=False),
        sa.Column("inputs_hash", sa.LargeBinary(), nullable=False),
        sa.Column("lines", JSON, nullable=False),
        sa.Column("taxes", JSON, nullable=False),
        sa.Column("terms", JSON, nullable=False),
        sa.Column("due_later", JSON, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("subtotal", "tax", "total", "due_now", "due_at_venue")
        ),
        sa.Column("promo_code_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("quote_currency_check")),
        sa.CheckConstraint("subtotal >= 0 AND tax >= 0 AND total >= 0", name=op.f("quote_amounts_check")),
        sa.CheckConstraint(
            "due_now >= 0 AND due_at_venue >= 0 AND due_now + due_at_venue <= total", name=op.f("quote_due_check")
        ),
        _of("quote", "promo_code"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("quote_pkey")),
    )
    op.create_index("quote_expires_at_idx", "quote", ["expires_at"], unique=False)
