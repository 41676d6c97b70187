"""The ledger once more, as simple as can be: every question is answered by counting, slot by slot."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import assert_never

from models.ledger.requests import BookingAction
from tests.models.ledger.model.asks import (
    SLOTS,
    Adjust,
    Answer,
    Ask,
    Change,
    ChangeAll,
    Hold,
    Part,
    Rebook,
    Series,
    content,
)
from tests.models.ledger.model.room import Room, Step
from tests.models.ledger.model.things import FOREVER, Claim, Party, Thing
from tests.models.ledger.model.waiting import Waiting

BY_RULE = "TOO_SOON"
"""What rules say of a date that they refuse."""


class Oracle:
    """Says what the ledger should answer, and what should be true after it."""

    def __init__(self, things: Mapping[str, Thing]) -> None:
        self.things = things
        self.parties: dict[int, Party] = {}
        self.room = Room(things, self.parties)
        self.waiting = Waiting()
        self.now = 0
        self._known: dict[str, tuple[Ask, object]] = {}

    def answer(self, ask: Ask) -> Answer:
        """A repetition changes nothing and is told what there is now; what was refused is not remembered."""
        if ask.key in self._known:
            first, result = self._known[ask.key]
            if first != content(ask):
                return "IDEMPOTENCY_CONFLICT", None
        else:
            code, result = self._new(ask)
            if code != "DONE":
                return code, result
            self._known[ask.key] = content(ask), result
        return "DONE", self._told(ask, result)

    def sweep(self) -> int:
        """Every hold that is over ends; how many."""
        return self._end_over()

    def fold(self, resource: str, slot: int) -> bool:
        """Forget what was before this slot. Whether that is right: it is past, and what began there holds until now."""
        thing = self.things[resource]
        is_right = slot <= self.now and (thing.folded is None or thing.folded <= slot)
        held = {self.step(resource, later) for later in range(slot, min(self.now + 1, SLOTS))}
        thing.folded = slot
        return is_right and len(held) <= 1

    def leave(self, entry: int) -> str:
        """DONE, or the status in which an entry can not leave."""
        found = self.waiting.entries[entry]
        if found.status == "OFFERED":
            assert found.booking is not None
            self._end(found.booking, "CANCELLED")
        elif found.status == "WAITING":
            found.becomes("LEFT")
        return "DONE" if found.status == "LEFT" else found.status

    def booking(self, number: int) -> tuple[str, int, int | None]:
        """Status, version, and the slot at which its hold is over."""
        party = self.parties[number]
        return party.status, party.version, party.expires

    def step(self, resource: str, slot: int) -> Step:
        """What the timeline says there: capacity, taken, closed, and whose it is."""
        return self.room.step(resource, slot)

    def over(self, resources: Iterable[str] | None = None, start: int = 0, end: int = SLOTS) -> Iterator[int]:
        """The holds that are over, of those that claim something of these resources in these slots."""
        for number, party in self.parties.items():
            if (
                party.expires is not None
                and party.expires <= self.now
                and any(
                    (resources is None or claim.resource in resources) and claim.start < end and start < claim.end
                    for claim in party.claims
                )
            ):
                yield number

    def live(self) -> list[int]:
        """The bookings that take something."""
        return [number for number, party in self.parties.items() if party.claims]

    def moments(self) -> list[int]:
        """The instants to come at which something changes by itself, and the next one of all."""
        live = [self.parties[number] for number in self.live()]
        ends = {party.expires for party in live if party.expires is not None}
        starts = {item.start for party in live for item in party.items}
        return [self.now + 1, *sorted(moment for moment in ends | starts if moment > self.now)]

    def _told(self, ask: Ask, result: object) -> object:
        """A result with its bookings as they are now."""
        match ask, result:
            case Hold() | Change() | Rebook() | Part(), int():
                return result, *self.booking(result)
            case Series(), tuple():
                return tuple(each if isinstance(each, str) else (each, *self.booking(each)) for each in result)
            case ChangeAll(), tuple():
                return tuple((number, *self.booking(number), code) for number, code in result)
        return result

    def _new(self, ask: Ask) -> tuple[str, object]:
        """DONE and what came of it, or why not."""
        match ask:
            case Hold():
                return _or_done(self._hold(ask), ask.booking)
            case Series():
                return self._series(ask)
            case Change():
                return _or_done(self._change(ask), ask.booking)
            case Rebook():
                return _or_done(self._rebook(ask), ask.booking)
            case Part():
                return _or_done(self._cancel_part(ask), ask.booking)
            case ChangeAll():
                codes = [self._carry_out(self.parties[number], number, ask.action) for number in ask.bookings]
                done = tuple(zip(ask.bookings, codes, strict=True))
                return ("DONE", done) if None in codes else ("REFUSED", tuple(codes))
            case Adjust():
                return _or_done(self._adjust(ask), self.things[ask.resource].version)
        assert_never(ask)

    def _hold(self, ask: Hold) -> str | None:
        refusal = self._at_sight(ask)
        if refusal is None and ask.expected not in (None, self.things[ask.items[0].resource].version):
            return "VERSION_CONFLICT"
        return refusal or self._admit(ask)

    def _at_sight(self, ask: Hold) -> str | None:
        """Nothing is locked or written for what can not be had, unless something that is over might make room."""
        claims = self.room.claims(ask)
        refusal = self.room.refusal(claims) or ("SOLD_OUT" if self.room.chosen(ask, claims) is None else None)
        return None if refusal is None or any(self.over(*self._wanted(ask))) else refusal

    def _admit(self, ask: Hold) -> str | None:
        self._end_over(*self._wanted(ask))
        claims = self.room.claims(ask)
        chosen = self.room.chosen(ask, claims)
        refusal = self.room.refusal(claims if chosen is None else chosen)
        if refusal is not None or chosen is None:
            return refusal or "SOLD_OUT"
        booked = [self.things[item.resource] for item in ask.items]
        ceiling = self.now + min(thing.ceiling for thing in booked)
        ends = ceiling if ask.offer else self.now + min(thing.hold for thing in booked)
        self.parties[ask.booking] = Party(ask.items, chosen, ends, ceiling, ask.approval)
        self._count(chosen)
        if ask.offer is not None and not self.waiting.is_offered(*ask.offer, ask.booking):
            self._end(ask.booking, "CANCELLED")
        return None

    def _wanted(self, *asks: Hold) -> tuple[set[str], int, int]:
        """All resources that these may take from, and the slots from the first to the last of theirs."""
        claims = [claim for ask in asks for claim in self.room.claims(ask)]
        members = {name for ask in asks for item in ask.items for name in self.things[item.resource].chooses}
        names = {claim.resource for claim in claims} | members
        return names, min(claim.start for claim in claims), max(claim.end for claim in claims)

    def _series(self, ask: Series) -> tuple[str, object]:
        """The numbers of the bookings, with a code in place of each that there is not; of none, the codes alone.

        What was over has ended, also when nothing is booked: so the versions show what the codes were decided by.
        """
        holds = ask.holds()
        has_members = any(self.things[item.resource].chooses for item in ask.dates)
        all_claims = [claim for hold in holds for claim in self.room.claims(hold)]
        fits = not has_members and self.room.refusal(all_claims) is None
        codes = [None if fits else self._at_sight(hold) for hold in holds]
        left = [hold for hold, code in zip(holds, codes, strict=True) if code is None]
        by_rule = (BY_RULE,) * ask.is_refused
        if not left or (ask.all_or_none and (ask.is_refused or len(left) < len(holds))):
            return "REFUSED", (*(code or "" for code in codes), *by_rule)
        self._end_over(*self._wanted(*left))
        before = deepcopy((self.things, self.parties, self.waiting))
        codes = [self._admit(hold) if code is None else code for hold, code in zip(holds, codes, strict=True)]
        if None not in codes or (ask.all_or_none and any(codes)):
            self.things, self.parties, self.waiting = before
            self.room = Room(self.things, self.parties)
            return "REFUSED", (*(code or "" for code in codes), *by_rule)
        return "DONE", (*(code or number for code, number in zip(codes, ask.bookings, strict=True)), *by_rule)

    def _change(self, ask: Change) -> str | None:
        party = self.parties[ask.booking]
        if ask.expected is not None and ask.expected != party.version:
            return "VERSION_CONFLICT"
        return self._carry_out(party, ask.booking, ask.action)

    def _why_fixed(self, party: Party, number: int) -> str | None:
        if party.status == "EXPIRED" or (party.status == "ON_HOLD" and self._is_over(party)):
            return "HOLD_EXPIRED"
        is_begun = any(item.start <= self.now for item in party.items)
        if party.status not in ("ON_HOLD", "CONFIRMED") or is_begun or self.waiting.is_offer(number):
            return "INVALID_STATE"
        return None

    def _is_over(self, party: Party) -> bool:
        return party.expires is not None and party.expires <= self.now

    def _rebook(self, ask: Rebook) -> str | None:
        """What it has is given back first; if the rest does not fit, all is as it was but what was over."""
        party = self.parties[ask.booking]
        if ask.expected is not None and ask.expected != party.version:
            return "VERSION_CONFLICT"
        refusal = self._why_fixed(party, ask.booking)
        if refusal is not None:
            return refusal
        hold = Hold(ask.key, ask.booking, ask.items)
        self._end_over(*self._wanted(hold))
        before, party.claims = party.claims, []
        claims = self.room.claims(hold)
        chosen = self.room.chosen(hold, claims)
        refusal = self.room.refusal(claims if chosen is None else chosen)
        if refusal is not None or chosen is None:
            party.claims = before
            return refusal or "SOLD_OUT"
        self._count([*before, *chosen])
        changed = Party(ask.items, chosen, party.expires, party.ceiling, None, party.status, party.version + 1)
        self.parties[ask.booking] = changed
        return None

    def _cancel_part(self, ask: Part) -> str | None:
        party = self.parties[ask.booking]
        refusal = self._why_fixed(party, ask.booking)
        if refusal is not None:
            return refusal
        there = dict(zip(party.positions, (item.quantity for item in party.items), strict=True))
        if there.get(ask.position, 0) < ask.quantity or sum(there.values()) == ask.quantity:
            return "NOT_FOUND"
        sized = [
            (position, replace(item, quantity=item.quantity - ask.quantity * (position == ask.position)))
            for position, item in zip(party.positions, party.items, strict=True)
        ]
        left = [(position, item) for position, item in sized if item.quantity]
        before, party.items = party.claims, tuple(item for _, item in left)
        party.positions, party.version = tuple(position for position, _ in left), party.version + 1
        party.claims = self.room.claims(Hold(ask.key, ask.booking, party.items))
        self._count(set(before) ^ set(party.claims))
        return None

    def _carry_out(self, party: Party, number: int, action: BookingAction) -> str | None:
        if action is BookingAction.CANCEL:
            has_begun = any(item.start <= self.now for item in party.items)
            if party.status not in ("ON_HOLD", "PENDING", "CONFIRMED") or has_begun:
                return "NOT_CANCELLABLE"
        elif action in (BookingAction.APPROVE, BookingAction.REJECT):
            if party.status != "PENDING":
                return "INVALID_STATE"
        elif party.status != "ON_HOLD":
            return "HOLD_EXPIRED" if party.status == "EXPIRED" else "INVALID_STATE"
        match action:
            case BookingAction.EXTEND:
                return self._extend(party)
            case BookingAction.CONFIRM | BookingAction.APPROVE:
                self._confirm(party, number)
            case BookingAction.REJECT:
                self._end(number, "REJECTED")
            case BookingAction.CANCEL | BookingAction.RELEASE:
                self._end(number, "CANCELLED")
        return None

    def _extend(self, party: Party) -> str | None:
        assert party.expires is not None
        longest = min(self.things[item.resource].hold for item in party.items)
        expires = min(self.now + longest, party.ceiling)
        if expires <= max(party.expires, self.now):
            return "HOLD_LIMIT"
        party.expires, party.version = expires, party.version + 1
        return None

    def _confirm(self, party: Party, number: int) -> None:
        if party.status == "ON_HOLD" and party.approval is not None:
            party.status, party.expires = "PENDING", self.now + party.approval
        else:
            party.status, party.expires = "CONFIRMED", None
        party.version += 1
        self.waiting.settle(number, party.status)

    def _adjust(self, ask: Adjust) -> str | None:
        thing = self.things[ask.resource]
        if ask.expected is not None and ask.expected != thing.version:
            return "VERSION_CONFLICT"
        slots = range(self.now if ask.start is None else ask.start, FOREVER + 1 if ask.end is None else ask.end)
        self._end_over({ask.resource}, slots.start, slots.stop)
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

    def _end_over(self, resources: Iterable[str] | None = None, start: int = 0, end: int = SLOTS) -> int:
        """The holds that are `over` end; how many."""
        over = list(self.over(resources, start, end))
        for number in over:
            self._end(number, "EXPIRED")
        return len(over)

    def _end(self, number: int, status: str) -> None:
        party = self.parties[number]
        self._count(party.claims)
        party.status, party.version, party.claims, party.expires = status, party.version + 1, [], None
        self.waiting.settle(number, status)

    def _count(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.things[claim.resource].version += 1


def _or_done(code: str | None, result: int) -> tuple[str, object]:
    return ("DONE", result) if code is None else (code, None)
