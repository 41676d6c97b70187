"""Who may change what belongs to an organization."""

import uuid

from engine.viewer import Role, Viewer
from models.errors import Forbidden, NotFound, Unauthenticated


def require(viewer: Viewer, role: Role, organization_id: uuid.UUID, what: str, field: str) -> None:
    """Refuse anybody below `role`, and then anybody of another organization.

    Raises Unauthenticated for a guest and Forbidden for a lesser role. For another organization it is `unknown(what,
    field)`, as for an id that nobody has: whether it exists is nobody else's business.
    """
    require_role(viewer, role)
    if not viewer.may(role, organization_id):
        raise unknown(what, field)


def unknown(what: str, field: str) -> NotFound:
    """There is no such `what` under the id in this field of the input; also for one that the viewer may not see."""
    return NotFound(f"There is no such {what}.", path=("input", field))


def require_role(viewer: Viewer, role: Role) -> None:
    """Raises Unauthenticated for a guest and Forbidden for a role below `role`, in whatever organization."""
    if viewer.role is Role.GUEST:
        raise Unauthenticated("This needs a token of the organization's staff.")
    if not viewer.role.at_least(role):
        raise Forbidden(f"This needs the role {role}.")
