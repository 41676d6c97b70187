"""STAY_LENGTH: how many nights a stay may have, by its day of arrival."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.rules.base import NIGHTLY, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parameters import Nights, at_most, distinct, wrong

LENGTHS_MAX = 50


class StayLength(Rule):
    """A stay must have at least `minNights`, else STAY_TOO_SHORT; at most `maxNights`, else STAY_TOO_LONG.

    With `nights` it must have one of these numbers of nights: fewer than the least of them is STAY_TOO_SHORT, more than
    the most is STAY_TOO_LONG, and what lies between is LENGTH_NOT_OFFERED. The rule that is valid on the day of arrival
    decides, whatever is valid on later nights (that is STAY_THROUGH).
    """

    type: ClassVar[str] = "STAY_LENGTH"
    summary: ClassVar[str] = (
        "A stay has a number of nights that its day of arrival allows, else STAY_TOO_SHORT, STAY_TOO_LONG or "
        "LENGTH_NOT_OFFERED."
    )
    applies_to: ClassVar[frozenset[str]] = frozenset({NIGHTLY})
    example: ClassVar[Mapping[str, object]] = {"minNights": 2, "maxNights": 14}

    min_nights: Nights | None = Field(default=None, description="At least so many nights.")
    max_nights: Nights | None = Field(default=None, description="At most so many nights.")
    nights: Annotated[tuple[Nights, ...], Field(max_length=LENGTHS_MAX), AfterValidator(distinct)] = Field(
        default=(), description="One of these numbers of nights, at most 50 of them; in place of the other two."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        has_bounds = self.min_nights is not None or self.max_nights is not None
        if has_bounds == bool(self.nights):
            raise wrong("should have minNights or maxNights, or else nights")
        at_most(self.min_nights, self.max_nights, "minNights", "maxNights")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        asked = request.nights
        least, most = self._bounds
        if asked < least:
            return self._refusal("STAY_TOO_SHORT", f"At least {_nights(least)}.", asked)
        if most is not None and asked > most:
            return self._refusal("STAY_TOO_LONG", f"At most {_nights(most)}.", asked)
        if self.nights and asked not in self.nights:
            shorter = max(nights for nights in self.nights if nights < asked)
            longer = min(nights for nights in self.nights if nights > asked)
            message = f"{_nights(asked)} can not be booked, but {shorter} or {longer}."
            return self._refusal("LENGTH_NOT_OFFERED", message, asked, shorter=shorter, longer=longer)
        return None

    def nights_allowed(self, arrival: date, nights: int) -> int | None:
        if self.nights:
            return min((length for length in self.nights if length >= nights), default=None)
        least, most = self._bounds
        found = max(nights, least)
        return None if most is not None and found > most else found

    @property
    def _bounds(self) -> tuple[int, int | None]:
        if self.nights:
            return min(self.nights), max(self.nights)
        return self.min_nights or 1, self.max_nights

    def _refusal(self, code: str, message: str, asked: int, **more: int) -> Refusal:
        parameters = {"asked": asked, **more, **self.parameters()}
        return Refusal(code, message, self.type, parameters)


def _nights(count: int) -> str:
    return "1 night" if count == 1 else f"{count} nights"
