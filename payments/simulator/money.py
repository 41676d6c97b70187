"""How many decimals a currency has, where the simulator writes money for people to read."""

from typing import Final

# docs.stripe.com/currencies: amounts are in the smallest unit, and these have no smaller one, or a thousandth.
ZERO_DECIMAL: Final = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)
THREE_DECIMAL: Final = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
SYMBOLS: Final = {"eur": "€", "gbp": "£", "usd": "$"}


def shown_money(amount: int, currency: str) -> str:
    """An amount of minor units as in `€12.50`."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, part = divmod(amount, 10**decimals)
    symbol = SYMBOLS.get(currency, f"{currency.upper()} ")
    return f"{symbol}{whole}" + (f".{part:0{decimals}}" if decimals else "")
