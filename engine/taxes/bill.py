"""What a tax provider is asked, and what it answers: amounts of charges, and the tax on each."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from engine.taxes.assess import TaxedItem
from engine.taxes.lines import taxable_lines
from engine.taxes.provided import CountedTax, Provided, ProvidedTaxes
from models.errors import InvalidInput
from models.keys import BookingKey

ComesBack: TypeAlias = Mapping[int, Fraction]
"""Of each item of a booking, from 0 to 1, how much of its price comes back."""


class TaxPlace(NamedTuple):
    """Where something is sold: the country by ISO 3166, and as much more as its taxes depend on."""

    country: str
    state: str | None = None
    postal_code: str | None = None


class BillLine(NamedTuple):
    """What one item costs of what one rule is on, in minor units; with the tax, if that is included."""

    item: int
    rule: uuid.UUID
    amount: int
    included: bool
    product: str | None


@dataclass(frozen=True, slots=True)
class TaxBill:
    """All of a booking that a provider counts taxes of."""

    currency: str
    place: TaxPlace
    lines: tuple[BillLine, ...]


class TaxCalculation(NamedTuple):
    """The answer: the provider's reference of it, and the tax on each line of the bill, in their order."""

    reference: str
    taxes: tuple[CountedTax, ...]


class TaxKey(NamedTuple):
    """What is put on record with a provider: a booking at the price of one of its quotes."""

    booking: BookingKey
    quote_id: uuid.UUID


def bill_of(items: Sequence[TaxedItem], countries: Sequence[str], currency: str) -> TaxBill | None:
    """What to ask a provider, of items that are sold in these countries; None: nothing is left to one.

    Raises InvalidInput for what is sold in several places: a calculation is of one.
    """
    lines: list[BillLine] = []
    places: dict[TaxPlace, None] = {}
    for item, (taxed, country) in enumerate(zip(items, countries, strict=True)):
        for rule, tax, amount in _sums(taxed, item):
            lines.append(BillLine(item, rule, amount, tax.included, tax.product))
            places[TaxPlace(country, tax.state, tax.postal_code)] = None
    if not lines:
        return None
    if len(places) > 1:
        raise InvalidInput(
            "Taxes of one booking are counted in one place: book these by themselves.", path=("input", "items")
        )
    return TaxBill(currency, next(iter(places)), tuple(lines))


def provided_of(bill: TaxBill, calculation: TaxCalculation) -> ProvidedTaxes:
    """The answer to a bill; ValueError for one that can not be: below nothing, or more than it is included in."""
    pairs = list(zip(bill.lines, calculation.taxes, strict=True))
    if any(tax.amount < 0 or (line.included and tax.amount > line.amount) for line, tax in pairs):
        raise ValueError("a tax of less than nothing, or of more than the price that includes it")
    return ProvidedTaxes(calculation.reference, {(line.rule, line.item): tax for line, tax in pairs})


def _sums(taxed: TaxedItem, item: int) -> Iterator[tuple[uuid.UUID, Provided, int]]:
    """Each rule of a provider that is on the item, with what it is on."""
    provided = {set_.key: set_.tax for set_ in taxed.taxes.taxes if isinstance(set_.tax, Provided)}
    sums: dict[uuid.UUID, int] = defaultdict(int)
    for line in taxable_lines(taxed.charges, item) if provided else ():
        for decided in taxed.taxes.on(line.day).values():
            if decided.key in provided and not decided.tax.is_exempt(taxed.stay):
                sums[decided.key] += line.amount
    for key, amount in sums.items():
        if amount > 0:
            yield key, provided[key], amount
