"""Viewers of every role."""

import secrets
import uuid

from engine.viewer import GUEST, Role, Viewer

BELOW_MANAGER = (Role.GUEST, Role.CUSTOMER, Role.PARTNER, Role.STAFF)
BELOW_STAFF = (Role.GUEST, Role.CUSTOMER, Role.PARTNER)


def viewer_of(role: Role, organization_id: uuid.UUID | None, subject: str = "amina") -> Viewer:
    """Somebody with that role in that organization; a guest is of none."""
    return GUEST if role is Role.GUEST else Viewer(role, organization_id, subject)


def fresh_key() -> str:
    """An idempotency key that nobody has used."""
    return secrets.token_hex(16)
