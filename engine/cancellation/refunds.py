"""What comes back at an instant: of the whole, or of a part.

What the venue keeps is a share of what a booking costs, and not of what has been paid of it: who has paid a deposit of
30 %, and cancels when 50 % is kept, gets nothing back and owes nothing more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.cancellation.terms import ItemTerms, Keeps, Terms
from engine.money import Percent, rounded


@dataclass(frozen=True, slots=True)
class Refund:
    """Until this instant, not included, so much comes back."""

    until: datetime
    amount: int


def kept(item: ItemTerms, at: datetime) -> int:
    """What the venue keeps of an item's price and levies when it is cancelled at this instant: all from its start on.

    The refund of a percentage is rounded to the nearest minor unit, a half up: in the guest's favour.
    """
    if at >= item.starts_at:
        return item.priced.total
    price = item.priced.price
    step = next((step for step in item.steps if at < step.until), None)
    if step is None:
        return price
    match step.keeps:
        case Keeps.PERCENT:
            return price - rounded(Percent(step.value).of(price))
        case Keeps.FEE:
            return min(step.value, price)
        case Keeps.NIGHTS:
            return sum(item.priced.nights[: step.value]) if item.priced.nights else price


def kept_of_all(terms: Terms, at: datetime) -> int:
    """What the venue keeps when the whole booking is cancelled at this instant, of before a change too."""
    return terms.with_before(sum(kept(item, at) for item in terms.items))


def refund(terms: Terms, at: datetime, *, paid: int | None = None) -> int:
    """What comes back of what was paid, which is all unless it is told, when the whole booking is cancelled.

    Never less than nothing, and never more than was paid.
    """
    paid = terms.total if paid is None else paid
    if paid < 0:
        raise ValueError("nobody has paid less than nothing")
    return max(0, paid - kept_of_all(terms, at))


def timeline(terms: Terms, booked_at: datetime, *, paid: int | None = None) -> list[Refund]:
    """How what comes back changes: neighbours differ, and after the last one it is nothing."""
    found: list[Refund] = []
    since = booked_at
    for until in _boundaries(terms, booked_at):
        amount = refund(terms, since, paid=paid)
        if found and found[-1].amount == amount:
            found.pop()
        found.append(Refund(until, amount))
        since = until
    while found and not found[-1].amount:
        found.pop()
    return found


def _boundaries(terms: Terms, booked_at: datetime) -> Iterator[datetime]:
    instants = {step.until for item in terms.items for step in item.steps} | {item.starts_at for item in terms.items}
    return (instant for instant in sorted(instants) if instant > booked_at)
