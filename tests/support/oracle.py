"""The ledger once more, as simple as can be: an hour is a slot, and every question is answered by counting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HOURS = 6
"""The oracle's calendar; what has no end goes on to the last of them."""


@dataclass(frozen=True)
class Claim:
    """Quantity of a resource, by its name, in the hours from `start` up to `end`."""

    resource: str
    start: int
    end: int
    quantity: int
    key: str | None

    def is_in(self, resource: str, hour: int) -> bool:
        return self.resource == resource and self.start <= hour < self.end


@dataclass
class Thing:
    """A resource: its hours, its sharing, what it requires as name → (per unit, per booking), its version."""

    capacity: list[int]
    sharing: str
    requires: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    closed: list[bool] = field(default_factory=lambda: [False] * HOURS)
    version: int = 0


@dataclass
class Party:
    """A booking: its status, whether its hold is over, and what it claims."""

    name: str
    status: str
    claims: list[Claim]
    is_over: bool = False


class Oracle:
    """Says what the ledger should answer, and what should be true after it: "DONE" or the code of the refusal."""

    def __init__(self, things: Mapping[str, Thing]) -> None:
        self.things = things
        self.parties: list[Party] = []

    def hold(self, resource: str, start: int, end: int, quantity: int, activity: str | None) -> str:
        party = Party(f"#{len(self.parties)}", "ON_HOLD", [])
        takes = [(resource, quantity)]
        for name, (per_unit, per_booking) in self.things[resource].requires.items():
            takes.append((name, per_unit * quantity + per_booking))
        party.claims = [Claim(name, start, end, taken, self._key(party, name, activity)) for name, taken in takes]
        self._expire(party.claims)
        codes = [self._refusal(claim) for claim in party.claims]
        for code in ("CLOSED", "ACTIVITY_CONFLICT", "SOLD_OUT"):
            if code in codes:
                return code
        self.parties.append(party)
        self._count(party.claims)
        return "DONE"

    def confirm(self, party: Party) -> str:
        if party.status == "ON_HOLD":
            party.status, party.is_over = "CONFIRMED", False
            return "DONE"
        return "HOLD_EXPIRED" if party.status == "EXPIRED" else "INVALID_STATE"

    def release(self, party: Party) -> str:
        if party.status == "ON_HOLD":
            self._end(party, "CANCELLED")
            return "DONE"
        return "HOLD_EXPIRED" if party.status == "EXPIRED" else "INVALID_STATE"

    def cancel(self, party: Party) -> str:
        if party.status not in ("ON_HOLD", "CONFIRMED"):
            return "NOT_CANCELLABLE"
        self._end(party, "CANCELLED")
        return "DONE"

    def run_out(self, party: Party) -> None:
        party.is_over = party.status == "ON_HOLD"

    def sweep(self) -> None:
        for party in self.parties:
            if party.is_over:
                self._end(party, "EXPIRED")

    def set_capacity(self, resource: str, start: int, end: int | None, capacity: int) -> str:
        hours = range(start, HOURS if end is None else end)
        self._expire([Claim(resource, start, hours.stop, 0, None)])
        if any(self.taken(resource, hour) > capacity for hour in hours):
            return "CAPACITY_IN_USE"
        for hour in hours:
            self.things[resource].capacity[hour] = capacity
        self.things[resource].version += 1
        return "DONE"

    def set_closed(self, resource: str, start: int, end: int | None, is_closed: bool) -> str:
        hours = range(start, HOURS if end is None else end)
        self._expire([Claim(resource, start, hours.stop, 0, None)])
        for hour in hours:
            self.things[resource].closed[hour] = is_closed
        self.things[resource].version += 1
        return "DONE"

    def taken(self, resource: str, hour: int) -> int:
        return sum(claim.quantity for claim in self._there(resource, hour))

    def key(self, resource: str, hour: int) -> str | None:
        keys = {claim.key for claim in self._there(resource, hour)}
        assert len(keys) <= 1, "the oracle itself let two parties share what may not be shared"
        return keys.pop() if keys else None

    def _key(self, party: Party, resource: str, activity: str | None) -> str | None:
        match self.things[resource].sharing:
            case "SHARED":
                return None
            case "SAME_ACTIVITY":
                return activity or party.name
        return party.name

    def _there(self, resource: str, hour: int) -> list[Claim]:
        return [claim for party in self.parties for claim in party.claims if claim.is_in(resource, hour)]

    def _refusal(self, wanted: Claim) -> str | None:
        thing, hours = self.things[wanted.resource], range(wanted.start, wanted.end)
        strangers = any(claim.key != wanted.key for hour in hours for claim in self._there(wanted.resource, hour))
        if any(thing.closed[hour] for hour in hours):
            return "CLOSED"
        if strangers and thing.sharing == "SAME_ACTIVITY":
            return "ACTIVITY_CONFLICT"
        if strangers or any(
            self.taken(wanted.resource, hour) + wanted.quantity > thing.capacity[hour] for hour in hours
        ):
            return "SOLD_OUT"
        return None

    def _expire(self, wanted: Iterable[Claim]) -> None:
        """Whatever is over and claims something of the same resource in these hours ends, on all its resources."""
        for party in self.parties:
            if party.is_over and any(
                mine.resource == theirs.resource and mine.start < theirs.end and theirs.start < mine.end
                for mine in party.claims
                for theirs in wanted
            ):
                self._end(party, "EXPIRED")

    def _end(self, party: Party, status: str) -> None:
        self._count(party.claims)
        party.status, party.claims, party.is_over = status, [], False

    def _count(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.things[claim.resource].version += 1
