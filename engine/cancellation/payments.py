"""What of a booking is to be paid when: a deposit now, the balance later or at the venue."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.cancellation.deadlines import When, before_start
from engine.cancellation.policy import Deposit, Policy
from engine.cancellation.terms import Priced
from engine.money import rounded


@dataclass(frozen=True, slots=True)
class Due:
    """So much, by this instant."""

    at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Payments:
    """What is due with the booking, what later and until when, and what at the venue; in minor units."""

    now: int = 0
    later: tuple[Due, ...] = ()
    at_venue: int = 0

    def __add__(self, other: "Payments") -> "Payments":
        sums: dict[datetime, int] = defaultdict(int)
        for due in (*self.later, *other.later):
            sums[due.at] += due.amount
        later = tuple(Due(at, sums[at]) for at in sorted(sums))
        return Payments(self.now + other.now, later, self.at_venue + other.at_venue)

    @property
    def total(self) -> int:
        """All of it."""
        return self.now + sum(due.amount for due in self.later) + self.at_venue


def payments(policy: Policy | None, priced: Priced, when: When) -> Payments:
    """When an item that is booked now is to be paid; the parts make its total.

    Levies are due with the balance. Where the balance would be due already, all is due now.
    """
    if policy is None or policy.deposit is None:
        return Payments(now=priced.total)
    deposit = _deposit(policy.deposit, priced)
    rest = priced.total - deposit
    if not rest:
        return Payments(now=deposit)
    if policy.balance is None:
        return Payments(now=deposit, at_venue=rest)
    due_at = before_start(policy.balance, when)
    if due_at <= when.booked_at:
        return Payments(now=priced.total)
    return Payments(now=deposit, later=(Due(due_at, rest),))


def all_payments(parts: Sequence[Payments]) -> Payments:
    """Those of several items together."""
    return sum(parts, Payments())


def _deposit(deposit: Deposit, priced: Priced) -> int:
    if deposit.percent is not None:
        return rounded(deposit.percent.of(priced.price))
    if deposit.amount is not None:
        return min(deposit.amount, priced.price)
    assert deposit.nights is not None, "a deposit says how much"
    return sum(priced.nights[: deposit.nights]) if priced.nights else priced.price
