"""Where a rule about a customer's own bookings counts them."""

import uuid
from enum import StrEnum

from engine.rules.base import RuleFacts


class Scope(StrEnum):
    """Of this resource, of its venue, or of the whole organization."""

    RESOURCE = "RESOURCE"
    VENUE = "VENUE"
    ORGANIZATION = "ORGANIZATION"

    @property
    def words(self) -> str:
        return {"RESOURCE": "of this", "VENUE": "at this venue", "ORGANIZATION": "with this organization"}[self.value]

    def of(self, facts: RuleFacts) -> dict[str, uuid.UUID | None]:
        """The arguments of a condition that narrow it down to this scope."""
        if self is Scope.RESOURCE:
            return {"resource_id": facts.resource_id}
        return {"venue_id": facts.venue_id} if self is Scope.VENUE else {}
