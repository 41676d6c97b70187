"""Whether refusals and readings are explained by what was so at some moment between the question and its answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.history.dump import Claim, Dump, Item
from tests.history.records import UNREACHED, Attempt, Outcome
from tests.history.takes import OURSELVES, claims_of
from tests.history.timelines import ENDED, LATEST, State, Timeline
from tests.history.violations import Promise, Violation

CLOCK_SLACK = timedelta(milliseconds=1)
"""Two readings of one clock by two programs, rounded by each."""

BY_ROOM = frozenset({"SOLD_OUT", "CLOSED", "ACTIVITY_CONFLICT"})
BY_STATUS: Mapping[str, frozenset[str]] = {
    "HOLD_EXPIRED": frozenset({"EXPIRED"}),
    "INVALID_STATE": frozenset({"CONFIRMED", "CANCELLED"}),
    "NOT_CANCELLABLE": ENDED,
    "HOLD_LIMIT": frozenset({"ON_HOLD"}),
}


class _Status(NamedTuple):
    """A status of a booking, and from when until when it can have been seen."""

    status: str
    seen_from: datetime
    seen_until: datetime


def check_refusals(
    attempts: Iterable[Attempt], dump: Dump, timelines: Mapping[str, Timeline]
) -> tuple[list[Violation], int]:
    """Every refusal and every reading that nothing explains; and how many SOLD_OUT are explained."""
    statuses = _statuses(dump)
    violations: list[Violation] = []
    sold_outs = 0
    for attempt in attempts:
        if _is_explained(attempt, dump, timelines, statuses):
            sold_outs += attempt.code == "SOLD_OUT"
        else:
            told = f"{attempt.call} at {attempt.invoked_at} of {attempt.input}: {attempt.answer}"
            violations.append(Violation(Promise.UNJUSTIFIED, told))
    return violations, sold_outs


def _is_explained(
    attempt: Attempt,
    dump: Dump,
    timelines: Mapping[str, Timeline],
    statuses: Mapping[str, Sequence[_Status]],
) -> bool:
    since, until = attempt.invoked_at - CLOCK_SLACK, attempt.returned_at + CLOCK_SLACK
    if attempt.outcome is Outcome.OK:
        return "steps" not in attempt.answer or _was_so(attempt, timelines, since, until)
    if attempt.code in BY_ROOM:
        return _had_no_room(attempt, dump, timelines, since, until)
    if attempt.code == "CAPACITY_IN_USE":
        return _was_in_use(attempt, timelines, since, until)
    possible = BY_STATUS.get(attempt.code or "")
    if possible is not None:
        return any(
            its.status in possible and its.seen_from <= until and its.seen_until >= since
            for its in statuses.get(attempt.input["booking"], ())
        )
    return attempt.code == UNREACHED


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


def _had_no_room(
    attempt: Attempt, dump: Dump, timelines: Mapping[str, Timeline], since: datetime, until: datetime
) -> bool:
    items = [
        Item(
            OURSELVES, item["resource"], _at(item["startsAt"]), _at(item["endsAt"]), item["quantity"], item["activity"]
        )
        for item in attempt.input["items"]
    ]
    takes = claims_of(items, dump)
    said = attempt.code, attempt.answer.get("vacancies", 0)
    named = attempt.answer.get("resource")  # only SOLD_OUT names it; of CLOSED it may be any of them
    for resource_id in {take.resource_id for take in takes if named in (None, take.resource_id)}:
        of_it = [take for take in takes if take.resource_id == resource_id]
        timeline = timelines[resource_id]
        if any(refusal_of(of_it, timeline, version) == said for version in timeline.versions(since, until)):
            return True
    return False


def _was_in_use(attempt: Attempt, timelines: Mapping[str, Timeline], since: datetime, until: datetime) -> bool:
    timeline = timelines[attempt.input["resource"]]
    cells = timeline.cells(_at(attempt.input["startsAt"]), _at(attempt.input["endsAt"]))
    return any(
        state[cell].taken > attempt.input["capacity"] for state in _states(timeline, since, until) for cell in cells
    )


def _was_so(attempt: Attempt, timelines: Mapping[str, Timeline], since: datetime, until: datetime) -> bool:
    """A reading is of a version of its time, shows the capacity of that version, and hides nothing that was free.

    It may show more as free than is not taken: nobody is shown a hold that is over. It may show less of what requires
    other resources, and none of what is closed.
    """
    timeline, version = timelines[attempt.input["resource"]], attempt.answer["version"]
    if version not in timeline.versions(since, until):
        return False
    state = timeline.states[version]
    for step in attempt.answer["steps"]:
        cells = [state[cell] for cell in timeline.cells(_at(step["startsAt"]), _at(step["endsAt"]))]
        if step["capacity"] != min(cell.capacity for cell in cells):
            return False
        least = min(0 if cell.closed or cell.sharing_key else cell.capacity - cell.taken for cell in cells)
        if not (least if attempt.answer["is_alone"] else 0) <= step["vacancies"] <= step["capacity"]:
            return False
    return True


def _states(timeline: Timeline, since: datetime, until: datetime) -> Iterator[State]:
    for version in timeline.versions(since, until):
        yield timeline.states[version]


def _statuses(dump: Dump) -> dict[str, list[_Status]]:
    """By booking: which status it was in, and when that can have been seen."""
    published = {(hint.entity_id, hint.version): hint.published_at for hint in dump.outbox if hint.kind == "BOOKING"}
    statuses: dict[str, list[_Status]] = {}
    for event in dump.events:
        until = published.get((event.booking_id, event.version + 1)) or LATEST
        statuses.setdefault(event.booking_id, []).append(_Status(event.status, event.created_at, until))
    return statuses


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
