"""A timeline is told with the version of the catalog that it stands beside."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    # Made anew with one column more, after the migrations.
    op.execute("DROP FUNCTION IF EXISTS ledger_steps(uuid[], uuid[], timestamptz[], timestamptz[], uuid[])")
