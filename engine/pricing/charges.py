"""What prices are asked about, and what they are made of: lines that say why, and add up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from engine.rules.base import RuleRequest

PriceRequest: TypeAlias = RuleRequest
"""What is priced is what rules are asked about: one item, its time or stay, quantity and guests by type and age."""


class ChargeKind(StrEnum):
    """What a line is counted by; those from ADJUSTMENT on change what stands above them.

    The last two are of bookings that were changed: what was cancelled of an item, and what is kept nevertheless.
    """

    NIGHT = "NIGHT"
    INTERVAL = "INTERVAL"
    BOOKING = "BOOKING"
    PERSON = "PERSON"
    UNIT = "UNIT"
    EXTRA_GUEST = "EXTRA_GUEST"
    FEE = "FEE"
    ADJUSTMENT = "ADJUSTMENT"
    FLOOR = "FLOOR"
    CEILING = "CEILING"
    MINIMUM = "MINIMUM"
    CANCELLED = "CANCELLED"
    KEPT = "KEPT"


class Charge(NamedTuple):
    """One line of a price, in minor units of the venue's currency.

    `item` is the place of the item in the request, from 0. `day` is the civil day in the venue's zone: of the night
    that it is for, else the one on which the item's time begins. `amount` is what the line adds, negative where it
    takes off; `unit_amount` × `quantity` is the amount, but for lines that change others: those have quantity 1.
    `rule` names the rule that made it, None for the rate plan itself.
    """

    item: int
    day: date
    kind: ChargeKind
    quantity: int
    unit_amount: int
    amount: int
    label: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class PricedItem:
    """An item's lines, in the order in which they came about, and their sum: what it costs before added taxes.

    `plan` is the code of the rate plan by which it is priced; None where nothing has a price.
    """

    charges: tuple[Charge, ...]
    subtotal: int
    plan: str | None = None

    @classmethod
    def of(cls, charges: Iterable[Charge], plan: str | None = None) -> "PricedItem":
        """The item of these lines."""
        lines = tuple(charges)
        return cls(lines, sum(line.amount for line in lines), plan)

    def by_day(self) -> dict[date, int]:
        """What is charged for each day; the values sum to the subtotal."""
        days: dict[date, int] = {}
        for line in self.charges:
            days[line.day] = days.get(line.day, 0) + line.amount
        return days


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """What prices may depend on besides the request: the same facts give the same price, to the cent.

    `now` is the instant of asking; `occupancy` is how much of the resource is taken then, in basis points of its
    capacity (10,000 is all of it), by the civil day of the night or of the start of the time. `partner` and `promo` are
    names of who brings the guest and of the code that they entered, where that was found good.
    """

    zone: ZoneInfo
    now: datetime
    currency: str
    occupancy: Mapping[date, int] = field(default_factory=dict)
    partner: str | None = None
    promo: str | None = None


def folded(charges: Iterable[Charge]) -> list[Charge]:
    """The lines as they are shown: those that say the same of several days are one, of the first of these days.

    Quantities and amounts are summed, so that unit amount × quantity stays the amount.
    """
    lines: dict[tuple[object, ...], Charge] = {}
    for line in charges:
        same = (line.item, line.kind, line.label, line.rule, line.unit_amount)
        before = lines.get(same)
        if before is None:
            lines[same] = line
        else:
            quantity, amount = before.quantity + line.quantity, before.amount + line.amount
            lines[same] = before._replace(quantity=quantity, amount=amount)
    return list(lines.values())
