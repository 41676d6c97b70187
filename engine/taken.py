"""How much of a resource is taken at once, as prices look at it."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from models.interval import Interval
from models.queries.timelines import TimelineView

FULL = 10_000  # basis points


@dataclass(frozen=True)
class Taken:
    """How much is taken over a view of the resource's own timeline."""

    view: TimelineView

    def peak(self, interval: Interval) -> int:
        """The largest part of the capacity that is taken at once, in basis points; without capacity, all of it.

        What of the interval lies outside of the view is not looked at.
        """
        steps = self.view.steps
        position = max(bisect_right(self._starts, interval.starts_at) - 1, 0)
        peak = 0
        while position < len(steps) and steps[position].starts_at < interval.ends_at:
            step = steps[position]
            peak = max(peak, min(step.taken * FULL // step.capacity, FULL) if step.capacity else FULL)
            position += 1
        return peak

    @cached_property
    def _starts(self) -> list[datetime]:
        return [step.starts_at for step in self.view.steps]
