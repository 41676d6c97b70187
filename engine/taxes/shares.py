"""Whole minor units of exact ones: a percentage over the lines of a booking, rounded as the tax says."""

from collections.abc import Mapping
from fractions import Fraction
from math import lcm

from engine.money import allocate, quotient, rounded
from engine.taxes.percent import Percent


def whole_shares(tax: Percent, exact: Mapping[int, Fraction]) -> dict[int, int]:
    """What the tax takes of each line, by the line's number.

    Per LINE each is rounded by itself. Per TOTAL the exact sum is rounded once, and then divided over the lines in
    proportion (`engine.money.allocate`), so that the parts of a booking always make the whole.
    """
    if tax.rounded_per == "LINE" or not exact:
        return {number: rounded(value, tax.rounding) for number, value in exact.items()}
    common = lcm(*(value.denominator for value in exact.values()))
    parts = [value.numerator * (common // value.denominator) for value in exact.values()]
    total = quotient(sum(parts), common, tax.rounding)
    return dict(zip(exact, allocate(total, [abs(part) for part in parts]), strict=True))
