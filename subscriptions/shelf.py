"""The shelf in Redis: blocks of timelines that one process has read, for all others.

It is no more than a way to spare the database work. A text is of one state of a timeline and used only if the database
has said that this is the state of now, so a Redis that loses, mixes up, delays or makes up texts costs time alone. One
that does not answer costs a quarter of a second, and is left alone for a while then.

On a cluster the texts of an organization share a slot, by the part of their names in braces.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Final

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import MovedError

from models.blocks import Block
from models.errors import Busy
from models.grouping import Groups
from models.kept_timelines import Kept
from models.queries.catalog import Versions
from models.queries.timelines import TimelineView
from subscriptions.channels import PREFIX, connect, connect_cluster
from subscriptions.ending import end
from subscriptions.outage import Outage
from subscriptions.texts import FORMAT, from_text, to_text

KEPT_SECONDS: Final = 900
NAMES_PER_COMMAND_MAX: Final = 500
BLOCKS_PUT_MAX: Final = 100
"""At a time: it is the event loop that makes texts of them."""
WAITING_MAX: Final = 2_000
"""Blocks on their way to Redis; more are not put there."""
PAUSE_SECONDS_MAX: Final = 5.0


def name_of(block: Block) -> str:
    """Under what the text of a block lies in Redis."""
    organization_id, resource_id = block.resource
    return f"{PREFIX}{{{organization_id}}}:steps:{FORMAT}:{resource_id}:{block.number}"


class RedisShelf:
    """Implements `models.kept_timelines.Shelf`. One command or pipeline is under way in each direction at a time."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._redis: Redis | RedisCluster = connect(redis_url)
        self._outage = Outage("Keeping timelines in Redis", pause_seconds_max=PAUSE_SECONDS_MAX)
        self._rests_until = float("-inf")
        self._takes: Groups[Iterable[Block], Mapping[Block, str]] = Groups()
        self._waiting: dict[Block, Kept] = {}
        self._putting: asyncio.Task[None] | None = None

    async def take(self, wanted: Mapping[Block, Versions]) -> Mapping[Block, TimelineView]:
        """See `models.kept_timelines.Shelf`. Who asks while another is under way goes with the next."""
        if self._rests:
            return {}
        try:
            texts = await self._takes.ask("take", wanted, self._take_together)
        except Busy:
            return {}
        views = {
            block: from_text(texts[block], block, versions) for block, versions in wanted.items() if block in texts
        }
        return {block: view for block, view in views.items() if view is not None}

    def put(self, kept: Mapping[Block, Kept]) -> None:
        """See `models.kept_timelines.Shelf`. A newer view of a block takes the place of one that waits."""
        if self._rests or len(self._waiting) + len(kept) > WAITING_MAX:
            return
        self._waiting |= kept
        if self._putting is None or self._putting.done():
            self._putting = asyncio.create_task(self._put_all(), name="timelines to Redis")

    async def close(self) -> None:
        """Give the connections back; what has not been put there is dropped."""
        if self._putting is not None:
            await end([self._putting])
        await self._takes.finish()
        await self._redis.aclose()

    @property
    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    async def _take_together(self, asked: Sequence[Iterable[Block]]) -> Sequence[Mapping[Block, str]]:
        """One answer for all: the texts that are there."""
        found: dict[Block, str] = {}

        async def take() -> None:
            for some in _portions({block for blocks in asked for block in blocks}):
                texts = await self._redis.mget([name_of(block) for block in some])
                found.update((block, text) for block, text in zip(some, texts, strict=True) if isinstance(text, str))

        if not self._rests:
            await self._try(take)
        return [found] * len(asked)

    async def _put_all(self) -> None:
        while self._waiting:
            some = list(islice(self._waiting, BLOCKS_PUT_MAX))
            texts = {block: to_text(view, block, state) for block in some for state, view in [self._waiting.pop(block)]}
            if not await self._try(partial(self._put, texts)):
                self._waiting.clear()

    async def _put(self, texts: Mapping[Block, str]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for block, text in texts.items():
                _ = pipeline.set(name_of(block), text, ex=KEPT_SECONDS)
            await pipeline.execute()

    async def _try(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether it worked. If not, Redis is left alone for a while; a cluster is asked as one from then on."""
        try:
            await work()
        except MovedError:
            await self._use_cluster()
            return False
        except Exception as error:  # noqa: BLE001 - whatever Redis does or says: it is not needed
            self._rests_until = time.monotonic() + self._outage.failed(error)
            return False
        self._outage.over()
        return True

    async def _use_cluster(self) -> None:
        before, self._redis = self._redis, connect_cluster(self._redis_url)
        await before.aclose()


def _portions(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Those of one organization together, so many at a time."""
    for _, of_one in groupby(sorted(blocks), key=lambda block: block.resource.organization_id):
        while some := list(islice(of_one, NAMES_PER_COMMAND_MAX)):
            yield some
