"""SESSION_TIMES: a request must be one of the weekly sessions, such as a class or a departure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from engine.rules import weeks
from engine.rules.base import START_TIME, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parsing import Parameters
from models import civil
from models.errors import InvalidTime
from models.interval import Interval

SESSIONS_MAX = 400
DURATION_MINUTES_MAX = 7 * weeks.DAY_MINUTES

# A session is never further than a week away, or two where the clocks skip the one of a week.
_NEAREST_MAX = timedelta(days=15)

# (weekday, minute of that day at which it starts, minutes that it takes)
_Week = tuple[tuple[int, int, int], ...]


class Session(Parameters):
    """A session that starts on one weekday at a civil time and takes so many minutes, whatever the clocks do then."""

    weekday: weeks.Weekday
    starts: weeks.ClockTime = Field(description="HH:MM.")
    duration_minutes: Annotated[int, Field(strict=True, ge=1, le=DURATION_MINUTES_MAX)] = Field(
        description="Minutes gone by."
    )


class SessionTimes(Rule):
    """The request must be exactly one of the sessions, else OFF_GRID.

    A session whose start the clocks skip is not held that day; one whose start they show twice is held at the first.
    An empty list has no sessions: nothing can be booked.
    """

    type: ClassVar[str] = "SESSION_TIMES"
    summary: ClassVar[str] = "A booking is one of the weekly sessions, else OFF_GRID."
    applies_to: ClassVar[frozenset[str]] = frozenset({START_TIME})

    example: ClassVar[Mapping[str, object]] = {"weekly": [{"weekday": 6, "starts": "08:30", "durationMinutes": 90}]}

    weekly: tuple[Session, ...] = Field(max_length=SESSIONS_MAX, description="The sessions of every week, at most 400.")

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        interval, zone = request.interval, facts.zone
        start = interval.starts_at
        if interval in self.sessions(Interval(start, start + datetime.resolution), zone):
            return None
        near = self.sessions(Interval(start - _NEAREST_MAX, start + _NEAREST_MAX), zone)
        earlier = [session for session in near if session.starts_at < start][-1:]
        later = [session for session in near if session.starts_at >= start][:1]
        local = start.astimezone(zone)
        return Refusal(
            code="OFF_GRID",
            message=f"There is no session from {local:%H:%M} on {local:%A}, {local:%Y-%m-%d},"
            f" of {interval.duration // timedelta(minutes=1)} minutes.",
            rule=self.type,
            parameters={
                "earlier": _texts(earlier[0], zone) if earlier else None,
                "later": _texts(later[0], zone) if later else None,
            },
        )

    def sessions(self, window: Interval, zone: ZoneInfo) -> list[Interval]:
        """The sessions that start in the window, in order. InvalidInput for a window without bounds (weeks.py)."""
        return sorted(
            session
            for monday in weeks.mondays(*weeks.weeks_around(window))
            for session in _sessions_in_week(self.week, zone, monday)
            if window.starts_at <= session.starts_at < window.ends_at
        )

    @cached_property
    def week(self) -> _Week:
        """The sessions as numbers, each once: the key under which weeks are kept."""
        sessions = {(s.weekday, weeks.minute_of_day(s.starts), s.duration_minutes) for s in self.weekly}
        return tuple(sorted(sessions))


@lru_cache(maxsize=1024)
def _sessions_in_week(week: _Week, zone: ZoneInfo, monday: date) -> tuple[Interval, ...]:
    sessions = []
    for weekday, starts, duration_minutes in week:
        day = monday + timedelta(days=weekday - 1)
        try:
            starts_at = civil.instant(*weeks.civil_time(day, starts), zone)
        except InvalidTime:
            continue
        sessions.append(Interval(starts_at, starts_at + timedelta(minutes=duration_minutes)))
    return tuple(sessions)


def _texts(session: Interval, zone: ZoneInfo) -> dict[str, str]:
    return {
        "starts": civil.local_text(session.starts_at, zone),
        "ends": civil.local_text(session.ends_at, zone),
    }
