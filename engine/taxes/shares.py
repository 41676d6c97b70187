"""Whole minor units of exact ones: a percentage over the lines of a booking, rounded as the tax says."""

from collections.abc import Mapping
from fractions import Fraction
from math import lcm

from engine.money import allocate, rounded
from engine.taxes.percent import Percent


def whole_shares(tax: Percent, exact: Mapping[int, Fraction]) -> dict[int, int]:
    """What the tax takes of each line, by the line's number.

    Per LINE each is rounded by itself. Per TOTAL the exact sum is rounded once, and then divided over the lines in
    proportion (`engine.money.allocate`), so that the parts of a booking always make the whole.
    """
    if tax.rounded_per == "LINE" or not exact:
        return {number: rounded(value, tax.rounding) for number, value in exact.items()}
    total = rounded(sum(exact.values(), Fraction(0)), tax.rounding)
    common = lcm(*(value.denominator for value in exact.values()))
    weights = [abs(value.numerator) * (common // value.denominator) for value in exact.values()]
    return dict(zip(exact, allocate(total, weights), strict=True))
