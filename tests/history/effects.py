"""Whether what was acknowledged is there, once, and nothing else is."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from tests.history.dump import Adjustment, Booking, Claim, Dump, Event, Item, Key
from tests.history.records import Attempt, Outcome
from tests.history.takes import claims_of_all
from tests.history.timelines import ENDED
from tests.history.violations import Promise, Violation

HOLD = "bookingHold"
EVENTS: Mapping[str, str] = {
    HOLD: "HELD",
    "bookingExtend": "EXTENDED",
    "bookingConfirm": "CONFIRMED",
    "bookingRelease": "RELEASED",
    "bookingCancel": "CANCELLED",
}
"""The event that each call about a booking makes."""

ADJUSTMENTS = frozenset({"capacitySet", "resourceClose", "resourceOpen"})
BY_ITSELF = "EXPIRED"

FOLLOWS = frozenset({
    ("ON_HOLD", "ON_HOLD"), ("ON_HOLD", "CONFIRMED"), ("ON_HOLD", "EXPIRED"), ("ON_HOLD", "CANCELLED"),
    ("CONFIRMED", "CANCELLED"),
})  # fmt: skip
"""What of the states is reached in a run: a confirmed booking, above all, never expires."""


def check_effects(attempts: Iterable[Attempt], dump: Dump, settled_at: datetime | None) -> list[Violation]:
    """What is lost, contradicted, done twice or done unasked."""
    by_key: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.key is not None:
            by_key[attempt.key].append(attempt)
    there = _There(dump)
    violations: list[Violation] = []
    for key, its in by_key.items():
        violations += _check_key(key, its, there, settled_at)
    violations += _check_unasked(by_key, there)
    for booking in dump.bookings:
        violations += _check_booking(booking, there)
    return violations


class _There:
    """The tables, by what is looked for."""

    def __init__(self, dump: Dump) -> None:
        self.keys = {key.key: key for key in dump.keys}
        self.bookings = {booking.id: booking for booking in dump.bookings}
        self.adjustments = {(each.resource_id, each.version): each for each in dump.adjustments}
        self.events: defaultdict[str, list[Event]] = defaultdict(list)
        for event in sorted(dump.events, key=lambda event: event.version):
            self.events[event.booking_id].append(event)
        self.items: defaultdict[str, list[Item]] = defaultdict(list)
        for item in dump.items:
            self.items[item.booking_id].append(item)
        self.claims: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in dump.claims:
            self.claims[claim.booking_id].append(claim)
        self.derived = claims_of_all(dump)
        self.versions: defaultdict[str, list[int]] = defaultdict(list)
        for hint in dump.outbox:
            if hint.kind == "BOOKING":
                self.versions[hint.entity_id].append(hint.version)


def _check_key(
    key: str, attempts: Sequence[Attempt], there: _There, settled_at: datetime | None
) -> Iterator[Violation]:
    """All attempts of one key: one effect if any was acknowledged, none if all were refused."""
    row = there.keys.get(key)
    call, where = attempts[0].call, f"{attempts[0].call} with key {key}"
    done = [attempt for attempt in attempts if attempt.outcome is Outcome.OK]
    if done and row is None:
        yield Violation(Promise.LOST, f"{where}, acknowledged at {done[0].returned_at}: {done[0].answer}")
    elif done and row is not None:
        for attempt in done:
            yield from _check_answer(where, attempt, row, there)
    elif is_refused(attempts, settled_at):
        if row is not None:
            yield Violation(Promise.CONTRADICTED, f"{where} was refused, and is there")
    else:
        yield Violation(Promise.UNRESOLVED, where)
    if call in EVENTS and len({attempt.answer["booking"] for attempt in done}) > 1:
        yield Violation(Promise.TWICE, f"{where} was answered with several bookings")


def is_refused(attempts: Sequence[Attempt], settled_at: datetime | None) -> bool:
    """Whether it is certain that nothing was done: every attempt was refused, or the last one, when no other could
    still be on its way."""
    if all(attempt.outcome is Outcome.FAIL for attempt in attempts):
        return True
    last = max(attempts, key=lambda attempt: attempt.invoked_at)
    return last.outcome is Outcome.FAIL and settled_at is not None and last.invoked_at >= settled_at


def _check_answer(where: str, attempt: Attempt, row: Key, there: _There) -> Iterator[Violation]:
    """One acknowledgement, against the key's row and what that leads to."""
    if attempt.call in ADJUSTMENTS:
        made = there.adjustments.get((row.resource_id or "", row.version or 0))
        if made is None:
            yield Violation(Promise.LOST, f"{where}: no adjustment of version {row.version}")
        elif not _is_as_asked(made, attempt) or attempt.answer["version"] < made.version:
            yield Violation(Promise.CONTRADICTED, f"{where}: {attempt.input}, {attempt.answer}, and there is {made}")
        return
    booking_id, version = attempt.answer["booking"], attempt.answer["version"]
    events = there.events[booking_id]
    if booking_id != row.booking_id:
        yield Violation(Promise.TWICE, f"{where} was answered with booking {booking_id}, and made {row.booking_id}")
    elif booking_id not in there.bookings or len(events) < version:
        yield Violation(Promise.LOST, f"{where}: booking {booking_id} was at version {version}")
    elif events[version - 1].status != attempt.answer["status"]:
        told = attempt.answer["status"]
        yield Violation(Promise.CONTRADICTED, f"{where}: told {told}, and there is {events[version - 1]}")
    elif all(event.kind != EVENTS[attempt.call] for event in events[:version]):
        yield Violation(Promise.LOST, f"{where}: no {EVENTS[attempt.call]} up to version {version} of {booking_id}")
    elif attempt.call == HOLD and _asked(attempt) != Counter(_plain(item) for item in there.items[booking_id]):
        yield Violation(Promise.CONTRADICTED, f"{where}: {attempt.input}, and there is {there.items[booking_id]}")


