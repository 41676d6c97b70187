import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from babel.numbers import list_currencies
from hypothesis import given
from hypothesis import strategies as st

from engine.money import (
    AMOUNT_MAX,
    Money,
    Percent,
    Rounding,
    allocate,
    is_known_currency,
    minor_digits,
    quotient,
    rounded,
)
from models.errors import InvalidInput

HALF_UP, HALF_EVEN, UP, DOWN = Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.UP, Rounding.DOWN
amounts = st.integers(-AMOUNT_MAX, AMOUNT_MAX)


def test_money_adds_and_compares_in_one_currency() -> None:
    ten, three = Money(1_000, "EUR"), Money(300, "EUR")

    assert (ten + three, ten - three, -three) == (Money(1_300, "EUR"), Money(700, "EUR"), Money(-300, "EUR"))
    assert (three < ten, ten > three, ten >= ten, ten <= three) == (True, True, True, False)
    assert (bool(ten), bool(Money(0, "EUR"))) == (True, False)


@pytest.mark.parametrize("does", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a >= b])
def test_money_of_two_currencies_does_not_mix(does: Any) -> None:
    with pytest.raises(ValueError, match="EUR and JPY do not mix"):
        does(Money(1, "EUR"), Money(1, "JPY"))


@pytest.mark.parametrize("amount", [1.0, 0.1, Decimal(1), Fraction(1), "1", True, None])
def test_money_is_made_of_whole_numbers_only(amount: Any) -> None:
    with pytest.raises(TypeError):
        Money(amount, "EUR")


@pytest.mark.parametrize("value", [0.5, 1.0, Decimal("0.5")])
def test_floats_are_refused_wherever_they_come_in(value: Any) -> None:
    for refused in (lambda: rounded(value), lambda: Percent.parse("10").of(value), lambda: allocate(value, [1])):
        with pytest.raises(TypeError):
            refused()


def test_an_amount_that_json_can_not_hold_is_not_made() -> None:
    assert Money(AMOUNT_MAX, "EUR").amount == 2**53 - 1
    with pytest.raises(ValueError, match="2\\^53"):
        Money(AMOUNT_MAX, "EUR") + Money(1, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "E€R", ""])
def test_a_currency_is_three_capitals(currency: str) -> None:
    with pytest.raises(ValueError, match="three capital letters"):
        Money(1, currency)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("DZD", 2), ("JPY", 0), ("KRW", 0), ("TND", 3), ("KWD", 3), ("CLF", 4), ("RSD", 2), ("IQD", 3)],
)
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(("currency", "known"), [("EUR", True), ("XQQ", False), ("eur", False), ("EURO", False)])
def test_known_currencies(currency: str, known: bool) -> None:
    assert is_known_currency(currency) is known


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (1_250, "EUR", "en", "€12.50"),
        (1_250, "EUR", "pt-PT", "12,50\u00a0€"),
        (1_250, "EUR", "pt_PT", "12,50\u00a0€"),
        (-1_250, "EUR", "en", "-€12.50"),
        (123_456_789, "EUR", "nl", "€\u00a01.234.567,89"),
        (1_250, "JPY", "ja", "￥1,250"),
        (1_250, "TND", "fr-TN", "1,250\u00a0DT"),
        (1_250, "RSD", "sr", "12,50\u00a0RSD"),
        (0, "EUR", None, "€0.00"),
        (20_000, "DZD", "en", "DZD\u00a0200.00"),
        (-20_000, "DZD", "en", "-DZD\u00a0200.00"),
        (20_000, "DZD", "fr-DZ", "200,00\u00a0DA"),
        (20_000, "DZD", "de", "200,00\u00a0DZD"),
        (20_000, "DZD", "pt-PT", "200,00\u00a0DZD"),
        (20_000, "DZD", "ar-DZ", "\u200f200,00\u00a0د.ج.\u200f"),
        (-20_000, "DZD", "de-CH", "DZD-200.00"),
        (1_250, "USD", "en-GB", "US$12.50"),
        (1_250, "CHF", "en", "CHF\u00a012.50"),
        (1_250, "CHF", "de-CH", "CHF\u00a012.50"),
        (1_250, "JPY", "en", "¥1,250"),
        (1_250, "XOF", "en", "F\u202fCFA\u00a01,250"),
        (1_250, "KRW", "ko", "₩1,250"),
        (1_250, "ISK", "is", "1.250\u00a0kr."),
        (1_250, "ISK", "en", "ISK\u00a01,250"),
        (1_250, "TND", "en", "TND\u00a01.250"),
        (1_250, "KWD", "en-KW", "KWD\u00a01.250"),
        (1_250, "JOD", "ar-JO", "\u200f1.250\u00a0د.أ.\u200f"),
        (1_250, "BHD", "ja", "BHD\u00a01.250"),
        (1_250, "EUR", "xx-YY", "€12.50"),
        (1_250, "EUR", "fr-XX", "12,50\u00a0€"),
        (1_250, "EUR", "../../etc/passwd", "€12.50"),
        (1_250, "EUR", "z" * 10_000, "€12.50"),
    ],
)
def test_money_is_written_as_people_write_it(amount: int, currency: str, locale: str | None, text: str) -> None:
    assert Money(amount, currency).text(locale) == text


