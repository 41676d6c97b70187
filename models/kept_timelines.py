"""Timelines that one process keeps: in its own memory, and on a shelf that all processes share.

Nothing here is ever invalidated. What is kept has the state of the timeline that it is of (`Versions.state`); whoever
wants to use it has asked the database for the state of now, and only what is of that very state is found. So it does
not matter what is lost, late or wrong here: then the timeline is read from the database.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from cachetools import LRUCache, TTLCache

from models.blocks import STEPS_MAX, Block
from models.keys import ResourceKey
from models.queries.catalog import Versions
from models.queries.timelines import TimelineView

STEPS_KEPT_MAX: Final = 100_000
"""In memory, some 20 MB; those that were not needed for longest go first."""
BLOCK_STEPS_LEAST: Final = 4
"""What a block counts beside its steps, so that many that are nearly empty are bounded too."""
RESOURCES_MAX: Final = 10_000
FULL_MAX: Final = 1_000
FULL_SECONDS: Final = 60.0
"""For so long a block with too many steps is not read as a block again."""
LEARNING_PAUSE_SECONDS: Final = 0.05
"""Between two readings of one resource for no better reason than that it was sold out."""


Kept = tuple[str, TimelineView]
"""A view of a block, and the state of the timeline that it is of."""


class Shelf(Protocol):
    """Where processes find what others of them have read. It may lose and mix up anything; it never raises."""

    async def take(self, wanted: Mapping[Block, Versions]) -> Mapping[Block, TimelineView]:
        """Those of the blocks that are there in the wanted state, if they can be had soon."""

    def put(self, kept: Mapping[Block, Kept]) -> None:
        """Leave these there, in passing."""


class KeptTimelines:
    """Blocks of timelines, each with the state that it is of; the newest known state of a block alone is kept."""

    def __init__(self, shelf: Shelf | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._shelf = shelf
        self._clock = clock
        self._views: LRUCache[Block, Kept] = LRUCache(STEPS_KEPT_MAX, getsizeof=_size)
        self._asked: LRUCache[ResourceKey, str] = LRUCache(RESOURCES_MAX)
        self._learnt_at: LRUCache[ResourceKey, float] = LRUCache(RESOURCES_MAX)
        self._full: TTLCache[Block, None] = TTLCache(FULL_MAX, FULL_SECONDS, timer=clock)

    def in_memory(self, wanted: Mapping[Block, Versions]) -> dict[Block, TimelineView]:
        """Those of the blocks that this process has in the wanted state."""
        found = {}
        for block, versions in wanted.items():
            state, view = self._views.get(block, ("", None))
            if view is not None and state == versions.state:
                found[block] = view
        return found

    async def on_shelf(self, wanted: Mapping[Block, Versions]) -> Mapping[Block, TimelineView]:
        """Those of the blocks that are on the shelf in the wanted state; from then on they are in memory."""
        if self._shelf is None or not wanted:
            return {}
        found = await self._shelf.take(wanted)
        self._views.update((block, (wanted[block].state, view)) for block, view in found.items())
        return found

    def keep(self, read: Mapping[Block, TimelineView], versions: Mapping[ResourceKey, Versions]) -> None:
        """Keep what was read of these blocks, as of these versions of their resources; what is too full is not."""
        kept = {
            block: (versions[block.resource].state, view)
            for block, view in read.items()
            if len(view.steps) <= STEPS_MAX
        }
        self._full.update((block, None) for block in read.keys() - kept.keys())
        self._views.update(kept)
        if self._shelf is not None and kept:
            self._shelf.put(kept)

    def is_full(self, blocks: Iterable[Block]) -> bool:
        """Whether one of them was found too full to be kept, lately."""
        return any(block in self._full for block in blocks)

    def last_known(self, blocks: Iterable[Block]) -> tuple[str, list[TimelineView]] | None:
        """The views of a resource's blocks, all of one state, and which: the last that this process has seen."""
        found = [self._views.get(block) for block in blocks]
        states = {state for state, _ in filter(None, found)}
        if None in found or len(states) != 1:
            return None
        return states.pop(), [view for _, view in filter(None, found)]

    def forget(self, blocks: Iterable[Block]) -> None:
        """These are not so any more: nobody shall think so again."""
        for block in blocks:
            self._views.pop(block, None)

    def settles(self, resource: ResourceKey, state: str) -> bool:
        """Whether this resource has been asked about in this state before.

        Then more than the question may be read of it. A timeline that is another one at each question is not worth it.
        """
        before = self._asked.get(resource)
        self._asked[resource] = state
        return before == state

    def may_learn(self, resource: ResourceKey) -> bool:
        """Whether some time has gone by since the last time that this said yes."""
        now = self._clock()
        if now - self._learnt_at.get(resource, float("-inf")) < LEARNING_PAUSE_SECONDS:
            return False
        self._learnt_at[resource] = now
        return True


def _size(kept: Kept) -> int:
    return BLOCK_STEPS_LEAST + len(kept[1].steps)
