"""Reading timelines: many resources in one statement, each over its own window."""

import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import asyncpg

from models.database import Database
from models.errors import NotFound
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger.tables import Claim

_BEGINS = itemgetter(0)

_STEPS = "SELECT * FROM ledger_steps($1, $2, $3, $4, $5)"


class Step(NamedTuple):
    """What is true of a resource over an interval. `sharing_key`: see `models.ledger.tables.Claim`."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    sharing_key: str | None
    closed: bool


@dataclass(frozen=True, slots=True)
class TimelineView:
    """The steps of one timeline in a window, as they were at `version`: sorted, without gap or overlap.

    `has_over`: some of what was taken there is left out, since a hold of it was over.
    """

    resource: ResourceKey
    version: int
    window: Interval
    steps: tuple[Step, ...]
    has_over: bool = field(default=False, compare=False)

    def over(self, interval: Interval) -> tuple[Step, ...]:
        """The steps that the interval touches. It must lie in the window."""
        first = bisect_right(self.steps, interval.starts_at, key=_BEGINS) - 1
        return self.steps[first : bisect_left(self.steps, interval.ends_at, lo=first, key=_BEGINS)]


async def read_timelines(
    database: Database, questions: Sequence[tuple[ResourceKey, Interval]], *, own: Collection[uuid.UUID] = ()
) -> list[TimelineView]:
    """One view per question, in their order; one statement, so that all are of one snapshot.

    Holds that are over count as gone. Raises NotFound if a resource does not exist, or is not published and not of one
    of the organizations `own`.
    """
    return await read_timelines_on(database.ledger, questions, own=own)


async def read_timelines_on(
    connection: "asyncpg.Pool[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]",
    questions: Sequence[tuple[ResourceKey, Interval]],
    *,
    own: Collection[uuid.UUID] = (),
) -> list[TimelineView]:
    """The same on a connection of the caller's, whose transaction may have a snapshot of its own."""
    if not questions:
        return []
    rows = await connection.fetch(
        _STEPS,
        [key.organization_id for key, _ in questions],
        [key.id for key, _ in questions],
        [window.starts_at for _, window in questions],
        [window.ends_at for _, window in questions],
        list(own),
    )
    by_position: list[list[asyncpg.Record]] = [[] for _ in questions]
    for row in rows:
        by_position[row["position"] - 1].append(row)
    return [_view(key, window, found) for (key, window), found in zip(questions, by_position, strict=True)]


def without(view: TimelineView, claims: Iterable[Claim]) -> TimelineView:
    """The view as if these claims, which are in it, were not there; those of other resources make no difference."""
    steps = list(view.steps)
    for claim in claims:
        if claim.resource_id == view.resource.id:
            taken = {"starts_at": claim.starts_at, "ends_at": claim.ends_at, "taken": claim.quantity}
            steps = [part for step in steps for part in _without(step, taken)]
    return replace(view, steps=tuple(steps))


def _view(key: ResourceKey, window: Interval, rows: list[asyncpg.Record]) -> TimelineView:
    steps = [row for row in rows if not row["over"]]
    if not steps:
        raise NotFound("Not found.")
    over = [row for row in rows if row["over"]]
    ends = [row["starts_at"] for row in steps[1:]] + [window.ends_at]
    view = [
        Step(row["starts_at"], end, row["capacity"], row["taken"], row["sharing_key"], row["closed"])
        for row, end in zip(steps, ends, strict=True)
    ]
    for claim in over:
        view = [part for step in view for part in _without(step, claim)]
    return TimelineView(key, steps[0]["version"], window, tuple(view), bool(over))


def _without(step: Step, claim: Mapping[str, Any]) -> Iterator[Step]:
    """The step without what the claim takes; in parts, where the claim ends as another begins."""
    starts_at, ends_at = max(step.starts_at, claim["starts_at"]), min(step.ends_at, claim["ends_at"])
    if starts_at >= ends_at:
        yield step
        return
    taken = step.taken - claim["taken"]
    if step.starts_at < starts_at:
        yield step._replace(ends_at=starts_at)
    key = step.sharing_key if taken else None
    yield step._replace(starts_at=starts_at, ends_at=ends_at, taken=taken, sharing_key=key)
    if ends_at < step.ends_at:
        yield step._replace(starts_at=ends_at)
