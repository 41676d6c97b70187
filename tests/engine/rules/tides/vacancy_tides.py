"""TIDE_TABLE: boats leave at high tide."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from engine.rules.base import OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.weeks import ClockTime


class TideTable(Rule):
    """A booking must begin within an hour of high tide by the clocks of its day, else RULE_VIOLATION."""

    type: ClassVar[str] = "TIDE_TABLE"
    summary: ClassVar[str] = "A boat leaves within an hour of high tide, else RULE_VIOLATION."
    applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS})
    example: ClassVar[Mapping[str, object]] = {"highTide": "12:00"}

    high_tide: ClockTime = Field(description="HH:MM.")

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        """By the clocks on the wall."""
        local = request.interval.starts_at.astimezone(facts.zone).replace(tzinfo=None)
        tide = datetime.combine(local.date(), datetime.strptime(self.high_tide, "%H:%M").time())  # noqa: DTZ007
        if abs(local - tide) <= timedelta(hours=1):
            return None
        return Refusal("BOAT_AGROUND", "The boat is aground.", self.type, {"highTide": self.high_tide})
