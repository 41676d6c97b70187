"""STAY_THROUGH: how many nights a stay must have that has a night in a certain time."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Self

from pydantic import Field, model_validator

from engine.rules.base import NIGHTLY, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parameters import Nights, at_most, wrong


class StayThrough(Rule):
    """A stay with a night in the time for which this rule is valid must have at least `minNights` nights in all, else
    STAY_TOO_SHORT; at most `maxNights`, else STAY_TOO_LONG.

    Its night is named by the day on which it begins; a departure on a day is no night of it. On each day of the stay
    one rule of this type decides, so a stay over two times must satisfy the rules of both.
    """

    type: ClassVar[str] = "STAY_THROUGH"
    summary: ClassVar[str] = (
        "A stay with a night in the time of this rule has an allowed number of nights, else STAY_TOO_SHORT or "
        "STAY_TOO_LONG."
    )
    applies_to: ClassVar[frozenset[str]] = frozenset({NIGHTLY})
    looks_at_every_day: ClassVar[bool] = True
    example: ClassVar[Mapping[str, object]] = {"minNights": 3}

    min_nights: Nights | None = Field(default=None, description="At least so many nights in all.")
    max_nights: Nights | None = Field(default=None, description="At most so many nights in all.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min_nights is None and self.max_nights is None:
            raise wrong("should have minNights or maxNights")
        at_most(self.min_nights, self.max_nights, "minNights", "maxNights")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        asked = request.nights
        if self.min_nights is not None and asked < self.min_nights:
            return self._refusal("STAY_TOO_SHORT", f"Over these days at least {self.min_nights} nights.", asked)
        if self.max_nights is not None and asked > self.max_nights:
            return self._refusal("STAY_TOO_LONG", f"Over these days at most {self.max_nights} nights.", asked)
        return None

    def nights_allowed(self, arrival: date, nights: int) -> int | None:
        found = max(nights, self.min_nights or 1)
        return None if self.max_nights is not None and found > self.max_nights else found

    def _refusal(self, code: str, message: str, asked: int) -> Refusal:
        return Refusal(code, message, self.type, {"asked": asked, **self.parameters()})
