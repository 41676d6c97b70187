"""A booking of one resource takes some of several others, which the admission chooses."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.create_table(
        "resource_choice",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("resource_id <> member_id", name=op.f("resource_choice_other_check")),
        sa.ForeignKeyConstraint(
            ["organization_id", "resource_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("resource_choice_organization_id_resource_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "member_id"],
            ["resource.organization_id", "resource.id"],
            name=op.f("resource_choice_organization_id_member_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "resource_id", "member_id", name=op.f("resource_choice_pkey")),
    )
    op.create_index(
        "resource_choice_organization_id_member_id_idx",
        "resource_choice",
        ["organization_id", "member_id"],
        unique=False,
    )
    op.add_column("booking_item", sa.Column("chosen", sa.ARRAY(sa.Uuid()), nullable=True))
    # Made anew with another list of parameters, after the migrations.
    op.execute("DROP FUNCTION IF EXISTS ledger_refusals(uuid, jsonb, ledger_take[])")
