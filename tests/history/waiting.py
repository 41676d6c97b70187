"""Who waits, and what is offered to them: each offer a hold of all that is waited for, and none beside another."""

from collections.abc import Iterator
from itertools import pairwise

from tests.history.dump import Entry, EntryEvent, Event, Key
from tests.history.records import Attempt
from tests.history.there import There
from tests.history.violations import Promise, Violation
from tests.history.wanted import asked_for, wanted_by

JOIN, LEAVE = "waitlistJoin", "waitlistLeave"
READ = "waitlistEntry"
CALLS = frozenset({JOIN, LEAVE})
OFFERER = "waitlist"
"""The actor of offers."""

FOLLOWS = frozenset({
    ("WAITING", "WAITING"), ("WAITING", "OFFERED"), ("WAITING", "LEFT"),
    ("OFFERED", "ACCEPTED"), ("OFFERED", "WAITING"), ("OFFERED", "EXPIRED"), ("OFFERED", "LEFT"),
})  # fmt: skip
"""What of the states is reached in a run: nothing lapses, since nothing begins."""

SETTLES = {
    "CONFIRMED": frozenset({"ACCEPTED"}),
    "PENDING": frozenset({"ACCEPTED"}),
    "CANCELLED": frozenset({"LEFT"}),
    "EXPIRED": frozenset({"WAITING", "EXPIRED"}),
    None: frozenset({None}),
}
"""What becomes of an entry when the booking of its offer is held no more, by what that has become."""


def check_answer(where: str, attempt: Attempt, row: Key, there: There) -> Iterator[Violation]:
    """One acknowledgement of joining or leaving."""
    entry_id, version = attempt.answer["entry"], attempt.answer["version"]
    entry, events = there.entries.get(entry_id), there.entry_events[entry_id]
    if entry_id != row.entry_id:
        yield Violation(Promise.TWICE, f"{where} was answered with entry {entry_id}, and is of {row.entry_id}")
    elif entry is None or len(events) < version:
        yield Violation(Promise.LOST, f"{where}: entry {entry_id} was at version {version}")
    elif events[version - 1].status != attempt.answer["status"]:
        yield Violation(Promise.CONTRADICTED, f"{where}: {attempt.answer}, and there is {events[version - 1]}")
    elif attempt.call == LEAVE and attempt.answer["status"] != "LEFT":
        yield Violation(Promise.CONTRADICTED, f"{where}: {attempt.answer}")
    elif attempt.call == JOIN and asked_for(attempt.input) != wanted_by(entry):
        yield Violation(Promise.CONTRADICTED, f"{where}: {attempt.input}, and there is {entry}")


def is_of_an_offer(key: str, there: There) -> bool:
    """Whether it is the key of an offer to an entry that there is: `waitlist <entry> <the how manyth>`."""
    return key.startswith("waitlist ") and key.split()[1] in there.entries


def is_of_an_entry(booking_id: str, event: Event, there: There) -> bool:
    """Whether an offered booking was given back without being asked about itself: by who had offered it, because the
    entry did not wait any more; or since the entry was left, which is done as the entry's guest.
    """
    if event.kind != "RELEASED":
        return False
    _, _, entry_id = event.actor.partition(":")
    return event.actor == OFFERER or any(
        each.status == "OFFERED" and each.booking_id == booking_id for each in there.entry_events.get(entry_id, ())
    )


def made(call: str, row: Key) -> list[tuple[str | None, str]]:
    """What a key has made: an entry. Whether one was left, its history tells."""
    return [(row.entry_id, JOIN)] if call == JOIN else []


def check_entry(entry: Entry, there: There) -> Iterator[Violation]:
    """Its versions without gaps, each following from the one before, and every offer a hold of its own."""
    events = there.entry_events[entry.id]
    where, expected = f"entry {entry.id}", list(range(1, entry.version + 1))
    if [each.version for each in events] != expected or sorted(there.versions["WAITLIST", entry.id]) != expected:
        yield Violation(Promise.GAP, f"{where} is at {entry.version}, with {events}")
        return
    statuses = ["WAITING", *(each.status for each in events)]
    if statuses[-1] != entry.status or any(step not in FOLLOWS for step in pairwise(statuses)):
        yield Violation(Promise.CONTRADICTED, f"{where} is {entry.status} after {statuses[1:]}")
    offers = [each for each in events if each.status == "OFFERED"]
    if len({each.booking_id for each in offers}) != entry.offers or len(offers) != entry.offers:
        yield Violation(Promise.TWICE, f"{where} has had {entry.offers} offers, with {offers}")
    yield from _check_others(entry, {each.booking_id for each in offers}, there)
    for each, following in zip(events, [*events[1:], None], strict=True):
        if each.status == "OFFERED":
            yield from _check_offer(f"{where}, version {each.version}", entry, each, following, there)


def _check_others(entry: Entry, offered: set[str | None], there: There) -> Iterator[Violation]:
    """What was held for the entry and never offered to it was given back at once."""
    for key, row in there.keys.items():
        if key.startswith(f"waitlist {entry.id} ") and row.booking_id not in offered:
            events = there.events[row.booking_id or ""]
            if [event.status for event in events] != ["ON_HOLD", "CANCELLED"]:
                yield Violation(Promise.TWICE, f"entry {entry.id}: {row.booking_id} beside its offer, with {events}")


def _check_offer(
    where: str, entry: Entry, offer: EntryEvent, following: EntryEvent | None, there: There
) -> Iterator[Violation]:
    """A booking on hold, of all that is waited for; and what becomes of one becomes of the other."""
    booking_id = offer.booking_id or ""
    events = there.events[booking_id]
    if not events or events[0].status != "ON_HOLD":
        yield Violation(Promise.LOST, f"{where}: what is offered is no hold, {events}")
        return
    items = [wanted_by(item) for item in there.items[booking_id]]
    if items != [wanted_by(entry)]:
        yield Violation(Promise.CONTRADICTED, f"{where}: offered {items}, and waited for {wanted_by(entry)}")
    after = next((event.status for event in events if event.status != "ON_HOLD"), None)
    if (None if following is None else following.status) not in SETTLES.get(after, frozenset()):
        yield Violation(Promise.CONTRADICTED, f"{where}: its booking became {after}, and it {following}")
