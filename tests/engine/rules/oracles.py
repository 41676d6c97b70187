"""What the rules mean, told a second time by walking minute by minute over what the clocks on the wall show."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from engine.rules.opening_hours import Hours, OpeningHours
from engine.rules.session_times import DURATION_MINUTES_MAX, Session
from models.interval import Interval
from tests.engine.rules.examples import CHANGES, MINUTE, minutes, wall

DAY = timedelta(days=1)


def open_minutes(hours: Sequence[Hours], window: Interval, zone: ZoneInfo) -> set[datetime]:
    """The open minutes of the window: of each opening, from the first minute that shows a time in it to the last."""
    around = [(at, wall(at, zone)) for at in minutes(Interval(window.starts_at - 3 * DAY, window.ends_at + 3 * DAY))]
    midnights = sorted({datetime.combine(shown.date(), datetime.min.time()) for _, shown in around})
    found: set[datetime] = set()
    for entry in hours:
        for midnight in midnights:
            if midnight.isoweekday() == entry.weekday:
                opens, closes = midnight + _since_midnight(entry.opens), midnight + _since_midnight(entry.closes)
                if closes <= opens:
                    closes += DAY
                within = [at for at, shown in around if opens <= shown < closes]
                if within:
                    found.update(minutes(Interval(within[0], within[-1] + MINUTE)))
    return found.intersection(minutes(window))


def sessions(schedule: Sequence[Session], window: Interval, zone: ZoneInfo) -> set[Interval]:
    """The sessions that start in the window: at the first minute that shows their time."""
    first_showings: dict[datetime, datetime] = {}
    for at in minutes(Interval(window.starts_at - 2 * DAY, window.ends_at)):
        first_showings.setdefault(wall(at, zone), at)
    return {
        Interval(at, at + session.duration_minutes * MINUTE)
        for shown, at in first_showings.items()
        for session in schedule
        if at >= window.starts_at and shown.isoweekday() == session.weekday and f"{shown:%H:%M}" == session.starts
    }


def _since_midnight(text: str) -> timedelta:
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


# ---- strategies: windows near a change of the clocks, and clock times of which many fall into one

weekdays = st.integers(1, 7)
clock_times = st.one_of(st.integers(0, 4 * 60), st.integers(0, 24 * 60 - 1)).map(
    lambda minute: f"{minute // 60:02}:{minute % 60:02}"
)
closing_times = st.one_of(st.just("24:00"), clock_times)
opening_hours = st.lists(
    st.builds(Hours, weekday=weekdays, opens=clock_times, closes=closing_times), min_size=1, max_size=8
).map(lambda hours: OpeningHours(weekly=tuple(hours)))
schedules = st.lists(st.tuples(weekdays, clock_times, st.integers(1, DURATION_MINUTES_MAX)), max_size=8).map(
    lambda rows: [Session(weekday=day, starts=starts, duration_minutes=n) for day, starts, n in rows]
)


@st.composite
def places_and_windows(draw: st.DrawFn, *, days_max: int = 3) -> tuple[ZoneInfo, Interval]:
    """A zone, and a window of up to `days_max` days that begins within two days of a change of its clocks."""
    zone, change = draw(st.sampled_from(CHANGES))
    starts_at = change + draw(st.integers(-2 * 24 * 60, 24 * 60)) * MINUTE
    return zone, Interval(starts_at, starts_at + draw(st.integers(1, days_max * 24 * 60)) * MINUTE)
