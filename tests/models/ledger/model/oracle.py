"""The ledger once more, as simple as can be: every question is answered by counting, slot by slot."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from models.ledger.requests import BookingAction
from tests.models.ledger.model.asks import SLOTS, Adjust, Answer, Ask, Change, Hold, Item, content


@dataclass
class Thing:
    """A resource; `requires` is name → (per unit, per booking), how long holds last is in slots."""

    sharing: str
    base: int
    hold: int
    ceiling: int
    requires: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    version: int = 0
    capacity: list[int] = field(init=False)
    closed: list[bool] = field(default_factory=lambda: [False] * SLOTS)
    folded: int = 0

    def __post_init__(self) -> None:
        self.capacity = [self.base] * SLOTS


@dataclass(frozen=True)
class Claim:
    """What a booking takes of one resource."""

    resource: str
    start: int
    end: int
    quantity: int
    key: str | None

    def is_in(self, resource: str, slot: int) -> bool:
        return self.resource == resource and self.start <= slot < self.end


@dataclass
class Party:
    """A booking. `expires` is the slot at whose beginning its hold is over."""

    items: tuple[Item, ...]
    claims: list[Claim]
    expires: int | None
    ceiling: int
    status: str = "ON_HOLD"
    version: int = 1


class Oracle:
    """Says what the ledger should answer, and what should be true after it."""

    def __init__(self, things: Mapping[str, Thing]) -> None:
        self.things = things
        self.parties: dict[int, Party] = {}
        self.now = 0
        self._known: dict[str, tuple[Ask, int]] = {}

    def answer(self, ask: Ask) -> Answer:
        """A repetition changes nothing and is told what there is now; what was refused is not remembered."""
        if ask.key in self._known:
            first, result = self._known[ask.key]
            if first != content(ask):
                return "IDEMPOTENCY_CONFLICT", None
        else:
            refusal, result = self._new(ask)
            if refusal is not None:
                return refusal, None
            self._known[ask.key] = content(ask), result
        return "DONE", result if isinstance(ask, Adjust) else (result, *self.booking(result))

    def sweep(self) -> int:
        """Every hold that is over ends; how many."""
        over = list(self.over())
        for party in over:
            self._end(party, "EXPIRED")
        return len(over)

    def fold(self, resource: str, slot: int) -> bool:
        """Forget what was before this slot. Whether that is right: it is past, and what began there holds until now."""
        is_right = slot <= self.now and self.things[resource].folded <= slot
        held = {self.step(resource, later) for later in range(slot, min(self.now + 1, SLOTS))}
        self.things[resource].folded = slot
        return is_right and len(held) <= 1

    def booking(self, number: int) -> tuple[str, int, int | None]:
        """Status, version, and the slot at which its hold is over."""
        party = self.parties[number]
        return party.status, party.version, party.expires

    def step(self, resource: str, slot: int) -> tuple[int, int, bool, str | None]:
        """What the timeline says there: capacity, taken, closed, and whose it is."""
        thing, there = self.things[resource], self._there(resource, slot)
        if slot < thing.folded:
            return thing.base, 0, True, None
        keys = {claim.key for claim in there}
        assert len(keys) <= 1, "the oracle itself let two parties share what may not be shared"
        taken = sum(claim.quantity for claim in there)
        return thing.capacity[slot], taken, thing.closed[slot], keys.pop() if keys else None

    def over(self, resources: Iterable[str] | None = None, start: int = 0, end: int = SLOTS) -> Iterator[Party]:
        """The holds that are over, of those that claim something of these resources in these slots."""
        for party in self.parties.values():
            is_over = party.status == "ON_HOLD" and party.expires is not None and party.expires <= self.now
            if is_over and any(
                (resources is None or claim.resource in resources) and claim.start < end and start < claim.end
                for claim in party.claims
            ):
                yield party

    def live(self) -> list[int]:
        """The bookings that take something."""
        return [number for number, party in self.parties.items() if party.claims]

    def moments(self) -> list[int]:
        """The instants to come at which something changes by itself, and the next one of all."""
        live = [self.parties[number] for number in self.live()]
        ends = {party.expires for party in live if party.expires is not None}
        starts = {item.start for party in live for item in party.items}
        return [self.now + 1, *sorted(moment for moment in ends | starts if moment > self.now)]

    def _new(self, ask: Ask) -> tuple[str | None, int]:
        """Why it is refused, or None; the booking it is about, or the version that an adjustment made."""
        match ask:
            case Hold():
                return self._hold(ask), ask.booking
            case Change():
                return self._change(ask), ask.booking
            case Adjust():
                return self._adjust(ask), self.things[ask.resource].version
        assert_never(ask)

    def _hold(self, ask: Hold) -> str | None:
        claims = self._claims(ask)
        needed = {claim.resource for claim in claims}
        start, end = min(claim.start for claim in claims), max(claim.end for claim in claims)
        refusal = self._refusal(claims)
        # Nothing is locked or written for what can not be had, unless something that is over might make room.
        if refusal is not None and not any(self.over(needed, start, end)):
            return refusal
        if ask.expected is not None and ask.expected != self.things[ask.items[0].resource].version:
            return "VERSION_CONFLICT"
        self._expire(needed, start, end)
        refusal = self._refusal(claims)
        if refusal is None:
            booked = [self.things[item.resource] for item in ask.items]
            ends = self.now + min(thing.hold for thing in booked)
            ceiling = self.now + min(thing.ceiling for thing in booked)
            self.parties[ask.booking] = Party(ask.items, claims, ends, ceiling)
            self._count(claims)
        return refusal

    def _change(self, ask: Change) -> str | None:
        party = self.parties[ask.booking]
        if ask.expected is not None and ask.expected != party.version:
            return "VERSION_CONFLICT"
        if ask.action is BookingAction.CANCEL:
            has_begun = any(item.start <= self.now for item in party.items)
            if party.status not in ("ON_HOLD", "CONFIRMED") or has_begun:
                return "NOT_CANCELLABLE"
        elif ask.action in (BookingAction.APPROVE, BookingAction.REJECT):
            return "INVALID_STATE"  # the model's bookings need no approval
        elif party.status != "ON_HOLD":
            return "HOLD_EXPIRED" if party.status == "EXPIRED" else "INVALID_STATE"
        match ask.action:
            case BookingAction.EXTEND:
                return self._extend(party)
            case BookingAction.CONFIRM:
                party.status, party.expires, party.version = "CONFIRMED", None, party.version + 1
            case BookingAction.CANCEL | BookingAction.RELEASE:
                self._end(party, "CANCELLED")
        return None

    def _extend(self, party: Party) -> str | None:
        assert party.expires is not None
        longest = min(self.things[item.resource].hold for item in party.items)
        expires = min(self.now + longest, party.ceiling)
        if expires <= max(party.expires, self.now):
            return "HOLD_LIMIT"
        party.expires, party.version = expires, party.version + 1
        return None

    def _adjust(self, ask: Adjust) -> str | None:
        thing = self.things[ask.resource]
        if ask.expected is not None and ask.expected != thing.version:
            return "VERSION_CONFLICT"
        slots = range(self.now if ask.start is None else ask.start, SLOTS if ask.end is None else ask.end)
        self._expire({ask.resource}, slots.start, slots.stop)
        if ask.capacity is not None:
            if any(self.step(ask.resource, slot)[1] > ask.capacity for slot in slots):
                return "CAPACITY_IN_USE"
            for slot in slots:
                thing.capacity[slot] = ask.capacity
        if ask.closed is not None:
            for slot in slots:
                thing.closed[slot] = ask.closed
        thing.version += 1
        return None

    def _claims(self, ask: Hold) -> list[Claim]:
        """Items of one resource, interval and activity count as one booking of it; claims of one party are summed."""
        booked: Counter[tuple[str, int, int, str | None]] = Counter()
        for item in ask.items:
            booked[item.resource, item.start, item.end, item.activity] += item.quantity
        taken: Counter[tuple[str, int, int, str | None]] = Counter()
        for (name, start, end, activity), quantity in booked.items():
            for resource, (per_unit, per_booking) in {name: (1, 0), **self.things[name].requires}.items():
                own = f"#{ask.booking}"
                key = {"SHARED": None, "SAME_ACTIVITY": activity or own, "EXCLUSIVE": own}[
                    self.things[resource].sharing
                ]
                taken[resource, start, end, key] += per_unit * quantity + per_booking
        return [Claim(*what[:3], quantity, what[3]) for what, quantity in taken.items()]

    def _refusal(self, claims: list[Claim]) -> str | None:
        codes = {
            self._refusal_at(claim.resource, slot, claims) for claim in claims for slot in range(claim.start, claim.end)
        }
        return next((code for code in ("CLOSED", "ACTIVITY_CONFLICT", "SOLD_OUT") if code in codes), None)

    def _refusal_at(self, resource: str, slot: int, claims: list[Claim]) -> str | None:
        capacity, taken, closed, _ = self.step(resource, slot)
        wanted = [claim for claim in claims if claim.is_in(resource, slot)]
        if closed:
            return "CLOSED"
        if len({claim.key for claim in [*wanted, *self._there(resource, slot)]}) > 1:
            return "ACTIVITY_CONFLICT" if self.things[resource].sharing == "SAME_ACTIVITY" else "SOLD_OUT"
        return "SOLD_OUT" if taken + sum(claim.quantity for claim in wanted) > capacity else None

    def _there(self, resource: str, slot: int) -> list[Claim]:
        if slot < self.things[resource].folded:
            return []
        return [claim for party in self.parties.values() for claim in party.claims if claim.is_in(resource, slot)]

    def _expire(self, resources: Iterable[str], start: int, end: int) -> None:
        for party in list(self.over(resources, start, end)):
            self._end(party, "EXPIRED")

    def _end(self, party: Party, status: str) -> None:
        self._count(party.claims)
        party.status, party.version, party.claims, party.expires = status, party.version + 1, [], None

    def _count(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.things[claim.resource].version += 1
