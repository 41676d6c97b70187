"""Which of the taxes that are set decide on a civil day: of each code one.

Of the rules of a code that are valid on the day, the resource's own goes before the venue's, then the higher priority,
then the younger: as of booking rules (engine/rules/deciding.py). So a season, or one resource, can have another amount
or another kind of the same tax; and a tax that some resource is free of has a rule of it with amount 0 there. Taxes of
different codes are all owed.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from engine.rules.placed import Placed
from engine.taxes.base import Tax


@dataclass(frozen=True, slots=True)
class SetTax(Placed):
    """A tax as it was set; guests read its name. `key` tells it from others."""

    tax: Tax
    key: uuid.UUID
    name: str


@dataclass(frozen=True)
class TaxSet:
    """All that is set for one resource, by it and by its venue.

    `unreadable` are the types of stored ones that can not be read: what is owed is not known then, and so nothing can
    be priced (docs/adr/0013).
    """

    taxes: tuple[SetTax, ...] = ()
    unreadable: tuple[str, ...] = ()
    _decided: dict[date, Mapping[str, SetTax]] = field(default_factory=dict, compare=False, repr=False)

    def on(self, day: date) -> Mapping[str, SetTax]:
        """The rule that decides on this day, by code."""
        if not self._has_seasons:
            day = date.min
        if day not in self._decided:
            if len(self._decided) >= DAYS_KEPT_MAX:
                self._decided.clear()
            self._decided[day] = {set_.tax.code: set_ for set_ in self._by_rank if set_.is_valid_on(day)}
        return self._decided[day]

    @cached_property
    def _by_rank(self) -> tuple[SetTax, ...]:
        return tuple(sorted(self.taxes, key=lambda set_: set_.rank))

    @cached_property
    def _has_seasons(self) -> bool:
        return any(set_.valid_from is not None or set_.valid_until is not None for set_ in self.taxes)


DAYS_KEPT_MAX = 1_100  # as many as civil.DAYS_MAX: every day that can be booked
NO_TAXES = TaxSet()
