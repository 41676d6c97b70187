"""CAPACITY_SHARE: one booking takes at most a part of the capacity."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from engine.rules.base import ANY_TYPE, Condition, ConditionKind, Refusal, Rule, RuleFacts, RuleRequest


class CapacityShare(Rule):
    """A booking takes at most `percent` of the capacity that there is while the guest is there, else PARTY_TOO_LARGE.

    Where the capacity changes in between, the least counts; a part of a unit is none. Items of one request that
    overlap count together.
    """

    type: ClassVar[str] = "CAPACITY_SHARE"
    summary: ClassVar[str] = "A booking takes at most a part of the capacity, else PARTY_TOO_LARGE."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {"percent": 50}
    measures: ClassVar[frozenset[ConditionKind]] = frozenset({ConditionKind.CAPACITY})

    percent: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(description="At most so much of the capacity.")

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    def conditions(self, request: RuleRequest, facts: RuleFacts) -> tuple[Condition, ...]:
        arguments: dict[str, Any] = {
            "resource_id": facts.resource_id,
            "starts_at": request.interval.starts_at,
            "ends_at": request.interval.ends_at,
            "percent": self.percent,
        }
        # In hundredths of a unit: what is taken, minus its share of the capacity.
        return (Condition(ConditionKind.CAPACITY, arguments, 0, self._refuse),)

    def _refuse(self, hundredths_over: int) -> Refusal:
        return Refusal(
            code="PARTY_TOO_LARGE",
            message=f"One booking takes at most {self.percent} % of the capacity.",
            rule=self.type,
            parameters={"percent": self.percent, "unitsOver": -(hundredths_over // -100)},
        )
