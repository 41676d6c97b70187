"""Cancellation terms: a policy as it was agreed on for one booking, in instants and amounts.

They are made once, from the policy of that time, and kept with the booking: whatever becomes of the policy or the
price, what comes back is what was promised.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.cancellation.deadlines import When, of_step
from engine.cancellation.policy import Policy


class Keeps(StrEnum):
    """How it is told what the venue keeps."""

    PERCENT = "PERCENT"  # what the refund leaves; the value is the refund in millionths of the price
    FEE = "FEE"  # so many minor units
    NIGHTS = "NIGHTS"  # the first so many nights


@dataclass(frozen=True, slots=True)
class TermStep:
    """Until this instant, not included, the venue keeps so much."""

    until: datetime
    keeps: Keeps
    value: int


@dataclass(frozen=True, slots=True)
class Priced:
    """What one item costs, in minor units, of what is collected with the booking.

    `price` holds charges and the taxes on them; `levies` are the taxes that are owed for the stay itself, which come
    back whole while nobody has come. `nights` are the parts of the price by night; none of what has no nights.
    """

    price: int
    levies: int = 0
    nights: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.price < 0 or self.levies < 0 or min(self.nights, default=0) < 0:
            raise ValueError("what is paid with a booking is not less than nothing")
        if self.nights and sum(self.nights) != self.price:
            raise ValueError("the nights of a price are not its whole")

    @property
    def total(self) -> int:
        """All that is paid with the booking."""
        return self.price + self.levies


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """The terms of one item. Steps end one after the other, none after the start."""

    starts_at: datetime
    priced: Priced
    steps: tuple[TermStep, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a booking, item by item, in the order of its items; amounts are of one currency.

    A booking that was changed brings two amounts along, both in minor units. `kept_before` is what the venue keeps of
    parts that were cancelled: it is owed besides all that is left. `owed_least` is what it would have kept when the
    booking was changed, had it been cancelled instead: less is not owed any more, whatever the booking becomes. So
    nobody gets by a change what a cancellation would not have given back.
    """

    currency: str
    items: tuple[ItemTerms, ...]
    kept_before: int = 0
    owed_least: int = 0

    def __post_init__(self) -> None:
        if self.kept_before < 0 or self.owed_least < 0:
            raise ValueError("what is owed of before is not less than nothing")

    @property
    def priced(self) -> int:
        """What the items cost, of what is paid with the booking."""
        return sum(item.priced.total for item in self.items)

    @property
    def total(self) -> int:
        """All that is paid with the booking."""
        return self.with_before(self.priced)

    @property
    def before(self) -> int:
        """How much of the total is owed of before a change, and not for the items."""
        return self.total - self.priced

    def with_before(self, amount: int) -> int:
        """What is owed in all, where so much is owed for the items."""
        return max(amount + self.kept_before, self.owed_least)


def item_terms(policy: Policy | None, priced: Priced, when: When) -> ItemTerms:
    """What a policy promises for an item that is booked now. No policy: all comes back until the start.

    A step that is over when it is booked, or that ends no later than one before it, is left out.
    """
    if policy is None:
        whole = TermStep(when.starts_at, Keeps.PERCENT, _ALL)
        return ItemTerms(when.starts_at, priced, (whole,) if when.booked_at < when.starts_at else ())
    steps: list[TermStep] = []
    latest = when.booked_at
    for step in policy.steps:
        until = of_step(step, when)
        if until <= latest:
            continue
        latest = until
        if step.refund is not None:
            steps.append(TermStep(until, Keeps.PERCENT, step.refund.millionths))
        elif step.fee is not None:
            steps.append(TermStep(until, Keeps.FEE, step.fee))
        else:
            assert step.nights is not None, "a step says what comes back"
            steps.append(TermStep(until, Keeps.NIGHTS, step.nights))
    return ItemTerms(when.starts_at, priced, tuple(steps))


_ALL = 10**6
