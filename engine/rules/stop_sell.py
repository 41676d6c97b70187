"""STOP_SELL: days and nights that are not for sale."""

from collections.abc import Mapping
from typing import ClassVar

from engine.rules.base import ANY_TYPE, Refusal, RuleFacts, RuleRequest
from engine.rules.days import ChosenDays, days_of, each

TOLD_MAX = 31


class StopSell(ChosenDays):
    """A stay may have none of these nights, each named by the day on which it begins; a departure on it is no night.

    What is not sold by the night may touch none of these civil days. What is booked already stays. All rules of this
    type that are valid on a day of the request decide.
    """

    type: ClassVar[str] = "STOP_SELL"
    summary: ClassVar[str] = "A booking has none of these days or nights, else CLOSED."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    is_cumulative: ClassVar[bool] = True
    looks_at_every_day: ClassVar[bool] = True
    example: ClassVar[Mapping[str, object]] = {"dates": ["2026-12-31"]}

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        stopped = [day for day in each(*days_of(request, facts.zone)) if self.includes(day)]
        if not stopped:
            return None
        return Refusal(
            code="CLOSED",
            message=f"Not for sale on {stopped[0]:%A}, {stopped[0]}"
            + (f", and on {len(stopped) - 1} more days." if len(stopped) > 1 else "."),
            rule=self.type,
            parameters={"days": [day.isoformat() for day in stopped[:TOLD_MAX]], "count": len(stopped)},
        )
