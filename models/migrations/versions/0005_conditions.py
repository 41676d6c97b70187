"""What a booking takes may be longer than the guest is there: a type of the functions gets more fields."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    # The functions that use it are installed anew after the migrations.
    op.execute("DROP TYPE IF EXISTS ledger_take CASCADE")
