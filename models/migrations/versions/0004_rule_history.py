"""The history of every rule begins with its first version: also of those that were set before there was a history.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        INSERT INTO booking_rule_change (
            organization_id, rule_id, version, venue_id, resource_id, type, parameters, priority, valid_from,
            valid_until, is_removed, actor, created_at
        )
        SELECT r.organization_id, r.id, r.version, r.venue_id, r.resource_id, r.type, r.parameters, r.priority,
               r.valid_from, r.valid_until, r.is_removed, r.last_actor, r.updated_at
          FROM booking_rule r
         WHERE NOT EXISTS (
             SELECT FROM booking_rule_change c
              WHERE c.organization_id = r.organization_id AND c.rule_id = r.id AND c.version = r.version
         )
        """
    )
