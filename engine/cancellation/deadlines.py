"""The instants that a policy speaks of, in the civil time of the venue."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.cancellation.policy import Deadline, Step
from models import civil


@dataclass(frozen=True, slots=True)
class When:
    """When an item begins and when it is booked; both aware. `zone` is the venue's."""

    starts_at: datetime
    booked_at: datetime
    zone: ZoneInfo


def before_start(deadline: Deadline | Step, when: When) -> datetime:
    """The first instant at which it is too late; hours are of 60 minutes, days are those of the venue's calendar.

    Where the clocks skip the time, it is the end of the gap; where they show it twice, the second showing: the guest
    has until then, by whatever clock they look at.
    """
    if deadline.hours_before is not None:
        return when.starts_at - timedelta(hours=deadline.hours_before)
    assert deadline.days_before is not None, "a deadline is told in days or hours"
    local = when.starts_at.astimezone(when.zone)
    at = time.fromisoformat(deadline.at) if deadline.at is not None else local.time().replace(fold=0)
    day: date = local.date() - timedelta(days=deadline.days_before)
    return civil.instant_or_next(day, at, when.zone, last=True)


def of_step(step: Step, when: When) -> datetime:
    """The first instant at which the step is over: never after the start."""
    if step.hours_after_booking is not None:
        until = when.booked_at + timedelta(hours=step.hours_after_booking)
    else:
        until = before_start(step, when)
    return min(until, when.starts_at)
