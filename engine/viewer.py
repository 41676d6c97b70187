"""Who is asking."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from models.ledger.requests import NO_CONTACT, Contact


class Role(StrEnum):
    """What somebody may do, from least to most; a later role may do what an earlier one may, within its organization.

    GUEST: no account; what a booking token opens. CUSTOMER: their own bookings. PARTNER: bookings that they made.
    STAFF: all bookings of the organization. MANAGER: its venues, resources and capacity as well. OPERATOR: any
    organization.
    """

    GUEST = "GUEST"
    CUSTOMER = "CUSTOMER"
    PARTNER = "PARTNER"
    STAFF = "STAFF"
    MANAGER = "MANAGER"
    OPERATOR = "OPERATOR"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def at_least(self, other: "Role") -> bool:
        return self.rank >= other.rank


@dataclass(frozen=True, slots=True)
class Viewer:
    """The role, and for everybody but a guest the organization and the subject of the verified token.

    An OPERATOR's `organization_id` may be None: no organization in particular.
    """

    role: Role = Role.GUEST
    organization_id: uuid.UUID | None = None
    subject: str | None = None
    contact: Contact = NO_CONTACT

    def may(self, role: Role, organization_id: uuid.UUID) -> bool:
        """Whether this viewer has at least `role` in that organization."""
        if self.role is Role.OPERATOR:
            return self.organization_id in (None, organization_id)
        return self.role.at_least(role) and self.organization_id == organization_id

    def own(self, organization_ids: Iterable[uuid.UUID], role: Role) -> list[uuid.UUID]:
        """Those of these organizations in which this viewer has at least `role`, each once."""
        return [each for each in dict.fromkeys(organization_ids) if self.may(role, each)]

    @property
    def actor(self) -> str:
        """The scope of this viewer's idempotency keys, and the name in the history: role and subject."""
        return "guest" if self.role is Role.GUEST else f"{self.role.lower()}:{self.subject}"


GUEST = Viewer()
