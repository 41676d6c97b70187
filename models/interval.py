"""A half-open interval of time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """[starts_at, ends_at): two aware instants, the end not included; empty and inverted ones can not be made.

    Both ends are kept in UTC, whatever zone they were given in.
    """

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("an interval is made of aware instants")
        if self.ends_at <= self.starts_at:
            raise ValueError("an interval ends after it starts")
        # Mostly they are in UTC already, and there are thousands in an answer.
        if self.starts_at.tzinfo is not UTC:
            object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC))
        if self.ends_at.tzinfo is not UTC:
            object.__setattr__(self, "ends_at", self.ends_at.astimezone(UTC))

    @property
    def duration(self) -> timedelta:
        return self.ends_at - self.starts_at

    def overlaps(self, other: "Interval") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: "Interval") -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def widened(self, before: timedelta, after: timedelta) -> "Interval":
        """So much longer on both sides, as far as the calendar goes."""
        try:
            return Interval(self.starts_at - before, self.ends_at + after)
        except OverflowError:
            starts_at = self.starts_at - min(before, self.starts_at - _FIRST)
            return Interval(starts_at, self.ends_at + min(after, _LAST - self.ends_at))

    def clip(self, other: "Interval") -> "Interval | None":
        """The part of this interval that lies in the other one, if any."""
        starts_at = max(self.starts_at, other.starts_at)
        ends_at = min(self.ends_at, other.ends_at)
        return Interval(starts_at, ends_at) if starts_at < ends_at else None
