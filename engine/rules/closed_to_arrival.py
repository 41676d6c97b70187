"""CLOSED_TO_ARRIVAL: days on which no stay may begin."""

from collections.abc import Mapping
from typing import ClassVar

from engine.rules.base import NIGHTLY, Refusal, RuleFacts, RuleRequest
from engine.rules.days import ChosenDays


class ClosedToArrival(ChosenDays):
    """A stay may not begin on one of these days; it may go over them, and end on them.

    The days are civil days of the venue: the `dates`, and the `weekdays` from `from` to `until`. All rules of this
    type that are valid on the day of arrival decide.
    """

    type: ClassVar[str] = "CLOSED_TO_ARRIVAL"
    summary: ClassVar[str] = "A stay does not begin on one of these days, else CLOSED_TO_ARRIVAL."
    applies_to: ClassVar[frozenset[str]] = frozenset({NIGHTLY})
    is_cumulative: ClassVar[bool] = True
    example: ClassVar[Mapping[str, object]] = {"weekdays": [7], "from": "2027-07-01", "until": "2027-09-01"}

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        if request.stay is None or not self.includes(request.stay[0]):
            return None
        arrival = request.stay[0]
        return Refusal(
            code="CLOSED_TO_ARRIVAL",
            message=f"No arrivals on {arrival:%A}, {arrival}.",
            rule=self.type,
            parameters={"arrival": arrival.isoformat(), **self.nearest_others(arrival)},
        )
