"""The timeline of every resource at every version, put together again from bookings, adjustments and the outbox.

Every change of a resource has an outbox row with its version and its interval. An adjustment names its version itself.
What a resource requires is written before anything is booked, with no end, and leaves the timeline alone. Every other
row is a claim that came when its booking was held, or went when it ended. Writers of a resource come one
after the other, so a row is explained by the earliest event with that interval that no row before has taken. (Several
bookings held in one commit may be exchanged so, if their intervals are the same: all of them only add, nobody sees a
state between them, and the one after the last of them is the same.)
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from tests.history.dump import Adjustment, Claim, Dump, Event, Hint, Resource
from tests.history.takes import claims_of_all
from tests.history.violations import Promise, Violation

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
ENDED = frozenset({"EXPIRED", "CANCELLED", "REJECTED"})


class Cell(NamedTuple):
    """What is true of a resource over an interval in which nothing changes in the whole run."""

    capacity: int
    taken: int = 0
    closed: bool = False
    sharing_key: str | None = None


State = tuple[Cell, ...]


@dataclass(slots=True)
class Timeline:
    """A resource's states, the n-th as of version n; cell m reaches from `bounds[m]` to the next.

    Version n can have been seen from `seen_from[n]`, when it was written, until `seen_until[n]`, by when the next one
    had been seen.
    """

    resource: Resource
    bounds: list[datetime]
    states: list[State]
    seen_from: list[datetime] = field(default_factory=list)
    seen_until: list[datetime] = field(default_factory=list)

    def cells(self, starts_at: datetime, ends_at: datetime | None) -> range:
        """The cells that the interval touches; no end: all from its start."""
        last = len(self.bounds) if ends_at is None else bisect_left(self.bounds, ends_at)
        return range(bisect_right(self.bounds, starts_at) - 1, last)

    def versions(self, since: datetime, until: datetime) -> range:
        """The versions that somebody may have seen who looked at some time between the two."""
        return range(bisect_left(self.seen_until, since), bisect_right(self.seen_from, until))


class _Change(NamedTuple):
    """A claim that comes (+1) or goes (-1) with an event of its booking."""

    at: datetime
    sign: int
    claim: Claim


def timelines(dump: Dump) -> tuple[dict[str, Timeline], list[Violation]]:
    """The timeline of each resource, by its id, and all that is wrong with any of its versions."""
    changes = _changes(dump)
    adjustments: defaultdict[str, dict[int, Adjustment]] = defaultdict(dict)
    for adjustment in dump.adjustments:
        adjustments[adjustment.resource_id][adjustment.version] = adjustment
    outbox: defaultdict[str, list[Hint]] = defaultdict(list)
    for hint in sorted(dump.outbox, key=lambda hint: hint.version):
        if hint.kind == "RESOURCE":
            outbox[hint.entity_id].append(hint)
    found: dict[str, Timeline] = {}
    violations: list[Violation] = []
    for resource in dump.resources:
        replay = _Replay(resource, changes[resource.id], adjustments[resource.id], outbox[resource.id])
        violations += replay.run()
        found[resource.id] = replay.timeline
    return found, violations


def _changes(dump: Dump) -> Mapping[str, list[_Change]]:
    """By resource: when claims came and went, in the order of their bookings' events."""
    first: dict[tuple[str, bool], Event] = {}
    for each in sorted(dump.events, key=lambda event: event.version):
        first.setdefault((each.booking_id, each.status in ENDED), each)
    changes: defaultdict[str, list[_Change]] = defaultdict(list)
    for booking_id, claims in claims_of_all(dump).items():
        for has_ended, sign in ((False, 1), (True, -1)):
            event = first.get((booking_id, has_ended))
            if event is not None:
                for claim in claims:
                    changes[claim.resource_id].append(_Change(event.created_at, sign, claim))
    for its in changes.values():
        its.sort(key=lambda change: change.at)
    return changes


def refusal_of(takes: Sequence[Claim], timeline: Timeline, version: int) -> tuple[str, int] | None:
    """What the ledger says at this version to somebody who would take this of the resource; None: it fits."""
    state = timeline.states[version]
    cells = [
        (state[cell], [take for take in takes if cell in timeline.cells(take.starts_at, take.ends_at)])
        for take in takes
        for cell in timeline.cells(take.starts_at, take.ends_at)
    ]
    in_use = [
        len({take.sharing_key for take in there}) > 1 or (cell.taken > 0 and cell.sharing_key != there[0].sharing_key)
        for cell, there in cells
    ]
    free = [0 if used else cell.capacity - cell.taken for (cell, _), used in zip(cells, in_use, strict=True)]
    if any(cell.closed for cell, _ in cells):
        return "CLOSED", 0
    if any(in_use) and timeline.resource.sharing == "SAME_ACTIVITY":
        return "ACTIVITY_CONFLICT", 0
    wanted = (sum(take.quantity for take in there) for _, there in cells)
    if any(in_use) or any(quantity > left for quantity, left in zip(wanted, free, strict=True)):
        return "SOLD_OUT", max(0, min(free))
    return None


