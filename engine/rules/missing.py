"""A stored rule that can not be read any more: its package is gone, or its parameters are not what they were."""

from typing import ClassVar

from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest


class MissingRule(Rule):
    """Refuses everything, since nobody knows what the rule would have refused. No rule of this type is ever stored."""

    type: ClassVar[str] = "MISSING"
    summary: ClassVar[str] = "This rule can not be read, so everything is refused with RULE_VIOLATION."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    is_cumulative: ClassVar[bool] = True
    looks_at_every_day: ClassVar[bool] = True

    missing: str
    """The stored type."""

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return Refusal(
            code="RULE_VIOLATION",
            message=f"A rule of type {self.missing} is set, which this installation can not read.",
            rule=self.missing,
            parameters={"missing": self.missing},
        )
