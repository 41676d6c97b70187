"""Whether what was acknowledged is there, once, and nothing else is."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from tests.history import several, waiting
from tests.history.dump import Adjustment, Booking, Dump, Key
from tests.history.records import Attempt, Outcome
from tests.history.there import There
from tests.history.timelines import ENDED
from tests.history.told import check_told, kind_of
from tests.history.violations import Promise, Violation
from tests.history.wanted import asked_for, wanted_by

HOLD = "bookingHold"
EVENTS: Mapping[str, str] = {
    HOLD: "HELD",
    "bookingExtend": "EXTENDED",
    "bookingConfirm": "CONFIRMED",
    "bookingRelease": "RELEASED",
    "bookingCancel": "CANCELLED",
    "bookingApprove": "APPROVED",
    "bookingReject": "REJECTED",
}
"""The event that each call about a booking makes; where the venue approves, SUBMITTED instead of CONFIRMED."""

ADJUSTMENTS = frozenset({"capacitySet", "resourceClose", "resourceOpen"})
BY_ITSELF = "EXPIRED"

_Effect = tuple[str | None, str | int | None]

FOLLOWS = frozenset({
    ("ON_HOLD", "ON_HOLD"), ("ON_HOLD", "CONFIRMED"), ("ON_HOLD", "EXPIRED"), ("ON_HOLD", "CANCELLED"),
    ("CONFIRMED", "CANCELLED"), ("ON_HOLD", "PENDING"), ("PENDING", "CONFIRMED"), ("PENDING", "REJECTED"),
    ("PENDING", "CANCELLED"),
})  # fmt: skip
"""What of the states is reached in a run: a confirmed booking, above all, never expires."""


def check_effects(attempts: Iterable[Attempt], dump: Dump, settled_at: datetime | None) -> list[Violation]:
    """What is lost, contradicted, done twice or done unasked."""
    by_key: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.key is not None:
            by_key[attempt.key].append(attempt)
    there = There(dump)
    violations: list[Violation] = []
    for key, its in by_key.items():
        violations += _check_key(key, its, there, settled_at)
    violations += _check_unasked(by_key, there)
    for booking in dump.bookings:
        violations += _check_booking(booking, there)
    for entry in dump.entries:
        violations += waiting.check_entry(entry, there)
    return violations


def _check_key(key: str, attempts: Sequence[Attempt], there: There, settled_at: datetime | None) -> Iterator[Violation]:
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


def _check_answer(where: str, attempt: Attempt, row: Key, there: There) -> Iterator[Violation]:
    """One acknowledgement, against the key's row and what that leads to."""
    if attempt.call in several.CALLS:
        yield from several.check_answer(where, attempt, row, there)
        return
    if attempt.call in waiting.CALLS:
        yield from waiting.check_answer(where, attempt, row, there)
        return
    if attempt.call in ADJUSTMENTS:
        made = there.adjustments.get((row.resource_id or "", row.version or 0))
        if made is None:
            yield Violation(Promise.LOST, f"{where}: no adjustment of version {row.version}")
        elif not _is_as_asked(made, attempt) or attempt.answer["version"] < made.version:
            yield Violation(Promise.CONTRADICTED, f"{where}: {attempt.input}, {attempt.answer}, and there is {made}")
        return
    booking_id = attempt.answer["booking"]
    if booking_id != row.booking_id:
        yield Violation(Promise.TWICE, f"{where} was answered with booking {booking_id}, and made {row.booking_id}")
        return
    yield from check_told(where, attempt.answer, EVENTS[attempt.call], there)
    if attempt.call != HOLD:
        return
    if Counter(map(asked_for, attempt.input["items"])) != Counter(map(wanted_by, there.items[booking_id])):
        yield Violation(Promise.CONTRADICTED, f"{where}: {attempt.input}, and there is {there.items[booking_id]}")


def _check_unasked(by_key: Mapping[str, Sequence[Attempt]], there: There) -> Iterator[Violation]:
    """As many events of each kind as keys that made one, and every booking, adjustment and entry by one key."""
    asked: Counter[_Effect] = Counter()
    for key, row in there.keys.items():
        call = by_key[key][0].call if key in by_key else None
        if several.is_of_a_date(key, by_key, there) or waiting.is_of_an_offer(key, there):
            asked[row.booking_id, EVENTS[HOLD]] += 1
        elif call is None:
            yield Violation(Promise.UNASKED, f"key {key!r}")
        else:
            asked.update(_effects(call, row, there))
    made: Counter[_Effect] = Counter(
        (booking_id, event.kind)
        for booking_id, its in there.events.items()
        for event in its
        if event.kind != BY_ITSELF and not waiting.is_of_an_entry(booking_id, event, there)
    )
    made.update(there.adjustments.keys())
    made.update((entry_id, waiting.JOIN) for entry_id in there.entries)
    for (of, what), count in (made - asked).items():
        yield Violation(Promise.TWICE, f"{of}: {count} {what} more than keys that made one")
    for (of, what), count in (asked - made).items():
        yield Violation(Promise.LOST, f"{of}: {count} {what} less than keys that made one")


def _effects(call: str, row: Key, there: There) -> Counter[_Effect]:
    """What a key has made: events of bookings by their kind, the version of an adjustment, an entry."""
    if call in EVENTS:
        return Counter([(row.booking_id, kind_of(EVENTS[call], row.booking_id, there))])
    if call in several.CALLS:
        return Counter(several.changed(call, row, there))
    if call in waiting.CALLS:
        return Counter(waiting.made(call, row))
    return Counter([(row.resource_id, row.version)])


def _check_booking(booking: Booking, there: There) -> Iterator[Violation]:
    """Its versions without gaps, each following from the one before, and its claims as long as it is live."""
    events = there.events[booking.id]
    expected = list(range(1, booking.version + 1))
    where = f"booking {booking.id}"
    if [event.version for event in events] != expected or sorted(there.versions["BOOKING", booking.id]) != expected:
        yield Violation(Promise.GAP, f"{where} is at {booking.version}, with {events}")
        return
    statuses = ["ON_HOLD", *(event.status for event in events)]
    if statuses[-1] != booking.status or any(step not in FOLLOWS for step in pairwise(statuses)):
        yield Violation(Promise.CONTRADICTED, f"{where} is {booking.status} after {statuses[1:]}")
    claimed = Counter() if booking.status in ENDED else Counter(there.derived[booking.id])
    if Counter(there.claims[booking.id]) != claimed:
        yield Violation(Promise.DRIFTED, f"{where}, {booking.status}, claims {there.claims[booking.id]}")


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
