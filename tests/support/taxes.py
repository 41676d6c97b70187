"""A tax provider that knows one rate, for tests that are not about providers."""

from engine.taxes.bill import ComesBack, TaxBill, TaxCalculation, TaxKey
from engine.taxes.provided import CountedTax


class FlatTaxes:
    """A tenth of everything, rounded down; it keeps nothing."""

    async def calculate(self, bill: TaxBill) -> TaxCalculation:
        """A tenth of each line."""
        return TaxCalculation("calculation", tuple(CountedTax(line.amount // 10, "10 %") for line in bill.lines))

    async def record(self, calculation: str, key: TaxKey) -> str:
        """The same reference each time."""
        return f"recorded-{key.quote_id}"

    async def reverse(self, recorded: str, key: TaxKey, comes_back: ComesBack | None) -> str:
        """The same reference each time."""
        return f"reversed-{key.quote_id}"
