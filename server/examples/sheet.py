"""A day's sheet of one resource: what is entered on it fits, whatever chance proposes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from models import civil
from models.interval import Interval
from server.examples.guests import guest
from server.examples.kinds import ExampleBooking, Outcome

STEP_MINUTES = 30
DAY_STEPS = 24 * 60 // STEP_MINUTES

CANCELLED_SHARE = 0.05


@dataclass
class Sheet:
    """Bookings of one resource that begin and end on one civil day, at times in minutes from midnight.

    `chance` is seeded with the resource and the day: asked in the same order, it gives the same day again. What is
    cancelled later counts as taken too, so that the order in which bookings come in makes no difference.
    """

    organization: str
    resource: str
    day: date
    zone: ZoneInfo
    capacity: int
    exclusive: bool = False
    entries: list[ExampleBooking] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.organization} {self.resource} {self.day}")
        self._taken = [0] * DAY_STEPS

    def __iter__(self) -> Iterator[ExampleBooking]:
        return iter(self.entries)

    def left(self, starts: int, ends: int) -> int:
        """What is left over all of the time: capacity minus the peak of what is taken."""
        return self.capacity - max(self._taken[starts // STEP_MINUTES : -(-ends // STEP_MINUTES)])

    def enter(
        self,
        starts: int,
        ends: int,
        quantity: int = 1,
        *,
        activity: str | None = None,
        outcome: Outcome | None = None,
    ) -> bool:
        """Enter a booking if it fits; whether it did. Without an outcome, a few are cancelled."""
        contact, customer_id = guest(self.chance)
        if outcome is None:
            outcome = Outcome.CANCELLED if self.chance.random() < CANCELLED_SHARE else Outcome.CONFIRMED
        takes = self.capacity if self.exclusive else quantity
        if takes > self.left(starts, ends):
            return False
        for step in range(starts // STEP_MINUTES, -(-ends // STEP_MINUTES)):
            self._taken[step] += takes
        booking = ExampleBooking(
            name=f"{self.organization}/{self.resource}/{self.day}/{len(self.entries)}",
            resource=self.resource,
            interval=self._interval(starts, ends),
            quantity=quantity,
            contact=contact,
            outcome=outcome,
            activity=activity,
            customer_id=customer_id,
        )
        self.entries.append(booking)
        return True

    def fill(self, starts: int, ends: int, party_max: int, *, activity: str | None = None) -> None:
        """Sell out the time: parties of up to `party_max` until nothing is left, none of them cancelled."""
        while left := self.left(starts, ends):
            party = min(left, self.chance.randint(1, party_max))
            self.enter(starts, ends, party, activity=activity, outcome=Outcome.CONFIRMED)

    def _interval(self, starts: int, ends: int) -> Interval:
        starts_at = civil.instant(self.day, time(starts // 60, starts % 60), self.zone)
        return Interval(starts_at, starts_at + timedelta(minutes=ends - starts))
