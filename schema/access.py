"""Who may ask for which root field: declared at the field, and enforced by what declares it.

A rule looks at who asks. Whether they may see *this* booking or change *this* venue is decided where it is loaded, in
the engine, which knows its organization.
"""

from enum import Enum
from inspect import isawaitable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from engine.viewer import Role, Viewer
from models.errors import Forbidden, Unauthenticated


class Access(Enum):
    """Who may ask. The value is told in the description of the field."""

    PUBLIC = "Anybody may ask."
    BOOKING_HOLDER = (
        "For who shows the booking's token, who made the booking, and the organization's staff; "
        "a guest without a token is refused with UNAUTHENTICATED."
    )
    ENTRY_HOLDER = (
        "For who shows the entry's token, who made the entry, and the organization's staff; "
        "a guest without a token is refused with UNAUTHENTICATED."
    )
    SERIES_HOLDER = (
        "For who shows the series' token, who made the series, and the organization's staff; "
        "a guest without a token is refused with UNAUTHENTICATED."
    )
    CUSTOMER = "For everybody with an account; a guest is refused with UNAUTHENTICATED."
    STAFF = "For staff, in their own organization; a guest is refused with UNAUTHENTICATED, others with FORBIDDEN."
    MANAGER = "For managers, in their own organization; a guest is refused with UNAUTHENTICATED, others with FORBIDDEN."


_OPENED_BY_TOKEN = {
    Access.BOOKING_HOLDER: "the booking's token or an account",
    Access.ENTRY_HOLDER: "the entry's token or an account",
    Access.SERIES_HOLDER: "the series' token or an account",
}
_LEAST_ROLE = {Access.CUSTOMER: Role.CUSTOMER, Access.STAFF: Role.STAFF, Access.MANAGER: Role.MANAGER}


def require(access: Access, viewer: Viewer, *, shows_token: bool = False) -> None:
    """Return if the viewer may ask; else raise Unauthenticated (nobody is there) or Forbidden (somebody is)."""
    if access is Access.PUBLIC:
        return
    if viewer.role is Role.GUEST:
        if access in _OPENED_BY_TOKEN and shows_token:
            return
        raise Unauthenticated(f"This needs {_OPENED_BY_TOKEN.get(access, 'an account')}.")
    least = _LEAST_ROLE.get(access)
    if least is not None and not viewer.role.at_least(least):
        raise Forbidden("Your role does not allow this.")


class AccessRule(FieldExtension):
    """Declares and enforces the rule of a root field; give it in `extensions=[AccessRule(...)]`.

    A token is looked for in the argument `token`, or in the field `token` of `input`.
    """

    def __init__(self, access: Access) -> None:
        self.access = access

    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        """For subscriptions: their resolvers return a stream at once."""
        self._require(info, arguments)
        return next_(source, info, **arguments)

    async def resolve_async(self, next_: Any, source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        """For queries and mutations."""
        self._require(info, arguments)
        answer = next_(source, info, **arguments)
        return await answer if isawaitable(answer) else answer

    def _require(self, info: strawberry.Info, arguments: dict[str, Any]) -> None:
        token = arguments.get("token") or getattr(arguments.get("input"), "token", None)
        require(self.access, info.context.viewer, shows_token=bool(token))
