"""Boats leave at high tide (TIDE_TABLE), cost more at spring tide (SPRING_TIDE), and pay for each meter (PORT_DUES)."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import ClassVar

from pydantic import Field

from engine.pricing.base import Adjusting, Asked
from engine.rules.base import OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.weeks import ClockTime
from engine.taxes.amount import AmountTax
from engine.taxes.base import TaxedStay


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


class SpringTide(Adjusting):
    """On the days about a full or a new moon."""

    type: ClassVar[str] = "SPRING_TIDE"
    summary: ClassVar[str] = "At spring tide."
    step: ClassVar[int] = 350
    example: ClassVar[Mapping[str, object]] = {"days": [1, 2, 15, 16], "percent": "10"}

    days: tuple[int, ...] = Field(max_length=31, description="Which days of a month.")

    def matches(self, asked: Asked) -> bool:
        """By the calendar."""
        return asked.day.day in self.days


class PortDues(AmountTax):
    """So much for each meter of a boat."""

    type: ClassVar[str] = "PORT_DUES"
    summary: ClassVar[str] = "So much for each meter of each boat."
    example: ClassVar[Mapping[str, object]] = {"code": "DUES", "amount": 50, "meters": 8}

    meters: int = Field(strict=True, ge=1, le=400, description="How long a boat is.")

    def portions(self, stay: TaxedStay, days: Collection[date]) -> Counter[int]:
        """Once, as it leaves."""
        return Counter({self.amount: self.meters * stay.quantity} if stay.starts_on in days else {})
