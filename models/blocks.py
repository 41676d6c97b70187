"""Blocks: the parts in which timelines are kept for who asks next, cut from the calendar and not from any question.

So two questions about overlapping windows share them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final, NamedTuple

from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, TimelineView

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
BLOCK: Final = timedelta(days=16)
BLOCKS_MAX: Final = 32
"""Of one window: 16 months. What is longer, or lies outside the years that follow, is asked of the database."""
REACH: Final = Interval(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))

STEPS_MAX: Final = 5_000
"""Of one block: a fuller one is not kept."""

_starts_at = attrgetter("starts_at")


class Block(NamedTuple):
    """[number, number + 1) times 16 days after 1970 began, UTC, of one resource's timeline."""

    resource: ResourceKey
    number: int

    @property
    def window(self) -> Interval:
        starts_at = EPOCH + self.number * BLOCK
        return Interval(starts_at, starts_at + BLOCK)


def blocks_of(resource: ResourceKey, window: Interval) -> tuple[Block, ...]:
    """The blocks that cover the window, in their order; none at all if they would be too many."""
    if not REACH.contains(window):
        return ()
    first, end = (window.starts_at - EPOCH) // BLOCK, -((EPOCH - window.ends_at) // BLOCK)
    return tuple(Block(resource, number) for number in range(first, end)) if end - first <= BLOCKS_MAX else ()


def view_of(parts: Sequence[TimelineView], window: Interval) -> TimelineView:
    """The window, out of the views of its blocks, all of one state of the timeline and in their order."""
    steps: list[Step] = []
    for part in parts:
        first = max(0, bisect_right(part.steps, window.starts_at, key=_starts_at) - 1)
        end = bisect_left(part.steps, window.ends_at, key=_starts_at)
        if steps and _says(steps[-1]) == _says(part.steps[first]):  # a block's edge is no change point
            steps[-1] = steps[-1]._replace(ends_at=part.steps[first].ends_at)
            first += 1
        steps += part.steps[first:end]
    steps[0] = steps[0]._replace(starts_at=max(steps[0].starts_at, window.starts_at))
    steps[-1] = steps[-1]._replace(ends_at=min(steps[-1].ends_at, window.ends_at))
    return parts[-1].of(window, steps)


def _says(step: Step) -> tuple[int, int, str | None, bool]:
    return step.capacity, step.taken, step.sharing_key, step.closed
