"""CLOSED_TO_DEPARTURE: days on which no stay may end."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar

from engine.rules.base import NIGHTLY, Refusal, RuleFacts, RuleRequest
from engine.rules.days import ChosenDays
from engine.rules.limits import DURATION_DAYS_MAX


class ClosedToDeparture(ChosenDays):
    """A stay may not end on one of these days; it may go over them, and begin on them.

    The days are civil days of the venue: the `dates`, and the `weekdays` from `from` to `until`. Which rules decide is
    told by the day of arrival (`validFrom`, `validUntil`), so a season of departures is written as `from` and `until`.
    All rules of this type that are valid on the day of arrival decide.
    """

    type: ClassVar[str] = "CLOSED_TO_DEPARTURE"
    summary: ClassVar[str] = "A stay does not end on one of these days, else CLOSED_TO_DEPARTURE."
    applies_to: ClassVar[frozenset[str]] = frozenset({NIGHTLY})
    is_cumulative: ClassVar[bool] = True
    example: ClassVar[Mapping[str, object]] = {"dates": ["2026-12-25", "2027-01-01"]}

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        if request.stay is None or not self.includes(request.stay[1]):
            return None
        departure = request.stay[1]
        return Refusal(
            code="CLOSED_TO_DEPARTURE",
            message=f"No departures on {departure:%A}, {departure}.",
            rule=self.type,
            parameters={"departure": departure.isoformat(), **self.nearest_others(departure)},
        )

    def nights_allowed(self, arrival: date, nights: int) -> int | None:
        for longer in range(nights, DURATION_DAYS_MAX + 1):
            if not self.includes(arrival + timedelta(days=longer)):
                return longer
        return None
