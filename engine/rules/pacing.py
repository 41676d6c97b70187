"""PACING: so many arrive at most in each part of the day, however many may be there at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from engine.rules.base import (
    OPENING_HOURS,
    START_TIME,
    Condition,
    ConditionKind,
    Refusal,
    Rule,
    RuleFacts,
    RuleRequest,
)
from engine.rules.weeks import DAY_MINUTES
from models import civil
from models.interval import Interval

ARRIVALS_MAX = 100_000


def _dividing_the_day(minutes: int) -> int:
    if DAY_MINUTES % minutes:
        raise PydanticCustomError("pacing", f"should divide a day of {DAY_MINUTES} minutes into equal parts")
    return minutes


class Counted(StrEnum):
    """What is counted of what starts: units, or people."""

    UNITS = "UNITS"
    GUESTS = "GUESTS"


class Pacing(Rule):
    """In each part of the day, `minutes` long and counted from local midnight, at most `max` start, else PACING_LIMIT.

    `of` says what is counted: UNITS, or GUESTS, where an item whose guests were not told counts one for each unit. The
    parts are by the clocks on the wall: with 60, one is from 12:00 to 13:00 on every day. Where the clocks change, a
    part ends and another begins, so that both showings of a repeated hour are parts of their own.
    """

    type: ClassVar[str] = "PACING"
    summary: ClassVar[str] = "So many arrive at most in each part of the day, else PACING_LIMIT."
    applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS, START_TIME})
    example: ClassVar[Mapping[str, object]] = {"minutes": 15, "max": 12, "of": "GUESTS"}
    measures: ClassVar[frozenset[ConditionKind]] = frozenset({ConditionKind.ARRIVALS})

    minutes: Annotated[int, Field(strict=True, ge=1, le=DAY_MINUTES), AfterValidator(_dividing_the_day)] = Field(
        description="Length of a part; the day is a multiple of it."
    )
    max: Annotated[int, Field(strict=True, ge=0, le=ARRIVALS_MAX)] = Field(description="At most so many start in it.")
    of: Counted = Field(default=Counted.UNITS, description="What is counted.")

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    @property
    def reach(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def conditions(self, request: RuleRequest, facts: RuleFacts) -> tuple[Condition, ...]:
        part = part_of_day(request.interval.starts_at, self.minutes, facts.zone)
        arguments: dict[str, Any] = {
            "resource_id": facts.resource_id,
            "starts_at": part.starts_at,
            "ends_at": part.ends_at,
            "of_guests": self.of is Counted.GUESTS,
        }

        def refuse(arrivals: int) -> Refusal:
            first, end = (civil.local_text(at, facts.zone) for at in (part.starts_at, part.ends_at))
            return Refusal(
                code="PACING_LIMIT",
                message=f"At most {self.max} {self.of.lower()} may arrive from {first[11:16]} to {end[11:16]}.",
                rule=self.type,
                parameters={"max": self.max, "arrivals": arrivals, "of": self.of.value, "starts": first, "ends": end},
            )

        return (Condition(ConditionKind.ARRIVALS, arguments, self.max, refuse),)


def part_of_day(at: datetime, minutes: int, zone: ZoneInfo) -> Interval:
    """The part of the day in which an instant lies; `minutes` must divide the day."""
    step = timedelta(minutes=minutes)
    around = civil.stretches(Interval(at - step, at + step), zone)
    stretch = next(each for each in around if each.ends_at > at)
    local = at.astimezone(zone)
    since_midnight = timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    starts_at = at - since_midnight % step
    return Interval(max(starts_at, stretch.starts_at), min(starts_at + step, stretch.ends_at))
