"""Civil days of a request, and what rules about certain days share."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from engine.rules.base import Rule, RuleRequest
from engine.rules.parameters import Day, Days, Weekdays, wrong
from models import civil

ONE = timedelta(days=1)
NEAREST_DAYS_MAX = 31


def days_of(request: RuleRequest, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last civil day that the request touches: of a stay, those of its first and last night."""
    if request.stay is not None:
        arrival, departure = request.stay
        return arrival, max(arrival, departure - ONE)
    return (
        civil.local_day(request.interval.starts_at, zone),
        civil.local_day(request.interval.ends_at - timedelta.resolution, zone),
    )


class ChosenDays(Rule):
    """A rule about certain civil days: its `dates`, and its `weekdays` from `from` to `until` (not included).

    No weekdays, but `from` or `until`: every day in between. Weekdays without `from` and `until`: always.
    """

    weekdays: Weekdays = Field(default=(), description="On these weekdays; 1 is Monday, 7 is Sunday.")
    dates: Days = Field(default=(), description="On these dates, at most 400.")
    first: Day | None = Field(
        default=None, alias="from", description="Weekdays count from this date on; without any, every day does."
    )
    until: Day | None = Field(default=None, description="And up to this date, which is not included.")

    @model_validator(mode="after")
    def _names_days(self) -> Self:
        if not self.dates and not self._repeats:
            raise wrong("should name weekdays, dates, or from and until")
        if self.first is not None and self.until is not None and self.first >= self.until:
            raise wrong("from should be before until")
        return self

    def includes(self, day: date) -> bool:
        """Whether this is one of the days."""
        if day in self._dates:
            return True
        return (
            self._repeats
            and (self.first is None or self.first <= day)
            and (self.until is None or day < self.until)
            and (not self.weekdays or day.isoweekday() in self.weekdays)
        )

    def nearest_others(self, day: date) -> dict[str, str | None]:
        """The days before and after, as parameters of a refusal, that are none of these; None: none within a month."""
        return {
            "earlier": self._nearest_other(day, -ONE),
            "later": self._nearest_other(day, ONE),
        }

    def _nearest_other(self, day: date, step: timedelta) -> str | None:
        days = (day + n * step for n in range(1, NEAREST_DAYS_MAX + 1))
        return next((other.isoformat() for other in days if not self.includes(other)), None)

    @cached_property
    def _repeats(self) -> bool:
        return bool(self.weekdays) or self.first is not None or self.until is not None

    @cached_property
    def _dates(self) -> frozenset[date]:
        return frozenset(self.dates)


def each(first: date, last: date) -> Iterator[date]:
    """The days from the first to the last, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
