"""DURATION: how long a booking may be."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Self

from pydantic import Field, model_validator

from engine.rules.base import OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parameters import Minutes, at_most, wrong

_MINUTE = timedelta(minutes=1)


class Duration(Rule):
    """A booking must take at least `minMinutes`, else TOO_SHORT; at most `maxMinutes`, else TOO_LONG; and `minMinutes`
    (none: 0) plus a whole number of `stepMinutes`, else LENGTH_NOT_OFFERED.

    Minutes are minutes gone by, whatever the clocks on the wall do meanwhile. Times that are offered without a length
    being asked for take `minMinutes`, or one step.
    """

    type: ClassVar[str] = "DURATION"
    summary: ClassVar[str] = "A booking takes an allowed time, else TOO_SHORT, TOO_LONG or LENGTH_NOT_OFFERED."
    applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS})
    example: ClassVar[Mapping[str, object]] = {"minMinutes": 60, "maxMinutes": 240, "stepMinutes": 30}

    min_minutes: Minutes | None = Field(default=None, description="At least so long.")
    max_minutes: Minutes | None = Field(default=None, description="At most so long.")
    step_minutes: Minutes | None = Field(default=None, description="Longer than minMinutes by a multiple of this.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min_minutes is None and self.max_minutes is None and self.step_minutes is None:
            raise wrong("should have a minimum, a maximum or a step")
        at_most(self.min_minutes, self.max_minutes, "minMinutes", "maxMinutes")
        if self.min_minutes is None:
            at_most(self.step_minutes, self.max_minutes, "stepMinutes", "maxMinutes")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        asked = request.interval.duration
        if self.min_minutes is not None and asked < self.min_minutes * _MINUTE:
            return self._refusal("TOO_SHORT", f"Shorter than {self.min_minutes} minutes.", asked)
        if self.max_minutes is not None and asked > self.max_minutes * _MINUTE:
            return self._refusal("TOO_LONG", f"Longer than {self.max_minutes} minutes.", asked)
        if self.step_minutes is None:
            return None
        least = self.min_minutes or 0
        steps, over = divmod(asked - least * _MINUTE, self.step_minutes * _MINUTE)
        if not over:
            return None
        shorter = least + steps * self.step_minutes
        return self._refusal(
            "LENGTH_NOT_OFFERED",
            f"Lengths go in steps of {self.step_minutes} minutes" + (f" from {least} on." if least else "."),
            asked,
            shorter=shorter or None,
            longer=self._within(shorter + self.step_minutes),
        )

    def shortest_minutes(self, grid_minutes: int) -> int:
        """How long a time is that is offered without a length being asked for, where starts are so far apart."""
        if self.min_minutes is not None:
            return self.min_minutes
        if self.step_minutes is not None:
            return self.step_minutes
        assert self.max_minutes is not None, "one of the three is given"
        return min(grid_minutes, self.max_minutes)

    def _within(self, minutes: int) -> int | None:
        return None if self.max_minutes is not None and minutes > self.max_minutes else minutes

    def _refusal(self, code: str, message: str, asked: timedelta, **more: int | None) -> Refusal:
        # Rounded away from what is allowed: 59 minutes and a half are not 60.
        minutes = -(asked // -_MINUTE) if code == "TOO_LONG" else asked // _MINUTE
        return Refusal(code, message, self.type, {"minutes": minutes, **more, **self.parameters()})
