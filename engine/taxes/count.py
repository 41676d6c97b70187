"""One assessment while it is made: what each tax takes of each line of a booking, in order."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from uuid import UUID

from engine.money import Money, allocate
from engine.pricing.charges import Charge, ChargeKind
from engine.taxes.amount import AmountTax
from engine.taxes.base import Tax, TaxedStay, TaxLine
from engine.taxes.deciding import SetTax, TaxSet
from engine.taxes.lines import TaxableLine, taxable_lines
from engine.taxes.nights import NightTax
from engine.taxes.order import in_order
from engine.taxes.per_booking import PerBooking
from engine.taxes.percent import Percent
from engine.taxes.provided import CountedTax, Provided, ProvidedTaxes
from engine.taxes.shares import whole_shares
from models.errors import NotPriced


class Count:
    """The taxes of these items. Used once. `provided`: what a tax provider has counted of them, if one was asked."""

    def __init__(
        self,
        items: Sequence[tuple[TaxedStay, TaxSet]],
        currency: str,
        provided: ProvidedTaxes | None = None,
    ) -> None:
        self._items = items
        self._currency = currency
        self._provided = provided
        self._order = in_order([taxes.taxes for _, taxes in items])
        self._lines: list[TaxableLine] = []
        self._net: list[int] = []
        self._shares: dict[str, dict[int, int]] = defaultdict(dict)  # of a tax's code, by the line's number
        self._found: list[TaxLine] = []
        self._days: dict[tuple[int, date], Mapping[str, SetTax]] = {}

    def lines_of(self, charges: Sequence[Sequence[Charge]]) -> tuple[TaxLine, ...]:
        """What is owed, of the charges of each item."""
        self._lines = [line for n, of_item in enumerate(charges) for line in taxable_lines(of_item, n)]
        self._net = [line.amount for line in self._lines]
        self._take_out_included()
        for set_ in self._order:
            if isinstance(set_.tax, AmountTax):
                self._add_amounts(set_, set_.tax)
            elif isinstance(set_.tax, Percent) and not set_.tax.included:
                self._add_percent(set_, set_.tax)
            elif isinstance(set_.tax, Provided) and not set_.tax.included:
                self._write_provided(set_, set_.tax)
        return tuple(self._found)

    def _take_out_included(self) -> None:
        exact: dict[UUID, dict[int, Fraction]] = defaultdict(dict)
        known: dict[tuple[int, int, ChargeKind | None], list[tuple[UUID, Fraction]]] = {}
        for n, line in enumerate(self._lines):
            alike = line.item, id(self._decided(line.item, line.day)), line.kind
            if alike not in known:
                known[alike] = self._included_in(n)
            for key, part in known[alike]:
                exact[key][n] = line.amount * part
        for set_ in self._order:
            if isinstance(set_.tax, Percent) and set_.key in exact:
                self._write_percent(set_, set_.tax, exact[set_.key])
            elif isinstance(set_.tax, Provided) and set_.tax.included:
                self._write_provided(set_, set_.tax)

    def _included_in(self, n: int) -> list[tuple[UUID, Fraction]]:
        """What part of a line's amount each tax is that is included in it."""
        line = self._lines[n]
        included = [
            (set_.key, set_.tax)
            for set_ in self._order
            if isinstance(set_.tax, Percent)
            and set_.tax.included
            and self._decides(set_, line.item, line.day)
            and self._is_on(set_.tax, n)
        ]
        # Of a price of 1 without tax each takes so much; with all of them the price is 1 and their sum.
        parts: dict[str, Fraction] = {}
        for _, tax in included:
            parts[tax.code] = tax.rate.of(1 + sum((parts.get(code, _ZERO) for code in tax.on_taxes), _ZERO))
        whole = 1 + sum(parts.values(), _ZERO)
        return [(key, parts[tax.code] / whole) for key, tax in included]

    def _add_percent(self, set_: SetTax, tax: Percent) -> None:
        exact: dict[int, Fraction] = {}
        for n, line in enumerate(self._lines):
            if not self._decides(set_, line.item, line.day) or not self._is_on(tax, n):
                continue
            exact[n] = tax.rate.of(self._net[n] + sum(self._shares[code].get(n, 0) for code in tax.on_taxes))
        self._write_percent(set_, tax, exact)

    def _add_amounts(self, set_: SetTax, tax: AmountTax) -> None:
        by_item = [0] * len(self._items)
        owed: Counter[int] = Counter()
        for n, (stay, _) in enumerate(self._items):
            days = frozenset(day for day in (stay.starts_on, *stay.nights) if self._decides(set_, n, day))
            if tax.is_exempt(stay) or not days:
                continue
            portions = tax.portions(replace(stay, night_prices=self._night_prices(n)), days)
            by_item[n] = sum(each * count for each, count in portions.items())
            owed += portions
            if by_item[n]:
                self._shares[tax.code][len(self._lines)] = by_item[n]
                self._lines.append(TaxableLine(n, stay.starts_on, None, by_item[n]))
                self._net.append(0)
            if by_item[n] and isinstance(tax, PerBooking):
                break
        self._write(set_, by_item, _portions_text(owed, self._currency))

    def _write_percent(self, set_: SetTax, tax: Percent, exact: dict[int, Fraction]) -> None:
        by_item = [0] * len(self._items)
        for n, share in whole_shares(tax, exact).items():
            by_item[self._lines[n].item] += self._take(tax, n, share)
        self._write(set_, by_item, f"{tax.rate} %")

    def _take(self, tax: Tax, n: int, share: int) -> int:
        """Note what a tax takes of a line; one that is included, no more than those before it have left there.

        Of a cent, two taxes that are both rounded up would take two, and leave a price of less than nothing.
        """
        if tax.is_included:
            share = min(share, max(self._net[n], 0)) if share > 0 else share
            self._net[n] -= share
        self._shares[tax.code][n] = share
        return share

    def _write_provided(self, set_: SetTax, tax: Provided) -> None:
        by_item = [0] * len(self._items)
        rates: dict[str, None] = {}
        for item in range(len(self._items)):
            amounts = {n: max(self._lines[n].amount, 0) for n in self._provided_lines(set_, tax, item)}
            counted = self._counted(set_, tax, item) if any(amounts.values()) else None
            if counted is None:
                continue
            rates[counted.rate] = None
            for n, share in zip(amounts, allocate(counted.amount, list(amounts.values())), strict=True):
                by_item[item] += self._take(tax, n, share)
        self._write(set_, by_item, ", ".join(rates))

    def _provided_lines(self, set_: SetTax, tax: Provided, item: int) -> list[int]:
        if tax.is_exempt(self._items[item][0]):
            return []
        lines = enumerate(self._lines)
        return [
            n
            for n, line in lines
            if line.item == item and line.kind is not None and self._decides(set_, item, line.day)
        ]

    def _counted(self, set_: SetTax, tax: Provided, item: int) -> CountedTax | None:
        """What the provider has counted of an item; None where it was not asked, and nothing depends on it."""
        if self._provided is not None:
            return self._provided.taxes[set_.key, item]
        if not tax.included or any(isinstance(one.tax, NightTax) and one.tax.tiers for one in self._order):
            raise NotPriced(f"{set_.name} is counted by the tax provider, which is asked for a quote.")
        return None

    def _write(self, set_: SetTax, by_item: list[int], rate: str) -> None:
        tax = set_.tax
        if not any(by_item):
            return
        self._found.append(
            TaxLine(
                code=tax.code,
                label=set_.name,
                amount=sum(by_item),
                rate=rate,
                included=tax.is_included,
                collect=tax.collect,
                by_item=tuple(by_item),
                is_owed_for_the_stay=tax.is_owed_for_the_stay,
                rule=set_.key,
                calculation=self._provided.reference if self._provided and isinstance(tax, Provided) else None,
            )
        )

    def _decided(self, item: int, day: date) -> Mapping[str, SetTax]:
        place = item, day
        if place not in self._days:
            self._days[place] = self._items[item][1].on(day)
        return self._days[place]

    def _decides(self, set_: SetTax, item: int, day: date) -> bool:
        decided = self._decided(item, day).get(set_.tax.code)
        return decided is not None and decided.key == set_.key

    def _is_on(self, tax: Percent, n: int) -> bool:
        line = self._lines[n]
        if tax.is_exempt(self._items[line.item][0]):
            return False
        if line.kind is None:
            return any(n in self._shares[code] for code in tax.on_taxes)
        return tax.is_on(line.kind)

    def _night_prices(self, item: int) -> dict[date, int]:
        prices: dict[date, int] = defaultdict(int)
        for line, net in zip(self._lines, self._net, strict=True):
            if line.item == item and line.kind not in (None, ChargeKind.BOOKING, ChargeKind.FEE):
                prices[line.day] += net
        return prices


_ZERO = Fraction(0)


def _portions_text(owed: Counter[int], currency: str) -> str:
    """Such as €4.00 × 14 + €2.00 × 7: the largest amount first."""
    return " + ".join(
        f"{Money(each, currency).text()} × {count}" for each, count in sorted(owed.items(), reverse=True) if each
    )