def _check_unasked(by_key: Mapping[str, Sequence[Attempt]], there: _There) -> Iterator[Violation]:
    """As many events of each kind as keys that made one, and every booking and adjustment by one key."""
    asked: Counter[tuple[str | None, str]] = Counter()
    adjusted: Counter[tuple[str | None, int | None]] = Counter()
    for key, row in there.keys.items():
        if key not in by_key:
            yield Violation(Promise.UNASKED, f"key {key}")
        elif by_key[key][0].call in EVENTS:
            asked[row.booking_id, EVENTS[by_key[key][0].call]] += 1
        else:
            adjusted[row.resource_id, row.version] += 1
    made: Counter[tuple[str | None, str]] = Counter(
        (booking_id, event.kind) for booking_id, its in there.events.items() for event in its if event.kind != BY_ITSELF
    )
    for (of, kind), count in (made - asked).items():
        yield Violation(Promise.TWICE, f"booking {of}: {count} {kind} more than keys that made one")
    for (of, kind), count in (asked - made).items():
        yield Violation(Promise.LOST, f"booking {of}: {count} {kind} less than keys that made one")
    there_are: Counter[tuple[str | None, int | None]] = Counter(there.adjustments.keys())
    for place, count in (there_are - adjusted).items():
        yield Violation(Promise.TWICE, f"adjustment {place}: {count} more than keys that made one")


def _check_booking(booking: Booking, there: _There) -> Iterator[Violation]:
    """Its versions without gaps, each following from the one before, and its claims as long as it is live."""
    events = there.events[booking.id]
    expected = list(range(1, booking.version + 1))
    where = f"booking {booking.id}"
    if [event.version for event in events] != expected or sorted(there.versions[booking.id]) != expected:
        yield Violation(Promise.GAP, f"{where} is at {booking.version}, with {events}")
        return
    statuses = ["ON_HOLD", *(event.status for event in events)]
    if statuses[-1] != booking.status or any(step not in FOLLOWS for step in pairwise(statuses)):
        yield Violation(Promise.CONTRADICTED, f"{where} is {booking.status} after {statuses[1:]}")
    claimed = Counter() if booking.status in ENDED else Counter(there.derived[booking.id])
    if Counter(there.claims[booking.id]) != claimed:
        yield Violation(Promise.DRIFTED, f"{where}, {booking.status}, claims {there.claims[booking.id]}")


def _asked(attempt: Attempt) -> Counter[tuple[object, ...]]:
    return Counter(
        (
            item["resource"],
            datetime.fromisoformat(item["startsAt"]),
            datetime.fromisoformat(item["endsAt"]),
            item["quantity"],
            item["activity"],
        )
        for item in attempt.input["items"]
    )


def _plain(item: Item) -> tuple[object, ...]:
    return item.resource_id, item.starts_at, item.ends_at, item.quantity, item.activity


def _is_as_asked(made: Adjustment, attempt: Attempt) -> bool:
    closed = {"resourceClose": True, "resourceOpen": False}.get(attempt.call)
    asked = (
        attempt.input["resource"],
        datetime.fromisoformat(attempt.input["startsAt"]),
        datetime.fromisoformat(attempt.input["endsAt"]),
        attempt.input.get("capacity"),
        closed,
    )
    return asked == (made.resource_id, made.starts_at, made.ends_at, made.capacity, made.closed)
