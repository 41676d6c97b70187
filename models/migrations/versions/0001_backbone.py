"""The backbone: catalog, bookings, ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.create_table(
        "booking",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("contact_name", sa.String(), nullable=True),
        sa.Column("contact_email", sa.String(), nullable=True),
        sa.Column("contact_phone", sa.String(), nullable=True),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_ceiling_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim_count", sa.SmallInteger(), nullable=False),
        sa.Column("last_event", sa.String(), nullable=False),
        sa.Column("last_actor", sa.String(), nullable=False),
        sa.Column("last_reason", sa.String(), nullable=True),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "(status = 'ON_HOLD') = (hold_expires_at IS NOT NULL)", name=op.f("booking_hold_expires_at_check")
        ),
        sa.CheckConstraint(
            "last_event IN ('HELD', 'EXTENDED', 'CONFIRMED', 'RELEASED', 'CANCELLED', 'EXPIRED')",
            name=op.f("booking_last_event_check"),
        ),
        sa.CheckConstraint(
            "status IN ('ON_HOLD', 'PENDING', 'CONFIRMED', 'EXPIRED', 'CANCELLED', 'REJECTED', 'REDEEMED', 'COMPLETED', 'NO_SHOW')",
            name=op.f("booking_status_check"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("booking_pkey")),
        sa.UniqueConstraint("organization_id", "reference", name=op.f("booking_organization_id_reference_key")),
    )
    op.create_index(
        "booking_customer_idx",
        "booking",
        ["organization_id", "customer_id", "id"],
        unique=False,
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )
    op.create_index(
        "booking_due_idx",
        "booking",
        ["organization_id", "hold_expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'ON_HOLD'"),
    )
    op.create_table(
        "idempotency",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("organization_id", "actor", "key", name=op.f("idempotency_pkey")),
    )
    op.create_index(
        op.f("idempotency_organization_id_created_at_idx"),
        "idempotency",
        ["organization_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("organization_pkey")),
    )
    op.create_table(
        "outbox",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('RESOURCE', 'BOOKING')", name=op.f("outbox_kind_check")),
        sa.PrimaryKeyConstraint("organization_id", "kind", "entity_id", "version", name=op.f("outbox_pkey")),
    )
    op.create_index("outbox_published_idx", "outbox", ["organization_id", "published_at"], unique=False)
    op.create_index(
        "outbox_unpublished_idx",
        "outbox",
        ["organization_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_table(
        "booking_event",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id"],
            ["booking.organization_id", "booking.id"],
            name=op.f("booking_event_organization_id_booking_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "booking_id", "version", name=op.f("booking_event_pkey")),
    )
    op.create_table(
        "venue",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("check_in_time", sa.Time(), nullable=True),
        sa.Column("check_out_time", sa.Time(), nullable=True),
        sa.Column("is_published", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("venue_country_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("venue_currency_check")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("venue_organization_id_fkey")),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("venue_pkey")),
        sa.UniqueConstraint("organization_id", "slug", name=op.f("venue_organization_id_slug_key")),
    )
    op.create_table(
        "directory",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("venue_id", sa.Uuid(), nullable=True),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(kind = 'VENUE') = (venue_id IS NOT NULL)", name=op.f("directory_venue_check")),
        sa.CheckConstraint("kind IN ('ORGANIZATION', 'VENUE')", name=op.f("directory_kind_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "venue_id"],
            ["venue.organization_id", "venue.id"],
            name=op.f("directory_organization_id_venue_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("directory_organization_id_fkey")),
        sa.PrimaryKeyConstraint("kind", "slug", name=op.f("directory_pkey")),
        sa.UniqueConstraint("organization_id", "venue_id", name=op.f("directory_organization_id_venue_id_key")),
    )
    op.create_table(
        "resource",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("venue_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("availability_type", sa.String(), nullable=False),
        sa.Column("sharing", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("hold_seconds", sa.Integer(), server_default=sa.text("600"), nullable=False),
        sa.Column("hold_ceiling_seconds", sa.Integer(), server_default=sa.text("1800"), nullable=False),
        sa.CheckConstraint(
            "availability_type IN ('OPENING_HOURS', 'START_TIME', 'NIGHTLY')",
            name=op.f("resource_availability_type_check"),
        ),
        sa.CheckConstraint("sharing IN ('SHARED', 'SAME_ACTIVITY', 'EXCLUSIVE')", name=op.f("resource_sharing_check")),
        sa.CheckConstraint("capacity BETWEEN 0 AND 1000000", name=op.f("resource_capacity_check")),
        sa.CheckConstraint("hold_seconds BETWEEN 1 AND hold_ceiling_seconds", name=op.f("resource_hold_seconds_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "venue_id"],
            ["venue.organization_id", "venue.id"],
            name=op.f("resource_organization_id_venue_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("resource_pkey")),
        sa.UniqueConstraint(
            "organization_id", "venue_id", "slug", name=op.f("resource_organization_id_venue_id_slug_key")
        ),
    )
    op.create_table(
        "adjustment",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(capacity IS NULL) <> (closed IS NULL)", name=op.f("adjustment_one_change_check")),
        sa.CheckConstraint("capacity BETWEEN 0 AND 1000000", name=op.f("adjustment_capacity_check")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("adjustment_interval_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("adjustment_organization_id_resource_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "resource_id", "version", name=op.f("adjustment_pkey")),
    )
    op.create_table(
        "booking_item",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("activity", sa.String(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("booking_item_quantity_check")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("booking_item_interval_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id"],
            ["booking.organization_id", "booking.id"],
            name=op.f("booking_item_organization_id_booking_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("booking_item_organization_id_resource_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "booking_id", "position", name=op.f("booking_item_pkey")),
    )
    op.create_index(
        op.f("booking_item_organization_id_resource_id_starts_at_idx"),
        "booking_item",
        ["organization_id", "resource_id", "starts_at"],
        unique=False,
    )
    op.create_table(
        "booking_rule",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("booking_rule_organization_id_resource_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("booking_rule_pkey")),
        sa.UniqueConstraint(
            "organization_id", "resource_id", "type", name=op.f("booking_rule_organization_id_resource_id_type_key")
        ),
    )
    op.create_table(
        "claim",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("sharing_key", sa.String(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("claim_quantity_check")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("claim_interval_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "booking_id"],
            ["booking.organization_id", "booking.id"],
            name=op.f("claim_organization_id_booking_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("claim_organization_id_resource_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "booking_id", "resource_id", "starts_at", "ends_at", name=op.f("claim_pkey")
        ),
    )
    op.create_index(
        op.f("claim_organization_id_resource_id_starts_at_idx"),
        "claim",
        ["organization_id", "resource_id", "starts_at"],
        unique=False,
    )
    op.create_table(
        "resource_requirement",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("required_id", sa.Uuid(), nullable=False),
        sa.Column("per_unit", sa.Integer(), nullable=False),
        sa.Column("per_booking", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "per_unit BETWEEN 0 AND 10000 AND per_booking BETWEEN 0 AND 10000 AND per_unit + per_booking > 0",
            name=op.f("resource_requirement_amount_check"),
        ),
        sa.CheckConstraint("resource_id <> required_id", name=op.f("resource_requirement_other_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "required_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("resource_requirement_organization_id_required_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("resource_requirement_organization_id_resource_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "resource_id", "required_id", name=op.f("resource_requirement_pkey")
        ),
    )
    op.create_index(
        op.f("resource_requirement_organization_id_required_id_idx"),
        "resource_requirement",
        ["organization_id", "required_id"],
        unique=False,
    )
    op.create_table(
        "timeline",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("sharing_key", sa.String(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("sharing_key IS NULL OR taken > 0", name=op.f("timeline_sharing_key_check")),
        sa.CheckConstraint("taken BETWEEN 0 AND capacity", name=op.f("timeline_taken_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("timeline_organization_id_resource_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "resource_id", "at", name=op.f("timeline_pkey")),
    )