class _Replay:
    """One resource, version by version."""

    def __init__(
        self,
        resource: Resource,
        changes: Sequence[_Change],
        adjustments: Mapping[int, Adjustment],
        rows: Sequence[Hint],
    ) -> None:
        bounds = {EARLIEST}
        for change in changes:
            bounds |= {change.claim.starts_at, change.claim.ends_at}
        for adjustment in adjustments.values():
            bounds |= {adjustment.starts_at, adjustment.ends_at or adjustment.starts_at}
        cell = Cell(resource.capacity)
        self.timeline = Timeline(resource, sorted(bounds), [(cell,) * len(bounds)])
        self._adjustments = adjustments
        self._rows = rows
        self._pending: defaultdict[tuple[datetime, datetime], deque[_Change]] = defaultdict(deque)
        for change in changes:
            self._pending[change.claim.starts_at, change.claim.ends_at].append(change)

    def run(self) -> Iterator[Violation]:
        """Make each version out of the one before; what is wrong with it."""
        versions = [row.version for row in self._rows]
        name = f"resource {self.timeline.resource.id}"
        if versions != list(range(1, self.timeline.resource.version + 1)):
            yield Violation(Promise.GAP, f"{name} is at {self.timeline.resource.version}, its outbox has {versions}")
        for row in self._rows:
            yield from self._next(f"{name}, version {row.version}", row)
        left = [change for pending in self._pending.values() for change in pending]
        for change in left:
            yield Violation(Promise.DRIFTED, f"{name} has no version for booking {change.claim.booking_id}")
        unused = self._adjustments.keys() - set(versions)
        if unused:
            yield Violation(Promise.GAP, f"{name} has adjustments of versions {sorted(unused)}, and its outbox has not")
        self._time()

    def _next(self, name: str, row: Hint) -> Iterator[Violation]:
        state = list(self.timeline.states[-1])
        adjustment = self._adjustments.get(row.version)
        change = None if adjustment is not None else self._explanation(row)
        if adjustment is not None:
            for n in self.timeline.cells(adjustment.starts_at, adjustment.ends_at):
                state[n] = _adjusted(state[n], adjustment)
        elif change is not None:
            for n in self.timeline.cells(change.claim.starts_at, change.claim.ends_at):
                if change.sign > 0 and state[n].taken and state[n].sharing_key != change.claim.sharing_key:
                    yield Violation(Promise.SHARED, f"{name}: booking {change.claim.booking_id}")
                state[n] = _changed(state[n], change)
        elif row.ends_at is not None or any(before != self.timeline.states[0] for before in self.timeline.states):
            yield Violation(Promise.DRIFTED, f"{name}: no event of a booking explains it")
        for position, cell in enumerate(state):
            if not 0 <= cell.taken <= cell.capacity:
                at = self.timeline.bounds[position]
                yield Violation(Promise.OVERSOLD, f"{name}: {cell.taken} of {cell.capacity} taken at {at}")
        self.timeline.states.append(tuple(state))

    def _explanation(self, row: Hint) -> _Change | None:
        pending = self._pending.get((row.starts_at or EARLIEST, row.ends_at or LATEST))
        if not pending or pending[0].at > row.created_at:
            return None
        return pending.popleft()

    def _time(self) -> None:
        """When each version can have been seen: from its writing, until somebody had seen the next."""
        self.timeline.seen_from = [EARLIEST, *(row.created_at for row in self._rows)]
        seen_by = LATEST
        until = [LATEST]
        for row in reversed(self._rows):
            seen_by = min(seen_by, row.published_at or LATEST)
            until.append(seen_by)
        self.timeline.seen_until = until[::-1]


def _adjusted(cell: Cell, adjustment: Adjustment) -> Cell:
    if adjustment.capacity is not None:
        return cell._replace(capacity=adjustment.capacity)
    return cell._replace(closed=bool(adjustment.closed))


def _changed(cell: Cell, change: _Change) -> Cell:
    taken = cell.taken + change.sign * change.claim.quantity
    return cell._replace(taken=taken, sharing_key=change.claim.sharing_key if taken else None)
