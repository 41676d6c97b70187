"""Reading timelines, where that can be without reading them again: what is kept of them, if it is what is so now."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from models.blocks import Block, blocks_of, view_of
from models.database import Database
from models.interval import Interval
from models.kept_timelines import KeptTimelines
from models.keys import ResourceKey
from models.queries.catalog import Versions, read_versions
from models.queries.timelines import TimelineView, read_timelines

Question = tuple[ResourceKey, Interval]

BLOCKS_WANTED_MAX: Final = 4_000
"""Of one call; what needs more is read from the database."""
UNKNOWN: Final[Mapping[ResourceKey, Versions]] = MappingProxyType({})


async def read_kept_timelines(
    database: Database,
    questions: Sequence[Question],
    *,
    own: Collection[uuid.UUID] = (),
    versions: Mapping[ResourceKey, Versions] = UNKNOWN,
    fill: bool = False,
) -> list[TimelineView]:
    """As `read_timelines`, and the same answers, all of one instant: that of `versions`, or a later one.

    `versions` are what was so at one instant; they are asked for now unless they tell of all these resources. What is
    kept in the state that they tell is not read. The rest is, in one statement: of a resource that was asked about in
    that state before, or with `fill`, whole blocks, which are kept.
    """
    kept = database.timelines
    if kept is None or not questions:
        return await read_timelines(database, questions, own=own)
    if any(key not in versions for key, _ in questions):
        versions = await read_versions(database, list(dict.fromkeys(key for key, _ in questions)))
    reading = _Reading(kept, questions, versions, _blocks(kept, questions, versions, own))
    in_memory = reading.look_into_memory()
    on_shelf = 0 if in_memory == len(questions) else await reading.look_onto_shelf(fill=fill)
    database.observer.timelines_read("memory", in_memory)
    database.observer.timelines_read("redis", on_shelf)
    database.observer.timelines_read("database", len(questions) - in_memory - on_shelf)
    if in_memory + on_shelf == len(questions):
        return reading.answers({})
    asked = reading.unanswered()
    read = dict(zip(asked, await read_timelines(database, list(asked), own=own), strict=True))
    if reading.is_of_one_instant(read.values()):
        reading.keep(asked, read)
        return reading.answers(read)
    return await read_timelines(database, questions, own=own)


def _blocks(
    kept: KeptTimelines,
    questions: Sequence[Question],
    versions: Mapping[ResourceKey, Versions],
    own: Collection[uuid.UUID],
) -> list[tuple[Block, ...]]:
    """For each question the blocks that could answer it. None for what the asker may not see: the database says so.

    None either while a hold is over: then it is the clock, and no version, that tells what is taken.
    """
    found: list[tuple[Block, ...]] = []
    left = BLOCKS_WANTED_MAX
    for key, window in questions:
        about = versions.get(key)
        is_kept = about is not None and not about.is_over and (about.is_published or key.organization_id in own)
        blocks = blocks_of(key, window) if is_kept else ()
        if len(blocks) > left or kept.is_full(blocks):
            blocks = ()
        left -= len(blocks)
        found.append(blocks)
    return found


@dataclass
class _Reading:
    """What has been found so far, for each question with blocks."""

    kept: KeptTimelines
    questions: Sequence[Question]
    versions: Mapping[ResourceKey, Versions]
    blocks: Sequence[tuple[Block, ...]]
    found: dict[Block, TimelineView] = field(default_factory=dict)
    settled: set[ResourceKey] = field(default_factory=set)

    def look_into_memory(self) -> int:
        """How many questions are answered by it."""
        self.found = self.kept.in_memory(self._missing())
        return self._answered()

    async def look_onto_shelf(self, *, fill: bool) -> int:
        """How many more are answered by it. Only what was asked about in this state before is looked for."""
        before, missing = self._answered(), self._missing()
        for key in dict.fromkeys(block.resource for block in missing):
            if self.kept.settles(key, self.versions[key].state) or fill:
                self.settled.add(key)
        self.found |= await self.kept.on_shelf({b: about for b, about in missing.items() if b.resource in self.settled})
        return self._answered() - before

    def unanswered(self) -> dict[Question, Block | None]:
        """What to ask the database, with the block that the answer is to be kept as."""
        asked: dict[Question, Block | None] = {}
        for question, blocks in zip(self.questions, self.blocks, strict=True):
            missing = [block for block in blocks if block not in self.found]
            if not blocks or (missing and question[0] not in self.settled):
                asked.setdefault(question)
            elif missing:
                asked |= {(block.resource, block.window): block for block in missing}
        return asked

    def is_of_one_instant(self, read: Iterable[TimelineView]) -> bool:
        """Whether these, read later, may stand beside what is found: they are of the same versions still."""
        return not self.found or all(self._is_of_versions(view) for view in read)

    def keep(self, asked: Mapping[Question, Block | None], read: Mapping[Question, TimelineView]) -> None:
        """Keep what was read as blocks, if it is what the versions tell of; for the answers it counts as found."""
        fresh = {block: read[question] for question, block in asked.items() if block is not None}
        self.kept.keep({b: view for b, view in fresh.items() if self._is_lasting(view)}, self.versions)
        self.found |= fresh

    def answers(self, read: Mapping[Question, TimelineView]) -> list[TimelineView]:
        """One view per question."""
        return [
            read.get(question) or view_of([self.found[block] for block in blocks], question[1])
            for question, blocks in zip(self.questions, self.blocks, strict=True)
        ]

    def _is_lasting(self, view: TimelineView) -> bool:
        return not view.has_over and self._is_of_versions(view)

    def _is_of_versions(self, view: TimelineView) -> bool:
        told = self.versions[view.resource]
        return (view.version, view.catalog_version) == (told.timeline, told.catalog)

    def _missing(self) -> dict[Block, Versions]:
        return {
            block: self.versions[block.resource]
            for blocks in self.blocks
            for block in blocks
            if block not in self.found
        }

    def _answered(self) -> int:
        return sum(bool(blocks) and all(block in self.found for block in blocks) for blocks in self.blocks)
