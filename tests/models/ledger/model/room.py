"""How much room there is, counted slot by slot: what bookings take, why they do not fit, who is given which members."""

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.models.ledger.model.asks import SLOT, SLOTS, Hold
from tests.models.ledger.model.things import FOREVER, Claim, Party, Thing

LOOK = int(30 * 24 * 60 * 60 / SLOT.total_seconds())
"""How far the ledger looks for who is there before and after: 30 days, in slots."""

Step = tuple[int, int, bool, str | None]


class Room:
    """What is taken of the resources by these bookings, which are the oracle's own."""

    def __init__(self, things: Mapping[str, Thing], parties: dict[int, Party]) -> None:
        self.things = things
        self.parties = parties

    def step(self, resource: str, slot: int) -> Step:
        """What the timeline says there: capacity, taken, closed, and whose it is."""
        thing, there = self.things[resource], self._there(resource, slot)
        if thing.folded is not None and slot < thing.folded:
            return thing.base, 0, True, None
        keys = {claim.key for claim in there}
        assert len(keys) <= 1, "the oracle itself let two parties share what may not be shared"
        taken = sum(claim.quantity for claim in there)
        return thing.capacity[slot], taken, thing.closed[slot], keys.pop() if keys else None

    def claims(self, ask: Hold) -> list[Claim]:
        """Items of one resource, interval and activity count as one booking of it; claims of one party are summed."""
        booked: Counter[tuple[str, int, int, str | None]] = Counter()
        for item in ask.items:
            booked[item.resource, item.start, item.end, item.activity] += item.quantity
        taken = []
        for (name, start, end, activity), quantity in booked.items():
            for resource, (per_unit, per_booking) in {name: (1, 0), **self.things[name].requires}.items():
                key = self._key(resource, activity, ask)
                taken.append(Claim(resource, start, end, per_unit * quantity + per_booking, key))
        return summed(taken)

    def chosen(self, ask: Hold, claims: list[Claim]) -> list[Claim] | None:
        """What is taken with members beside these claims; None: too few are free. Item by item, the best fit first."""
        taken = list(claims)
        for item in ask.items:
            members = self.things[item.resource].chooses
            if not members:
                continue
            units = [Claim(name, item.start, item.end, 1, self._key(name, item.activity, ask)) for name in members]
            free = [
                unit
                for unit in units
                if self.refusal([*(t for t in taken if t.resource == unit.resource), unit]) is None
            ]
            if len(free) < item.quantity:
                return None
            free.sort(key=lambda unit: (self._idle(unit), self.things[unit.resource].rank))
            taken += free[: item.quantity]
        return summed(taken)

    def refusal(self, claims: Iterable[Claim]) -> str | None:
        """Why they do not fit, all together; of several reasons the hardest to mend."""
        wanted = list(claims)
        codes = {
            self._refusal_at(claim.resource, slot, wanted) for claim in wanted for slot in range(claim.start, claim.end)
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

    def _idle(self, unit: Claim) -> int:
        """For how many slots nobody is there before and after; closed, and without capacity, counts as somebody."""
        before = next((unit.start - 1 - slot for slot in range(unit.start - 1, -1, -1) if self._busy(unit, slot)), None)
        if before is None:
            before = LOOK if self.things[unit.resource].folded is None else unit.start
        after = next((slot - unit.end for slot in range(unit.end, FOREVER + 1) if self._busy(unit, slot)), LOOK)
        return before + after

    def _busy(self, unit: Claim, slot: int) -> bool:
        capacity, taken, closed, _ = self.step(unit.resource, slot)
        return closed or taken > 0 or capacity == 0

    def _key(self, resource: str, activity: str | None, ask: Hold) -> str | None:
        own = f"#{ask.booking}"
        return {"SHARED": None, "SAME_ACTIVITY": activity or own, "EXCLUSIVE": own}[self.things[resource].sharing]

    def _there(self, resource: str, slot: int) -> list[Claim]:
        folded = self.things[resource].folded
        if slot >= SLOTS or (folded is not None and slot < folded):
            return []
        return [claim for party in self.parties.values() for claim in party.claims if claim.is_in(resource, slot)]


def summed(claims: Iterable[Claim]) -> list[Claim]:
    """One claim of each resource, interval and key."""
    quantities: Counter[tuple[str, int, int, str | None]] = Counter()
    for claim in claims:
        quantities[claim.resource, claim.start, claim.end, claim.key] += claim.quantity
    return [Claim(*what[:3], quantity, what[3]) for what, quantity in quantities.items()]
