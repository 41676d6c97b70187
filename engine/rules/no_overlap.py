"""NO_OVERLAP: a customer is at one place at a time."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from engine.rules.base import ANY_TYPE, Condition, ConditionKind, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.scope import Scope


class NoOverlap(Rule):
    """The customer has no other live booking that overlaps with this one, else CUSTOMER_OVERLAP.

    Holds count, and so do the other items of the same request; buffers do not: what counts is when the guest is
    there. One that ends when the other begins does not overlap. `scope` says where: of this resource, of its venue,
    or of the whole organization. It asks customers with an account alone (see CUSTOMER_LIMIT).
    """

    type: ClassVar[str] = "NO_OVERLAP"
    summary: ClassVar[str] = "A customer has no other booking at the same time, else CUSTOMER_OVERLAP."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {"scope": "ORGANIZATION"}
    measures: ClassVar[frozenset[ConditionKind]] = frozenset({ConditionKind.CUSTOMER_OVERLAP})

    scope: Scope = Field(default=Scope.VENUE, description="Where bookings count: of what.")

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    def conditions(self, request: RuleRequest, facts: RuleFacts) -> tuple[Condition, ...]:
        if facts.customer_id is None:
            return ()
        arguments: dict[str, Any] = {
            "customer_id": facts.customer_id,
            "starts_at": request.interval.starts_at,
            "ends_at": request.interval.ends_at,
            **self.scope.of(facts),
        }
        # This booking itself is the one that may be there.
        return (Condition(ConditionKind.CUSTOMER_OVERLAP, arguments, 1, self._refuse),)

    def _refuse(self, bookings: int) -> Refusal:
        return Refusal(
            code="CUSTOMER_OVERLAP",
            message=f"You have another booking {self.scope.words} at this time.",
            rule=self.type,
            parameters={"bookings": bookings - 1, "scope": self.scope.value},
        )
