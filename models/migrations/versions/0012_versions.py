"""What is known of a timeline tells whether one that was read before is still true."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    # Made anew with more columns, after the migrations.
    op.execute("DROP FUNCTION IF EXISTS ledger_versions(uuid[], uuid[])")
    op.execute("DROP FUNCTION IF EXISTS ledger_idle(uuid, uuid, timestamptz, timestamptz)")  # a part of its caller now
