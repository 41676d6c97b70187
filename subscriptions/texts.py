"""Blocks of timelines as text. What is read back is looked through before it is believed: Redis may hold anything."""

from datetime import timedelta
from operator import le, lt
from typing import Any, Final

import orjson

from models.blocks import EPOCH, Block
from models.interval import Interval
from models.queries.catalog import Versions
from models.queries.timelines import Step, TimelineView

FORMAT: Final = 1
"""Another one is not read; raise it with every change of what a step says."""

TEXT_LENGTH_MAX: Final = 1_000_000
UNITS_MAX: Final = 1_000_000
_MICROSECOND: Final = timedelta(microseconds=1)


def to_text(view: TimelineView, block: Block, state: str) -> str:
    """The view of a block, and the state of the timeline that it is of. Of bookings it has ids at most, no person."""
    columns = (
        [(step.starts_at - EPOCH) // _MICROSECOND for step in view.steps],
        [step.capacity for step in view.steps],
        [step.taken for step in view.steps],
        [step.sharing_key for step in view.steps],
        [step.closed for step in view.steps],
    )
    return orjson.dumps([FORMAT, str(block.resource.id), block.number, state, *columns]).decode()


def from_text(text: str, block: Block, versions: Versions) -> TimelineView | None:
    """The view that the text has of this block in the state of these versions; None for any other text whatever."""
    if len(text) > TEXT_LENGTH_MAX:
        return None
    try:
        format_, id_, number, its_state, *columns = orjson.loads(text)
        if (format_, id_, number, its_state) != (FORMAT, str(block.resource.id), block.number, versions.state):
            return None
        steps = _steps(block.window, *columns)
        return TimelineView(block.resource, versions.timeline, versions.catalog, block.window, steps)
    except (ValueError, TypeError, OverflowError):
        return None


def _steps(window: Interval, starts: Any, capacities: Any, taken: Any, keys: Any, closed: Any) -> tuple[Step, ...]:
    """Raises ValueError or TypeError for what are no steps that fill the window. Column by column: there are many."""
    _check_types(starts, int)
    _check_types(capacities, int)
    _check_types(taken, int)
    _check_types(keys, str, type(None))
    _check_types(closed, bool)
    instants = [EPOCH + _MICROSECOND * each for each in starts]
    edges = [*instants, window.ends_at]
    fills = edges[0] == window.starts_at and all(map(lt, edges, edges[1:]))
    if not fills or min(taken) < 0 or max(capacities) > UNITS_MAX or not all(map(le, taken, capacities)):
        raise ValueError("no steps that fill the window")
    if len({len(each) for each in (starts, capacities, taken, keys, closed)}) != 1:
        raise ValueError("columns of different lengths")
    return tuple(map(Step, instants, edges[1:], capacities, taken, keys, closed))


def _check_types(values: Any, *types: type) -> None:
    if not isinstance(values, list) or not {type(each) for each in values} <= set(types):
        raise TypeError("not what was written")
