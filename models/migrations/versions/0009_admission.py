"""Functions of the admission are made anew, with other parameters and results, after the migrations."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS ledger_next_version(uuid, uuid, timestamptz, timestamptz)")
    op.execute("DROP FUNCTION IF EXISTS ledger_split(uuid, uuid, timestamptz)")
    op.execute("DROP FUNCTION IF EXISTS ledger_admit(uuid, jsonb, uuid[])")
    op.execute("DROP FUNCTION IF EXISTS ledger_is_stale(uuid, jsonb)")
    op.execute("DROP FUNCTION IF EXISTS ledger_refused_at_sight(uuid, jsonb)")
    op.execute("DROP FUNCTION IF EXISTS ledger_all_fit_at_sight(uuid, jsonb)")
