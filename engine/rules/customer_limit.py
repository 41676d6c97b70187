"""CUSTOMER_LIMIT: a customer has at most so many bookings that are still to come."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from engine.rules.base import ANY_TYPE, Condition, ConditionKind, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.scope import Scope

BOOKINGS_MAX = 1_000


class CustomerLimit(Rule):
    """With this one, the customer has at most `max` live bookings whose end is to come, else CUSTOMER_LIMIT.

    Holds count. Each item of a booking counts as one: who books two rooms has two. `scope` says where: of this
    resource, of its venue, or of the whole organization. It asks customers with an account alone: a guest can not be
    told from another, and staff and partners book for others.
    """

    type: ClassVar[str] = "CUSTOMER_LIMIT"
    summary: ClassVar[str] = "A customer has at most so many bookings that are still to come, else CUSTOMER_LIMIT."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {"max": 3, "scope": "RESOURCE"}
    measures: ClassVar[frozenset[ConditionKind]] = frozenset({ConditionKind.CUSTOMER_ACTIVE})

    max: Annotated[int, Field(strict=True, ge=1, le=BOOKINGS_MAX)] = Field(
        description="At most so many, with this one."
    )
    scope: Scope = Field(default=Scope.VENUE, description="Where bookings count: of what.")

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    def conditions(self, request: RuleRequest, facts: RuleFacts) -> tuple[Condition, ...]:
        if facts.customer_id is None:
            return ()
        arguments: dict[str, Any] = {"customer_id": facts.customer_id, "after": facts.now, **self.scope.of(facts)}
        return (Condition(ConditionKind.CUSTOMER_ACTIVE, arguments, self.max, self._refuse),)

    def _refuse(self, bookings: int) -> Refusal:
        return Refusal(
            code="CUSTOMER_LIMIT",
            message=f"You can have at most {self.max} bookings {self.scope.words} at a time.",
            rule=self.type,
            parameters={"max": self.max, "bookings": bookings, "scope": self.scope.value},
        )
