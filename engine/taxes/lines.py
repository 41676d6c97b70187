"""What percentages are taken of: the charges of an item, with what changes them spread over them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from engine.money import allocate
from engine.pricing.charges import Charge, ChargeKind

PRICED_KINDS = (
    ChargeKind.NIGHT,
    ChargeKind.INTERVAL,
    ChargeKind.BOOKING,
    ChargeKind.PERSON,
    ChargeKind.UNIT,
    ChargeKind.EXTRA_GUEST,
    ChargeKind.FEE,
)
"""The kinds of charges that something is paid for; the others change those."""


class TaxableLine(NamedTuple):
    """So much of one kind, for one civil day of one item, in minor units; after discounts, with included taxes.

    `kind` is None for what is no charge but the amount of another tax: only a tax on that tax is taken of it.
    """

    item: int
    day: date
    kind: ChargeKind | None
    amount: int


def taxable_lines(charges: Sequence[Charge], item: int = 0) -> list[TaxableLine]:
    """The charges of one item, in their order; their sum is the charges' sum.

    A discount or surcharge, a floor, ceiling or minimum belongs to the charges of its own day, in proportion to their
    amounts; where that day has none, to all charges of the item; where there are none, it stands by itself, and only
    taxes on every kind of charge are taken of it. Fees are moved by nothing.
    """
    priced = [charge for charge in charges if charge.kind in PRICED_KINDS]
    amounts = [charge.amount for charge in priced]
    moved = [n for n, charge in enumerate(priced) if charge.kind is not ChargeKind.FEE]
    alone: list[TaxableLine] = []
    for day, change in _changes(charges).items():
        places = [n for n in moved if priced[n].day == day] or moved
        if not places:
            alone.append(TaxableLine(item, day, ChargeKind.ADJUSTMENT, change))
            continue
        parts = allocate(change, [max(priced[n].amount, 0) for n in places])
        for n, part in zip(places, parts, strict=True):
            amounts[n] += part
    lines = [TaxableLine(item, one.day, one.kind, amount) for one, amount in zip(priced, amounts, strict=True)]
    return lines + alone


def _changes(charges: Sequence[Charge]) -> dict[date, int]:
    sums: dict[date, int] = defaultdict(int)
    for charge in charges:
        if charge.kind not in PRICED_KINDS:
            sums[charge.day] += charge.amount
    return {day: amount for day, amount in sums.items() if amount}
