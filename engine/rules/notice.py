"""NOTICE: how long before it begins something can be booked, at the latest and at the earliest."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.days import days_of
from engine.rules.parameters import DaysAhead, MinutesAhead, at_most, wrong
from engine.rules.weeks import ClockTime
from models import civil


class Notice(Rule):
    """A request must begin at least `minDays` and `minMinutes` ahead, else TOO_SOON; at most `maxDays` and
    `maxMinutes` ahead, else TOO_FAR.

    Days are civil days of the venue: from today's date to the date on which the request begins, of a stay its arrival.
    Tomorrow is 1 day ahead, also a minute before midnight. With `cutOffTime`, on the last day on which it can be
    booked (`minDays` before it begins, 0 for the same day) it must be earlier than that: from the first showing of a
    time that the clocks show twice, and from the end of the gap for one that they skip, it is too late. Minutes are
    minutes gone by, up to the first instant; of a stay, to check-in. Exactly as many as said are enough, and not too
    many.
    """

    type: ClassVar[str] = "NOTICE"
    summary: ClassVar[str] = "A booking is made in time, else TOO_SOON, and not too early, else TOO_FAR."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {"minDays": 1, "cutOffTime": "18:00", "maxDays": 365}

    min_days: DaysAhead | None = Field(default=None, description="Begins at least so many days ahead; 0 is today.")
    min_minutes: MinutesAhead | None = Field(default=None, description="Begins at least so many minutes ahead.")
    cut_off_time: ClockTime | None = Field(
        default=None, description="HH:MM: on the last day, before this local time. Needs minDays."
    )
    max_days: DaysAhead | None = Field(default=None, description="Begins at most so many days ahead.")
    max_minutes: MinutesAhead | None = Field(default=None, description="Begins at most so many minutes ahead.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        bounds = (self.min_days, self.min_minutes, self.max_days, self.max_minutes)
        if all(bound is None for bound in bounds):
            raise wrong("should have a minimum or a maximum")
        at_most(self.min_days, self.max_days, "minDays", "maxDays")
        at_most(self.min_minutes, self.max_minutes, "minMinutes", "maxMinutes")
        if self.cut_off_time is not None and self.min_days is None:
            raise wrong("cutOffTime should come with minDays")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        first, _ = days_of(request, facts.zone)
        today = civil.local_day(facts.now, facts.zone)
        earliest_day = self._earliest_day(today, facts)
        if earliest_day is not None and first < earliest_day:
            return self._too_soon(earliest_day.isoformat())
        ahead = request.interval.starts_at - facts.now
        if self.min_minutes is not None and ahead < timedelta(minutes=self.min_minutes):
            return self._too_soon(_local(facts.now, self.min_minutes, facts.zone))
        if self.max_days is not None and (first - today).days > self.max_days:
            return self._too_far((today + timedelta(days=self.max_days)).isoformat())
        if self.max_minutes is not None and ahead > timedelta(minutes=self.max_minutes):
            return self._too_far(_local(facts.now, self.max_minutes, facts.zone))
        return None

    def _earliest_day(self, today: date, facts: RuleFacts) -> date | None:
        """The first day that can be booked now; None: any."""
        if self.min_days is None:
            return None
        days = self.min_days
        if self.cut_off_time is not None:
            cut_off = civil.instant_or_next(today, time.fromisoformat(self.cut_off_time), facts.zone)
            days += facts.now >= cut_off
        return today + timedelta(days=days)

    def _too_soon(self, earliest: str) -> Refusal:
        message = f"Too late to be booked: {earliest} is the earliest that can be booked now."
        return Refusal("TOO_SOON", message, self.type, {"earliest": earliest, **self.parameters()})

    def _too_far(self, latest: str) -> Refusal:
        message = f"Too early to be booked: {latest} is the latest that can be booked now."
        return Refusal("TOO_FAR", message, self.type, {"latest": latest, **self.parameters()})


def _local(now: datetime, minutes: int, zone: ZoneInfo) -> str:
    return civil.local_text(now + timedelta(minutes=minutes), zone)
