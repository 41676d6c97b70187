"""Who may change what belongs to an organization."""

import uuid
from collections.abc import Sequence

from engine.viewer import Role, Viewer
from models.errors import Forbidden, NotFound, Unauthenticated


def require(viewer: Viewer, role: Role, organization_id: uuid.UUID, *, path: Sequence[str] = ()) -> None:
    """Refuse anybody below `role`, and then anybody of another organization.

    Raises Unauthenticated for a guest and Forbidden for a lesser role. For another organization it is NotFound, as for
    an id that nobody has: whether it exists is nobody else's business.
    """
    require_role(viewer, role)
    if not viewer.may(role, organization_id):
        raise NotFound("Not found.", path=path)


def require_role(viewer: Viewer, role: Role) -> None:
    """Raises Unauthenticated for a guest and Forbidden for a role below `role`, in whatever organization."""
    if viewer.role is Role.GUEST:
        raise Unauthenticated("This needs a token of the organization's staff.")
    if not viewer.role.at_least(role):
        raise Forbidden(f"This needs the role {role}.")
