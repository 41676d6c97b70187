"""BUFFERS: time before and after a booking that nobody else gets."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.weeks import DAY_MINUTES

_Minutes = Annotated[int, Field(strict=True, ge=0, le=7 * DAY_MINUTES)]


class Buffers(Rule):
    """A booking takes capacity from `beforeMinutes` before the guest comes to `afterMinutes` after they leave.

    It refuses nothing by itself. What the booking also takes of other resources it takes as long. The guest's own time
    stays what it is, for every other rule, and a resource may be closed during the buffers.
    """

    type: ClassVar[str] = "BUFFERS"
    summary: ClassVar[str] = "A booking takes capacity for some time before and after the guest is there."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {"beforeMinutes": 10, "afterMinutes": 15}

    before_minutes: _Minutes = Field(default=0, description="Before the guest comes.")
    after_minutes: _Minutes = Field(default=0, description="After they leave.")

    @model_validator(mode="after")
    def _some(self) -> "Buffers":
        if not self.before_minutes + self.after_minutes:
            raise PydanticCustomError("buffers", "should have some minutes before or after")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    @property
    def reach(self) -> timedelta:
        return max(self.buffers)

    @property
    def buffers(self) -> tuple[timedelta, timedelta]:
        return timedelta(minutes=self.before_minutes), timedelta(minutes=self.after_minutes)
