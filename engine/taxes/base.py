"""What every tax is made of: a stay and a party go in, an amount comes out; and the line that tells of it."""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from engine.pricing.charges import PriceRequest
from engine.rules.base import GuestCount
from engine.rules.parameters import Nights
from engine.rules.parsing import Parameters
from engine.taxes.parameters import Code
from models import civil


class TaxCollection(StrEnum):
    """When a tax is paid: with the booking, or by the guest at the venue."""

    NOW = "NOW"
    AT_VENUE = "AT_VENUE"


@dataclass(frozen=True, slots=True)
class Guests:
    """So many people who are taxed alike: of one type and age, as far as those were told."""

    type: str | None
    age: int | None
    count: int


@dataclass(frozen=True, slots=True)
class TaxedStay:
    """Who stays, and when, of one item, in civil days of the venue.

    `nights` are the days on which the nights begin, from arrival; none unless it is a stay. `night_prices` are the
    charges of each night in minor units, without the taxes that they include, and without fees and what is charged for
    the booking as a whole. Where no guests were told, one grown-up comes for each unit.
    """

    starts_on: date
    nights: tuple[date, ...]
    quantity: int
    guests: tuple[GuestCount, ...] | None
    night_prices: Mapping[date, int] = field(default_factory=dict)

    @classmethod
    def of(cls, request: PriceRequest, zone: ZoneInfo) -> "TaxedStay":
        """The stay that is asked for; its prices are not known yet."""
        if request.stay is None:
            return cls(civil.local_day(request.interval.starts_at, zone), (), request.quantity, request.guests)
        arrival, departure = request.stay
        nights = tuple(arrival + timedelta(days=n) for n in range((departure - arrival).days))
        return cls(arrival, nights, request.quantity, request.guests)

    @property
    def people(self) -> int:
        """How many people stay."""
        return self.quantity if self.guests is None else sum(group.count for group in self.guests)

    def groups(self) -> Iterator[Guests]:
        """The people, those who are taxed alike together."""
        if self.guests is None:
            yield Guests(None, None, self.quantity)
            return
        for group in self.guests:
            if group.ages is None:
                yield Guests(group.type, None, group.count)
            else:
                yield from (Guests(group.type, age, count) for age, count in sorted(Counter(group.ages).items()))


class Tax(Parameters):
    """A tax of one kind: its fields are the parameters, checked when it is made and never changed after.

    Parameters are written in camelCase. `type` names the kind, `summary` says in words what it is taken of, `example`
    are parameters that make sense, for the reference. What a parameter means never changes, nor does the default of one
    that may be left out: it is not stored.
    """

    type: ClassVar[str]
    summary: ClassVar[str]
    example: ClassVar[Mapping[str, object]]
    is_owed_for_the_stay: ClassVar[bool]
    """Whether it is owed for somebody's being there, and so for nothing once a booking is cancelled."""

    code: Code = Field(
        description="Its short name, such as IVA: capitals, digits and _, at most 40. One rule of a code decides a day."
    )
    collect: TaxCollection = Field(
        default=TaxCollection.NOW, description="NOW, with the booking; or AT_VENUE, paid by the guest there."
    )
    exempt_from_nights: Nights | None = Field(
        default=None, description="A stay of so many nights or more is exempt as a whole."
    )

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The codes of the taxes that it is taken of too."""
        return ()

    @property
    def is_included(self) -> bool:
        """Whether prices are told with it."""
        return False

    def is_exempt(self, stay: TaxedStay) -> bool:
        """Whether nothing is owed for this item whatever it costs and whoever comes."""
        return self.exempt_from_nights is not None and len(stay.nights) >= self.exempt_from_nights


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What one rule takes of a booking, in minor units of its currency.

    `label` is the name that the rule was given. `rate` says how it was counted: "6 %", or "€4.00 × 14". An `included`
    amount is a part of the price, and any other comes on top of it. `by_item` are the parts of the amount by the items
    of the booking, in their order. `calculation` is the tax provider's reference, of a tax that it has counted.
    """

    code: str
    label: str
    amount: int
    rate: str
    included: bool
    collect: TaxCollection
    by_item: tuple[int, ...]
    is_owed_for_the_stay: bool
    rule: uuid.UUID | None = None
    calculation: str | None = None