def test_every_currency_can_be_written_and_read_back() -> None:
    for currency in list_currencies():
        money = Money(123_456, currency)
        digits = "".join(symbol for symbol in money.text("en") if symbol.isdigit())
        assert digits == "123456", currency
        assert money.decimal * 10 ** minor_digits(currency) == 123_456


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("12.5", Fraction(1, 8)),
        ("-10", Fraction(-1, 10)),
        ("0", Fraction(0)),
        ("9.975", Fraction(399, 4000)),
        ("0.0001", Fraction(1, 10**6)),
        ("1000", Fraction(10)),
    ],
)
def test_percentages_are_exact(text: str, fraction: Fraction) -> None:
    percent = Percent.parse(text)

    assert percent.fraction == fraction
    assert str(percent) == text
    assert percent.of(2_000) == 2_000 * fraction


@pytest.mark.parametrize(
    "text", ["", "10%", "+1", "1e1", "1.00001", "1000.0001", ".5", "5.", "1,5", " 1", "nan", "١", 10, 0.1, None]
)
def test_other_percentages_are_refused(text: Any) -> None:
    with pytest.raises(InvalidInput):
        Percent.parse(text)


@pytest.mark.parametrize(
    ("value", "half_up", "half_even", "up", "down"),
    [
        (Fraction(1, 2), 1, 0, 1, 0),
        (Fraction(3, 2), 2, 2, 2, 1),
        (Fraction(5, 2), 3, 2, 3, 2),
        (Fraction(1, 3), 0, 0, 1, 0),
        (Fraction(2, 3), 1, 1, 1, 0),
        (Fraction(-1, 2), -1, 0, -1, 0),
        (Fraction(-5, 2), -3, -2, -3, -2),
        (Fraction(-1, 3), 0, 0, -1, 0),
        (Fraction(7), 7, 7, 7, 7),
        (-7, -7, -7, -7, -7),
        (0, 0, 0, 0, 0),
    ],
)
def test_rounding(value: int | Fraction, half_up: int, half_even: int, up: int, down: int) -> None:
    assert [rounded(value, how) for how in (HALF_UP, HALF_EVEN, UP, DOWN)] == [half_up, half_even, up, down]


@given(st.fractions(), st.sampled_from(Rounding))
def test_rounding_moves_by_less_than_one_and_knows_no_sign(value: Fraction, how: Rounding) -> None:
    assert abs(rounded(value, how) - value) < 1
    assert rounded(-value, how) == -rounded(value, how)


@given(st.integers(), st.integers(min_value=1), st.sampled_from(Rounding))
def test_a_quotient_is_the_rounded_fraction(amount: int, divisor: int, how: Rounding) -> None:
    assert quotient(amount, divisor, how) == rounded(Fraction(amount, divisor), how)


@given(st.integers(-(10**15), 10**15), st.integers(-(10**7), 10**7), st.sampled_from(Rounding))
def test_so_much_of_it_is_the_same_in_whole_numbers(amount: int, millionths: int, how: Rounding) -> None:
    assert Percent(millionths).whole_of(amount, how) == rounded(Percent(millionths).of(amount), how)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10, [3, 7], [3, 7]),
        (5, [1, 3], [1, 4]),  # 1.25 and 3.75: the unit that is left goes to the larger fraction
        (2, [0, 0, 0], [1, 1, 0]),
        (7, [0, 5], [0, 7]),
        (0, [2, 3], [0, 0]),
    ],
)
def test_allocation_by_largest_remainder(total: int, weights: list[int], parts: list[int]) -> None:
    assert allocate(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_allocation_needs_weights_from_zero_on(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one weight"):
        allocate(1, weights)


@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_parts_sum_to_the_total_and_are_fair(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)

    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(abs(part - Fraction(total * weight, whole)) < 1 for part, weight in zip(parts, weights, strict=True))


def test_floats_would_lose_cents() -> None:
    """The control: what this module does, done with floats, is wrong within a few tries."""
    chance = random.Random(5)
    for _ in range(1_000):
        lines = [chance.randrange(1, 100_000) for _ in range(30)]
        if sum(line / 100 for line in lines) * 100 != sum(lines):
            return
    raise AssertionError("a thousand sums of floats were exact")
