"""Whether refusals and readings are explained by what was so at some moment between the question and its answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tests.history.dump import Dump, EntryEvent, Event, Item
from tests.history.members import had_too_few
from tests.history.records import CLOCK_SLACK, UNREACHED, Attempt, Outcome
from tests.history.several import each_alone
from tests.history.takes import OURSELVES, claims_of
from tests.history.timelines import ENDED, LATEST, State, Timeline, refusal_of
from tests.history.violations import Promise, Violation
from tests.history.waiting import READ
from tests.history.wanted import asked_for

BY_ROOM = frozenset({"SOLD_OUT", "CLOSED", "ACTIVITY_CONFLICT"})
BY_STATUS: Mapping[str, frozenset[str]] = {
    "HOLD_EXPIRED": frozenset({"EXPIRED"}),
    "INVALID_STATE": frozenset({"CONFIRMED", "PENDING", "CANCELLED", "REJECTED"}),
    "NOT_CANCELLABLE": ENDED,
    "HOLD_LIMIT": frozenset({"ON_HOLD"}),
}
NOT_PENDING = frozenset({"ON_HOLD", "CONFIRMED", *ENDED})
NOT_TO_BE_LEFT = frozenset({"ACCEPTED", "EXPIRED"})
INVALID_STATE: Mapping[str, frozenset[str]] = {
    "bookingApprove": NOT_PENDING,
    "bookingReject": NOT_PENDING,
    "waitlistLeave": NOT_TO_BE_LEFT,
}
"""Of which statuses INVALID_STATE tells, where it is not of those above."""


class _Status(NamedTuple):
    """A status of a booking or an entry, and from when until when it can have been seen."""

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
    made = list(attempts)
    first: dict[str, datetime] = {}
    for attempt in made:
        if attempt.key is not None:
            first[attempt.key] = min(attempt.invoked_at, first.get(attempt.key, attempt.invoked_at))
    answered = (attempt for attempt in made if attempt.outcome is not Outcome.UNKNOWN)
    for attempt in each_alone(answered, {row.key: row for row in dump.keys}, first):
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
        if attempt.call == READ:
            return _was_in(frozenset({attempt.answer["status"]}), attempt.input["entry"], statuses, since, until)
        return "steps" not in attempt.answer or _was_so(attempt, timelines, since, until)
    if attempt.code in BY_ROOM:
        return _had_no_room(attempt, dump, timelines, since, until) or had_too_few(
            attempt, dump, timelines, since, until
        )
    if attempt.code == "CAPACITY_IN_USE":
        return _was_in_use(attempt, timelines, since, until)
    possible = BY_STATUS.get(attempt.code or "")
    if attempt.code == "INVALID_STATE":
        possible = INVALID_STATE.get(attempt.call, possible)
    if possible is not None:
        about = attempt.input.get("booking") or attempt.input["entry"]
        return _was_in(possible, about, statuses, since, until)
    return attempt.code == UNREACHED


def _was_in(
    possible: frozenset[str], id: str, statuses: Mapping[str, Sequence[_Status]], since: datetime, until: datetime
) -> bool:
    """Whether the booking or entry can have been seen in one of these statuses."""
    return any(
        its.status in possible and its.seen_from <= until and its.seen_until >= since for its in statuses.get(id, ())
    )


def _had_no_room(
    attempt: Attempt, dump: Dump, timelines: Mapping[str, Timeline], since: datetime, until: datetime
) -> bool:
    takes = claims_of([Item(OURSELVES, *asked_for(item)) for item in attempt.input["items"]], dump)
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
    return version in timeline.versions(since, until) and _shows(attempt, timeline, timeline.states[version])


def _shows(attempt: Attempt, timeline: Timeline, state: State) -> bool:
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
    """By booking and by entry: which status it was in, and when that can have been seen."""
    published = {(hint.entity_id, hint.version): hint.published_at for hint in dump.outbox if hint.kind != "RESOURCE"}
    statuses: dict[str, list[_Status]] = {}
    versions: list[tuple[str, Event | EntryEvent]] = [(event.booking_id, event) for event in dump.events] + [
        (each.entry_id, each) for each in dump.entry_events
    ]
    for id_, event in versions:
        until = published.get((id_, event.version + 1)) or LATEST
        statuses.setdefault(id_, []).append(_Status(event.status, event.created_at, until))
    return statuses


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
