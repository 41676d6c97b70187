"""Stripe Tax as the business needs it: counted for a quote, recorded for a booking, taken back when that is cancelled.

Nothing about the buyer is told: what is sold is used at the venue, so the venue's place is where its tax is owed.
"""

from fractions import Fraction
from typing import Any, Final

import stripe

from engine.money import rounded
from engine.payment import PaymentRefused, PaymentUnavailable
from engine.taxes.bill import BillLine, ComesBack, TaxBill, TaxCalculation, TaxKey
from engine.taxes.provided import CountedTax
from payments.calls import Calls

QUOTE_SECONDS_MAX: Final = 6.0
"""For a calculation, with all repetitions: somebody is waiting for a price."""
UNDER_WAY_MAX: Final = 32
"""Calculations of this process at once; who comes then is told to ask again."""
LINES_MAX: Final = 100
"""Of one bill: twenty items, each of one rule or, where seasons meet in a stay, of a few."""


class StripeTaxes:
    """The port TaxProvider, by stripe-python."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._calculations = calls.stripe.v1.tax.calculations
        self._transactions = calls.stripe.v1.tax.transactions
        self._under_way = 0

    async def calculate(self, bill: TaxBill) -> TaxCalculation:
        """Ask for a calculation, which has no effect by itself, and so no key that follows from anything."""
        if len(bill.lines) > LINES_MAX:
            raise PaymentRefused("too_many_lines", f"A tax is calculated of at most {LINES_MAX} lines")
        if self._under_way >= UNDER_WAY_MAX:
            raise PaymentUnavailable("As many taxes are being calculated as may be at once")
        params = _params_of(bill)
        create = self._calculations.create_async
        self._under_way += 1
        try:
            made = await self._calls.ask(lambda: create(params), seconds_max=QUOTE_SECONDS_MAX)
        finally:
            self._under_way -= 1
        assert made.id is not None, "only what is not kept has none"
        return TaxCalculation(made.id, _counted(made, bill))

    async def record(self, calculation: str, key: TaxKey) -> str:
        """Make the transaction of the calculation. Its reference follows from the booking, and Stripe has it once."""
        params: Any = {"calculation": calculation, "reference": _reference(key)}
        create = self._transactions.create_from_calculation_async
        return (await self._calls.once(_named("record", key), lambda options: create(params, options))).id

    async def reverse(self, recorded: str, key: TaxKey, comes_back: ComesBack | None) -> str:
        """Reverse the transaction; in part, each of its lines by the share of the item that it is of."""
        params: Any = {"original_transaction": recorded, "reference": f"{_reference(key)}-reversal", "mode": "full"}
        if comes_back is not None:
            params |= {"mode": "partial", "line_items": await self._reversed_lines(recorded, comes_back)}
        create = self._transactions.create_reversal_async
        return (await self._calls.once(_named("reverse", key), lambda options: create(params, options))).id

    async def _reversed_lines(self, recorded: str, comes_back: ComesBack) -> list[dict[str, Any]]:
        listed = self._transactions.line_items.list_async
        found = await self._calls.ask(lambda: listed(recorded, {"limit": LINES_MAX}))
        lines: list[dict[str, Any]] = []
        for line in found.data:
            share = comes_back.get(_item_of(line.reference), Fraction(0))
            amount, tax = rounded(line.amount * share), rounded(line.amount_tax * share)
            if amount or tax:
                reference = f"{line.reference}-reversal"
                lines.append(
                    {"original_line_item": line.id, "amount": -amount, "amount_tax": -tax, "reference": reference}
                )
        return lines


def _params_of(bill: TaxBill) -> Any:
    country, state, postal_code = bill.place
    address = {"country": country, "state": state, "postal_code": postal_code}
    return {
        "currency": bill.currency.lower(),
        "customer_details": {
            "address": {name: value for name, value in address.items() if value is not None},
            "address_source": "shipping",
        },
        "line_items": [_line(line, number) for number, line in enumerate(bill.lines)],
        "expand": ["line_items"],
    }


def _line(line: BillLine, number: int) -> dict[str, Any]:
    given = {
        "amount": line.amount,
        "reference": f"{line.item}.{number}",
        "tax_behavior": "inclusive" if line.included else "exclusive",
    }
    return given if line.product is None else given | {"tax_code": line.product}


def _counted(made: stripe.tax.Calculation, bill: TaxBill) -> tuple[CountedTax, ...]:
    """The tax of each line of the bill. Raises PaymentRefused if some of them are not in the answer."""
    found = {line.reference: line for line in (made.line_items.data if made.line_items else ())}
    references = [f"{line.item}.{number}" for number, line in enumerate(bill.lines)]
    if any(reference not in found for reference in references):
        raise PaymentRefused("lines_missing", f"The calculation {made.id} lacks lines that were asked for")
    lines = [found[reference] for reference in references]
    return tuple(CountedTax(line.amount_tax, _rate(line)) for line in lines)


def _rate(line: Any) -> str:
    """Such as "23 %"; of several jurisdictions "6.25 % + 1 %"."""
    details = [part.tax_rate_details for part in line.tax_breakdown or ()]
    rates = [each.percentage_decimal for each in details if each is not None and each.percentage_decimal]
    return " + ".join(f"{rate.rstrip('0').rstrip('.') if '.' in rate else rate} %" for rate in rates) or "0 %"


def _item_of(reference: str) -> int:
    return int(reference.split(".")[0])


def _reference(key: TaxKey) -> str:
    organization, booking = key.booking
    return f"{organization}/{booking}/{key.quote_id}"


def _named(what: str, key: TaxKey) -> str:
    """The idempotency key; should another be needed, the reference, which Stripe takes once, keeps it to one effect."""
    return f"vacancy-tax-{_reference(key)}-{what}"
