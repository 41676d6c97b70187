"""PARTY_SIZE: how many may come."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.limits import QUANTITY_MAX
from engine.rules.parameters import at_most, wrong

_Count = Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]


class PartySize(Rule):
    """A party must have at least `min` people, else PARTY_TOO_SMALL; at most `max`, and at most `maxPerUnit` for each
    unit that is booked, else PARTY_TOO_LARGE.

    People are the guests of the request; where no guests were told, its quantity counts for `min` and `max`, and
    `maxPerUnit` is not looked at.
    """

    type: ClassVar[str] = "PARTY_SIZE"
    summary: ClassVar[str] = "A party has an allowed size, else PARTY_TOO_SMALL or PARTY_TOO_LARGE."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {"min": 2, "max": 12, "maxPerUnit": 4}

    min: _Count | None = Field(default=None, description="At least so many people.")
    max: _Count | None = Field(default=None, description="At most so many people.")
    max_per_unit: _Count | None = Field(default=None, description="At most so many people for each unit.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min is None and self.max is None and self.max_per_unit is None:
            raise wrong("should have a minimum or a maximum")
        at_most(self.min, self.max, "min", "max")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        told = request.guest_count
        count = request.quantity if told is None else told
        if self.min is not None and count < self.min:
            return self._refusal("PARTY_TOO_SMALL", f"At least {self.min} people.", count, self.min)
        if self.max is not None and count > self.max:
            return self._refusal("PARTY_TOO_LARGE", f"At most {self.max} people.", count, self.max)
        if self.max_per_unit is None or told is None:
            return None
        most = self.max_per_unit * request.quantity
        if told <= most:
            return None
        message = f"At most {self.max_per_unit} people for each unit: {most} for {request.quantity}."
        units = -(told // -self.max_per_unit)
        return self._refusal("PARTY_TOO_LARGE", message, told, most, unitsNeeded=units)

    def _refusal(self, code: str, message: str, people: int, bound: int, **more: int) -> Refusal:
        return Refusal(code, message, self.type, {"people": people, "allowed": bound, **more, **self.parameters()})
