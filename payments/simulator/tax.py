"""What tax calculations and transactions share: lines, the rates of the simulated account, and exact rounding."""

from fractions import Fraction
from typing import Any, Final, NamedTuple

from payments.simulator.documents import Document, new_id
from payments.simulator.parameters import (
    ADDRESS,
    Parameters,
    integer,
    metadata,
    object_of,
    one_of,
    optional,
    required,
    text,
)

TAX_CODE_DEFAULT: Final = "txcd_10000000"


class Rate(NamedTuple):
    """The tax of a country: a name, its kind, and percent as written."""

    country: str
    display_name: str
    tax_type: str
    percentage: str


# The standard rates of the example venues' countries and their neighbours, as examples: a test sets what it needs.
RATES: Final = {
    rate.country: rate
    for rate in (
        Rate("DE", "MwSt.", "vat", "19.0"),
        Rate("DZ", "TVA", "vat", "19.0"),
        Rate("ES", "IVA", "vat", "21.0"),
        Rate("FR", "TVA", "vat", "20.0"),
        Rate("PT", "IVA", "vat", "23.0"),
    )
}

CUSTOMER_DETAILS: Final = object_of(
    {
        "address": optional(ADDRESS),
        "address_source": optional(one_of("billing", "shipping")),
        "ip_address": optional(text(50)),
        "taxability_override": optional(one_of("customer_exempt", "none", "reverse_charge")),
    }
)
LINE: Final[Parameters] = {
    "amount": required(integer(-99_999_999, 99_999_999)),
    "metadata": optional(metadata),
    "product": optional(text(100)),
    "quantity": optional(integer(0, 1_000_000)),
    "reference": optional(text(500)),
    "tax_behavior": optional(one_of("exclusive", "inclusive")),
    "tax_code": optional(text(50)),
}
REVERSED_LINE: Final[Parameters] = {
    "amount": required(integer(-99_999_999, 0)),
    "amount_tax": required(integer(-99_999_999, 0)),
    "metadata": optional(metadata),
    "original_line_item": required(text(100)),
    "quantity": optional(integer(0, 1_000_000)),
    "reference": required(text(500)),
}


def taxed(given: dict[str, Any], rate: Rate | None, position: int) -> Document:
    """A line of a calculation: the tax in it, or on it, each line rounded by itself, halves away from zero."""
    inclusive = given.get("tax_behavior", "exclusive") == "inclusive"
    share = Fraction(rate.percentage) / 100 if rate is not None else Fraction(0)
    money: int = given["amount"]
    tax = _rounded(money * share / (1 + share) if inclusive else money * share)
    taxable = money - tax if inclusive else money
    return {
        "id": new_id("tax_li"),
        "object": "tax.calculation_line_item",
        "amount": money,
        "amount_tax": tax,
        "livemode": False,
        "metadata": given.get("metadata"),
        "product": given.get("product"),
        "quantity": given.get("quantity", 1),
        "reference": given.get("reference", f"L{position + 1}"),
        "tax_behavior": "inclusive" if inclusive else "exclusive",
        "tax_breakdown": [_breakdown(rate, tax, taxable)],
        "tax_code": given.get("tax_code", TAX_CODE_DEFAULT),
    }


def customer_details(given: dict[str, Any]) -> Document:
    """What an answer tells of the customer."""
    address = given.get("address")
    return {
        "address": None
        if address is None
        else {**dict.fromkeys(("city", "line1", "line2", "postal_code", "state")), **address},
        "address_source": given.get("address_source"),
        "ip_address": given.get("ip_address"),
        "tax_ids": [],
        "taxability_override": given.get("taxability_override", "none"),
    }


def _breakdown(rate: Rate | None, tax: int, taxable: int) -> Document:
    country = rate.country if rate is not None else "US"
    return {
        "amount": tax,
        "jurisdiction": {"country": country, "display_name": country, "level": "country", "state": None},
        "sourcing": "destination",
        "tax_rate_details": None
        if rate is None
        else {
            "display_name": rate.display_name,
            "percentage_decimal": rate.percentage,
            "tax_type": rate.tax_type,
        },
        "taxability_reason": "not_collecting" if rate is None else "standard_rated",
        "taxable_amount": 0 if rate is None else taxable,
    }


def _rounded(value: Fraction) -> int:
    magnitude = (abs(value) * 2 + 1) // 2
    return int(magnitude if value >= 0 else -magnitude)
