"""How much one operation may ask for in all, whatever its shape.

Each list is bounded by itself; lists within lists multiply. The budget is spent before the cost arises, so that an
operation that asks for too much is refused while it has cost little.
"""

from models.errors import InvalidInput
from models.interval import Interval

ELEMENTS_MAX = 10_000
"""Of all lists together; a slot takes about a tenth of a millisecond."""

ELEMENTS_PER_DAY = 5
"""What a day of a calendar counts for: it is the best of its slots."""

TIMELINE_DAYS_MAX = 40_000
"""Of all timelines together: 100 resources for a year."""


class Budget:
    """What one operation has left. Not thread-safe; an operation runs in one event loop."""

    def __init__(self) -> None:
        self._elements = ELEMENTS_MAX
        self._timeline_days = TIMELINE_DAYS_MAX

    def spend_elements(self, count: int) -> None:
        """Count elements of lists: edges, slots, steps. InvalidInput when there have been too many."""
        self._elements -= count
        if self._elements < 0:
            raise InvalidInput(f"This asks for more than {ELEMENTS_MAX:,} elements in one operation: ask for less.")

    def spend_timeline(self, window: Interval) -> None:
        """Count the days of one resource's timeline to be read, each begun day. InvalidInput when too many."""
        self._timeline_days -= window.duration.days + 1
        if self._timeline_days < 0:
            raise InvalidInput(
                f"This looks at more than {TIMELINE_DAYS_MAX:,} days of timelines in one operation: "
                "ask for fewer resources or shorter windows."
            )
