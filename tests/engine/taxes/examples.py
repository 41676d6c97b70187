"""Bookings and taxes of tests, in as few words as they need."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from engine.pricing.charges import Charge, ChargeKind
from engine.rules.base import GuestCount
from engine.taxes import registry
from engine.taxes.assess import Assessment, TaxedItem, assess
from engine.taxes.base import TaxedStay
from engine.taxes.deciding import SetTax, TaxSet
from models.errors import InvalidInput

ARRIVAL = date(2026, 6, 1)

_KEYS = count(1)

Parameters = Mapping[str, object]


def set_taxes(*taxes: SetTax | tuple[str, Parameters]) -> TaxSet:
    """These taxes, the younger last; a pair of type and parameters is the venue's, and always valid."""
    return TaxSet(
        tuple(tax if isinstance(tax, SetTax) else _placed(tax, next(_KEYS), of_resource=False) for tax in taxes)
    )


def valid(type_: str, parameters: Parameters, key: int, **more: Any) -> SetTax:
    """A tax with a scope, a priority or days of validity."""
    return _placed((type_, parameters), 10**9 + key, **{"of_resource": False, **more})


def _placed(tax: tuple[str, Parameters], key: int, **more: Any) -> SetTax:
    name = f"The {tax[1]['code']}"
    return SetTax(tax=registry.parse(*tax), key=uuid.UUID(int=key), name=name, age=key, **more)


def percent(rate: str, code: str = "VAT", **more: object) -> tuple[str, Parameters]:
    return "PERCENT", {"code": code, "rate": rate, **more}


def amount(type_: str, minor: int, code: str = "FEE", **more: object) -> tuple[str, Parameters]:
    return type_, {"code": code, "amount": minor, **more}


def nights(prices: Sequence[int], *, item: int = 0, arrival: date = ARRIVAL, rooms: int = 1) -> list[Charge]:
    """A charge for each night, in minor units for each of so many rooms."""
    return [
        charge(ChargeKind.NIGHT, price * rooms, item=item, day=arrival + timedelta(days=n))
        for n, price in enumerate(prices)
    ]


def charge(kind: ChargeKind, minor: int, *, item: int = 0, day: date = ARRIVAL) -> Charge:
    return Charge(item, day, kind, 1, minor, minor, kind.value)


def stay(
    taxes: TaxSet,
    charges: Sequence[Charge],
    *,
    arrival: date = ARRIVAL,
    rooms: int = 1,
    guests: tuple[GuestCount, ...] | None = None,
) -> TaxedItem:
    """A stay of as many nights as are charged."""
    length = sum(one.kind is ChargeKind.NIGHT for one in charges)
    return TaxedItem(
        TaxedStay(arrival, tuple(arrival + timedelta(days=n) for n in range(length)), rooms, guests),
        tuple(charges),
        taxes,
    )


def party(**counts: int) -> tuple[GuestCount, ...]:
    """ADULT=2: two adults whose ages were not told."""
    return tuple(GuestCount(type_, count) for type_, count in counts.items())


def aged(type_: str, *ages: int) -> GuestCount:
    return GuestCount(type_, len(ages), ages)


def lines(items: TaxedItem | Sequence[TaxedItem], currency: str = "EUR") -> list[tuple[str, int, str]]:
    """Code, amount and rate of every line."""
    return [(line.code, line.amount, line.rate) for line in assessed(items, currency).lines]


def assessed(items: TaxedItem | Sequence[TaxedItem], currency: str = "EUR") -> Assessment:
    return assess([items] if isinstance(items, TaxedItem) else items, currency)


def fault_of(type_: str, parameters: Parameters) -> str:
    """Which parameter is refused: "amount", "bands.0.minAge", or "" for what they are together."""
    with pytest.raises(InvalidInput) as caught:
        registry.parse(type_, parameters)
    assert caught.value.path[0] == "parameters"
    assert caught.value.message.startswith(f"{type_}: ")
    return ".".join(caught.value.path[1:])
