"""BLACKOUT: a period in which nothing can be booked."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parameters import DayOrTime, Reason, wrong
from models import civil
from models.interval import Interval

_DATE_LENGTH = len("2026-12-24")


class Blackout(Rule):
    """Nothing that is booked may have a part in [from, until), which are two dates or two local times of the venue.

    Dates: all instants of these civil days, the last not included; of a stay, the nights that begin on them, so that
    it may end on `from` and begin on `until`. Local times: all instants in between, also for a stay, which lasts from
    check-in to check-out. A time that the clocks skip is the end of the gap; of one that they show twice, the first
    showing begins a blackout and the last ends it. All rules of this type that are valid on a day of the request
    decide.
    """

    type: ClassVar[str] = "BLACKOUT"
    summary: ClassVar[str] = "A booking has no part in this period, else CLOSED."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    is_cumulative: ClassVar[bool] = True
    looks_at_every_day: ClassVar[bool] = True
    example: ClassVar[Mapping[str, object]] = {
        "from": "2026-12-24",
        "until": "2026-12-27",
        "reason": "Works",
    }

    first: DayOrTime = Field(alias="from", description="Date or local time at which it begins.")
    until: DayOrTime = Field(description="Date or local time, of the same form, which is not included.")
    reason: Reason | None = Field(default=None, description="Why; guests are told. 1 to 200 characters.")

    @model_validator(mode="after")
    def _is_a_period(self) -> Self:
        if len(self.first) != len(self.until):
            raise wrong("from and until should be both dates or both local times")
        if self.first >= self.until:
            raise wrong("from should be before until")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        if not self._touches(request, facts.zone):
            return None
        why = f": {self.reason}" if self.reason else ""
        return Refusal(
            code="CLOSED",
            message=f"Nothing can be booked from {self.first} until {self.until}{why}.",
            rule=self.type,
            parameters={"from": self.first, "until": self.until, "reason": self.reason},
        )

    def _touches(self, request: RuleRequest, zone: ZoneInfo) -> bool:
        if request.stay is not None and len(self.first) == _DATE_LENGTH:
            arrival, departure = request.stay
            return arrival.isoformat() < self.until and self.first < departure.isoformat()
        period = _period(self.first, self.until, zone)
        return period is not None and period.overlaps(request.interval)


@lru_cache(maxsize=1024)
def _period(first: str, until: str, zone: ZoneInfo) -> Interval | None:
    """The instants; None if the clocks skip them all."""
    starts_at, ends_at = _instant(first, zone), _instant(until, zone, last=len(until) > _DATE_LENGTH)
    return Interval(starts_at, ends_at) if starts_at < ends_at else None


def _instant(text: str, zone: ZoneInfo, *, last: bool = False) -> datetime:
    day = date.fromisoformat(text[:_DATE_LENGTH])
    at = datetime.fromisoformat(text).time()  # local on purpose: the zone is given
    return civil.instant_or_next(day, at, zone, last=last)
