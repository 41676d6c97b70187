"""A longer true history, to be bent by tests: approval, any k of these, a series, and somebody who waits."""

from dataclasses import replace
from typing import Any

from tests.history.dump import Choice, Entry, EntryEvent, Hint, Key
from tests.history.records import Json, Outcome
from tests.history.several import HOLD_ALL, dates_of
from tests.history.tales import DAY, Tale, after, item
from tests.history.waiting import JOIN, LEAVE, READ
from tests.history.wanted import asked_for


class Saga(Tale):
    """A tale of what is about several bookings, or about none yet."""

    def holds_all(self, at: float, name: str, *codes: str | None, **asked: Any) -> None:
        """A series that is held, of a date for each code; None: it is booked, under the series' name and a number."""
        input = {**item("hall"), **asked, "count": len(codes), "mode": "SKIP_CONFLICTS" if any(codes) else "ALL"}
        outcomes: list[Json] = []
        for number, (date, code) in enumerate(zip(dates_of(input), codes, strict=True)):
            booking = f"{name}{number}"
            if code is None:
                self.holds(at, booking, date, key=f"series {name}\n{number}")
                outcomes.append({"booking": booking, "status": "ON_HOLD", "version": 1, "code": None})
            else:
                outcomes.append({"booking": None, "code": code, "vacancies": 0})
        self._remembers(at, HOLD_ALL, f"k{name}", input, outcomes, series=name)

    def does_to_all(self, at: float, name: str, call: str, status: str, *codes: str | None) -> None:
        """All bookings of a series are changed, but for those that refuse."""
        outcomes: list[Json] = []
        for number, code in enumerate(codes):
            booking = f"{name}{number}"
            if code is None:
                self.changes(at, booking, {"seriesConfirm": "CONFIRMED", "seriesRelease": "RELEASED"}[call], status)
            found = next(each for each in self.dump.bookings if each.id == booking)
            told = {"booking": booking, "status": found.status, "version": found.version, "code": code}
            outcomes.append(told)
        bookings = [one["booking"] for one in outcomes]
        self._remembers(at, call, f"k{name}-{call}", {"series": name, "bookings": bookings}, outcomes)

    def joins(self, at: float, entry: str, asked: Json) -> None:
        """Somebody waits."""
        self.dump.entries.append(Entry(entry, *asked_for(asked), "WAITING", 0, 0))
        self.becomes(at, entry, "WAITING")
        self.dump.keys.append(Key(f"k{entry}", after(at), entry_id=entry))
        self.says(at, JOIN, f"k{entry}", asked, Outcome.OK, entry=entry, status="WAITING", version=1)

    def offers(self, at: float, entry: str, booking: str) -> None:
        """What is waited for is held, and offered."""
        found = next(each for each in self.dump.entries if each.id == entry)
        times = {"startsAt": found.starts_at.isoformat(), "endsAt": found.ends_at.isoformat()}
        asked = {**item(found.resource_id, quantity=found.quantity, activity=found.activity), **times}
        number = found.offers + 1
        self.holds(at, booking, asked, key=f"waitlist {entry} {number}")
        self.dump.entries[self.dump.entries.index(found)] = replace(found, offers=number)
        self.becomes(at, entry, "OFFERED", booking)

    def leaves(self, at: float, entry: str, version: int) -> None:
        """Somebody waits no more, and is told so."""
        key = f"k{entry}-leave-{at}"
        self.dump.keys.append(Key(key, after(at), entry_id=entry))
        self.says(at, LEAVE, key, {"entry": entry}, Outcome.OK, entry=entry, status="LEFT", version=version)

    def becomes(self, at: float, entry: str, status: str, booking: str | None = None) -> None:
        """An entry gets another version."""
        found = next(each for each in self.dump.entries if each.id == entry)
        version = found.version + 1
        changed = replace(found, status=status, version=version, booking_id=booking)
        self.dump.entries[self.dump.entries.index(found)] = changed
        self.dump.entry_events.append(EntryEvent(entry, version, status, after(at), booking))
        self.dump.outbox.append(Hint("WAITLIST", entry, version, after(at), after(at + 0.2)))

    def looks(self, at: float, entry: str, status: str, version: int) -> None:
        """Somebody asks how it stands with their entry."""
        self.says(at, READ, None, {"entry": entry}, Outcome.OK, entry=entry, status=status, version=version)

    def _remembers(self, at: float, call: str, key: str, input: Json, outcomes: list[Json], **more: Any) -> None:
        answers = tuple((one["booking"], one["code"]) for one in outcomes)
        self.dump.keys.append(Key(key, after(at + 0.02), answers=answers))
        self.says(at, call, key, input, Outcome.OK, outcomes=outcomes, **more)


def saga() -> Saga:
    """A hall of two, a study that is approved, any of two rooms; a series, and two who wait: and all goes well."""
    saga = Saga()
    for name, capacity in (("hall", 2), ("study", 2), ("east", 1), ("west", 1), ("rooms", 2)):
        saga.resource(name, capacity)
    saga.dump.choices += [Choice("rooms", "east"), Choice("rooms", "west")]

    saga.holds(1, "s", item("study"), is_approved=True)
    saga.changes(1.5, "s", "bookingConfirm", "PENDING")
    saga.changes(2, "s", "bookingApprove", "CONFIRMED")
    saga.says(2.5, "bookingReject", "k-too-late", {"booking": "s"}, Outcome.FAIL, code="INVALID_STATE")

    saga.holds(3, "r", item("rooms"), chosen=["west"])
    both = {"items": [item("rooms", quantity=2)]}
    saga.says(3.5, "bookingHold", "k-both", both, Outcome.FAIL, code="SOLD_OUT", vacancies=1, resource="rooms")

    saga.holds_all(4, "a", None, None, quantity=2)
    saga.changes(5, "a1", "bookingRelease", "CANCELLED")
    saga.holds_all(5.3, "b", "SOLD_OUT", None, startsAt=DAY[0], endsAt=DAY[1])
    saga.does_to_all(5.5, "a", "seriesConfirm", "CONFIRMED", None, "INVALID_STATE")

    saga.joins(6, "w", item("hall"))
    saga.looks(6.5, "w", "WAITING", 1)
    saga.changes(7, "a0", "bookingCancel", "CANCELLED")
    saga.offers(7.5, "w", "o")
    saga.changes(8, "o", "EXPIRED", "EXPIRED")
    saga.becomes(8, "w", "WAITING")
    saga.offers(8.5, "w", "p")
    saga.changes(9, "p", "bookingConfirm", "CONFIRMED")
    saga.becomes(9, "w", "ACCEPTED", "p")
    saga.says(9.5, LEAVE, "k-in-vain", {"entry": "w"}, Outcome.FAIL, code="INVALID_STATE")
    saga.joins(10, "v", item("hall", quantity=2))
    saga.becomes(10.5, "v", "LEFT")
    saga.leaves(10.5, "v", 2)
    saga.leaves(11, "v", 2)
    return saga
