"""APPROVAL_REQUIRED: the venue looks at a booking before it is confirmed."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest

HOURS_MAX = 30 * 24


class ApprovalRequired(Rule):
    """When the guest confirms, the booking is PENDING for `withinHours`: by then staff approve, or it is EXPIRED.

    It refuses nothing by itself; the places are kept meanwhile. Of several items of a booking the longest time counts.
    """

    type: ClassVar[str] = "APPROVAL_REQUIRED"
    summary: ClassVar[str] = "Staff approve a booking before it is confirmed; not approved in time, it is EXPIRED."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {"withinHours": 24}

    within_hours: Annotated[int, Field(strict=True, ge=1, le=HOURS_MAX)] = Field(
        description="How long staff have, from when the guest confirmed."
    )

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    @property
    def approval_seconds(self) -> int | None:
        return self.within_hours * 3_600
