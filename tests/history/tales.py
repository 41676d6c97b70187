"""Small histories made by hand, with the tables that belong to them: true ones, to be bent by tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.history.dump import Adjustment, Booking, Dump, Event, Hint, Item, Key, Requirement, Resource
from tests.history.effects import EVENTS, HOLD
from tests.history.records import Attempt, Json, Outcome, Push, Recorded
from tests.history.takes import claims_of
from tests.history.timelines import ENDED
from tests.history.wanted import asked_for

BEGIN = datetime(2030, 6, 1, 12, tzinfo=UTC)
MORNING = ("2030-07-01T08:00:00+00:00", "2030-07-01T10:00:00+00:00")
NOON = ("2030-07-01T10:00:00+00:00", "2030-07-01T12:00:00+00:00")
DAY = (MORNING[0], NOON[1])

Window = tuple[str, str]


def after(seconds: float) -> datetime:
    """An instant of the tale."""
    return BEGIN + timedelta(seconds=seconds)


@dataclass
class Tale:
    """What happens is written into the tables and, as what clients heard of it, into the history."""

    dump: Dump = field(default_factory=Dump)
    recorded: Recorded = field(default_factory=Recorded)

    def resource(self, id: str, capacity: int, sharing: str = "SHARED") -> None:
        self.dump.resources.append(Resource(id, 0, capacity, sharing))

    def requires(self, resource: str, required: str, *, per_unit: int = 0, per_booking: int = 0) -> None:
        self.dump.requirements.append(Requirement(resource, required, per_unit, per_booking))

    def holds(
        self,
        at: float,
        booking: str,
        *items: Json,
        chosen: Sequence[str] = (),
        is_approved: bool = False,
        key: str | None = None,
    ) -> None:
        """A hold that is made, and acknowledged; its key is the booking's name with a k.

        `chosen`: of which members. `key`: it was not asked for by itself, but under this key by the platform.
        """
        self.dump.items += [Item(booking, *asked_for(asked), chosen) for asked in items]
        self.dump.bookings.append(Booking(booking, "ON_HOLD", 0, is_approved))
        self.changes(at, booking, HOLD, "ON_HOLD", input={"items": list(items)})
        if key is not None:
            self.recorded.attempts.pop()
            self.dump.keys[-1] = replace(self.dump.keys[-1], key=key)

    def changes(
        self, at: float, booking: str, call: str, status: str, *, input: Json | None = None, actor: str = "guest"
    ) -> None:
        """A booking gets another version, by a call that is acknowledged; or, by "EXPIRED", by itself."""
        found = next(each for each in self.dump.bookings if each.id == booking)
        version = found.version + 1
        self.dump.bookings[self.dump.bookings.index(found)] = replace(found, status=status, version=version)
        kind = "SUBMITTED" if found.is_approved and call == "bookingConfirm" else EVENTS.get(call, call)
        self.dump.events.append(Event(booking, version, kind, status, after(at), actor))
        self.dump.outbox.append(Hint("BOOKING", booking, version, after(at), after(at + 0.2)))
        its = claims_of([item for item in self.dump.items if item.booking_id == booking], self.dump)
        if call == HOLD or status in ENDED:
            for claim in its:
                self.moves(at, claim.resource_id, claim.starts_at, claim.ends_at)
        if call == HOLD:
            self.dump.claims += its
        elif status in ENDED:
            self.dump.claims = [claim for claim in self.dump.claims if claim.booking_id != booking]
        if call in EVENTS:
            key = f"k{booking}-{call}"
            self.dump.keys.append(Key(key, after(at), booking_id=booking))
            answer = {"booking": booking, "version": version, "status": status}
            self.says(at, call, key, input or {"booking": booking}, Outcome.OK, **answer)

    def adjusts(self, at: float, resource: str, window: Window, capacity: int) -> None:
        """A capacity that is set, and acknowledged."""
        version = self.moves(at, resource, _at(window[0]), _at(window[1]))
        key = f"k{resource}-{version}"
        self.dump.adjustments.append(Adjustment(resource, version, _at(window[0]), _at(window[1]), capacity))
        self.dump.keys.append(Key(key, after(at), resource_id=resource, version=version))
        asked = {"resource": resource, "startsAt": window[0], "endsAt": window[1], "capacity": capacity}
        self.says(at, "capacitySet", key, asked, Outcome.OK, version=version)

    def moves(self, at: float, resource: str, starts_at: datetime, ends_at: datetime | None) -> int:
        """A resource gets another version."""
        found = next(each for each in self.dump.resources if each.id == resource)
        version = found.version + 1
        position = self.dump.resources.index(found)
        self.dump.resources[position] = Resource(resource, version, found.capacity, found.sharing)
        hint = Hint("RESOURCE", resource, version, after(at + 0.01), after(at + 0.2), starts_at, ends_at)
        self.dump.outbox.append(hint)
        return version

    def says(self, at: float, call: str, key: str | None, input: Json, outcome: Outcome, **answer: Any) -> None:
        """A call that ends a twentieth of a second after `at`, and began as long before."""
        attempt = Attempt(call, key, input, after(at - 0.05), after(at + 0.05), outcome, answer)
        self.recorded.attempts.append(attempt)

    def reads(
        self,
        at: float,
        resource: str,
        window: Window,
        version: int,
        capacity: int,
        vacancies: int,
        *,
        call: str = "timeline",
    ) -> None:
        """A reading of one step."""
        step = {"startsAt": window[0], "endsAt": window[1], "capacity": capacity, "vacancies": vacancies}
        asked = {"resource": resource, "startsAt": window[0], "endsAt": window[1]}
        self.says(at, call, None, asked, Outcome.OK, version=version, steps=[step], is_alone=True)

    def tells(self, at: float, resource: str, version: int, watcher: int = 0) -> None:
        """A push."""
        self.recorded.pushes.append(Push(watcher, resource, version, after(at)))


def item(resource: str, window: Window = MORNING, *, quantity: int = 1, activity: str | None = None) -> Json:
    """An item of a hold."""
    return {
        "resource": resource,
        "startsAt": window[0],
        "endsAt": window[1],
        "quantity": quantity,
        "activity": activity,
    }


def tale() -> Tale:
    """A hall of two places, a tour that takes of them, a pool for one activity at a time: and all goes well."""
    tale = Tale()
    tale.resource("hall", 2)
    tale.resource("pool", 3, "SAME_ACTIVITY")
    tale.resource("tour", 5)
    tale.requires("tour", "hall", per_unit=1)
    tale.moves(0.2, "tour", after(0.2), None)
    tale.tells(0.5, "hall", 0)
    tale.tells(0.5, "pool", 0)
    tale.holds(1, "a", item("hall", DAY))
    tale.changes(2, "a", "bookingConfirm", "CONFIRMED")
    tale.holds(3, "b", item("tour"), item("pool", activity="yoga"))
    full = {"items": [item("hall", quantity=2)]}
    tale.says(4, HOLD, "k-full", full, Outcome.FAIL, code="SOLD_OUT", vacancies=0, resource="hall")
    polo = {"items": [item("pool", activity="polo")]}
    tale.says(4, HOLD, "k-polo", polo, Outcome.FAIL, code="ACTIVITY_CONFLICT")
    tale.reads(4.5, "hall", MORNING, 2, 2, 0)
    tale.changes(5, "b", "EXPIRED", "EXPIRED")
    late = {"booking": "b"}
    tale.says(5.5, "bookingConfirm", "k-late", late, Outcome.FAIL, code="HOLD_EXPIRED")
    tale.adjusts(6, "hall", MORNING, 3)
    lost = {"items": [item("hall", NOON, quantity=2)]}
    tale.says(7, HOLD, "k-lost", lost, Outcome.UNKNOWN, code="BUSY")
    tale.recorded.settled_at = after(8)
    tale.says(9, HOLD, "k-lost", lost, Outcome.FAIL, code="SOLD_OUT", vacancies=1, resource="hall")
    tale.tells(9.5, "hall", 4)
    tale.tells(9.5, "pool", 2)
    tale.tells(9.5, "tour", 3)
    return tale


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
