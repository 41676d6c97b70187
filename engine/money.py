"""Money: whole minor units of one currency, exact fractions of it, and the few ways to make whole units of those again.

No float is anywhere: it can not hold 0.1, so a total of floats is not the sum of its lines. Whoever brings one gets a
TypeError, which is a defect of ours and never an answer to a client.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_symbol, is_currency

from models.errors import InvalidInput

AMOUNT_MAX = 2**53 - 1
"""Minor units: what a JSON number holds exactly. A larger amount, of either sign, can not be made."""

PERCENT_DIGITS = 4  # after the point: 9.9751 % is finer than any tax that there is
PERCENT_MAX = 1_000
LOCALE_LENGTH_MAX = 35  # RFC 5646, section 4.4.1

# ISO 4217, list one, wherever the minor unit is not a hundredth. CLDR (babel) is not asked: it has what people of a
# country are used to see, such as no digits for the Serbian dinar, which banks count in hundredths.
_AFRICA = {"BIF", "DJF", "GNF", "KMF", "RWF", "UGX", "XAF", "XOF"}
_ELSEWHERE = {"CLP", "ISK", "JPY", "KRW", "PYG", "UYI", "VND", "VUV", "XPF"}
_THREE = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
_DIGITS = {**dict.fromkeys(_AFRICA | _ELSEWHERE, 0), **dict.fromkeys(_THREE, 3), "CLF": 4, "UYW": 4}
_CURRENCY = re.compile(r"[A-Z]{3}")
_PERCENT = re.compile(rf"(-?)([0-9]{{1,4}})(?:\.([0-9]{{1,{PERCENT_DIGITS}}}))?")
_PERCENT_UNIT = 10**PERCENT_DIGITS


class Rounding(StrEnum):
    """How a fraction of a minor unit becomes a whole one; the sign of the amount makes no difference to its size."""

    HALF_UP = "HALF_UP"  # to the nearest, a half away from zero
    HALF_EVEN = "HALF_EVEN"  # to the nearest, a half to the even one
    UP = "UP"  # away from zero
    DOWN = "DOWN"  # towards zero


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, yen, millimes) of an ISO 4217 currency; negative where it is taken off.

    Two amounts are added, subtracted and compared only in one currency; anything else is a ValueError.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        _check_whole(self.amount)
        if abs(self.amount) > AMOUNT_MAX:
            raise ValueError("an amount of more than 2^53 - 1 minor units")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError("a currency is three capital letters")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact: 12.50 of 1,250 cents."""
        return Decimal(self.amount).scaleb(-minor_digits(self.currency))

    def text(self, locale: str | None = None) -> str:
        """As people who read this language write it: "12,50 €" in "pt-PT". Digits are those of the minor unit.

        `locale` is a language tag of BCP 47 (or with underscores). One that is not known is read as its language alone,
        and where that is not known either, as English: an amount can always be shown.
        """
        known = _locale(locale or "en")
        return format_currency(
            self.decimal, self.currency, _pattern(known, self.currency), locale=known, currency_digits=False
        )

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.amount


@dataclass(frozen=True, slots=True, order=True)
class Percent:
    """A percentage of at most four decimals, exact: 12.5 % is 125,000 millionths of the whole."""

    millionths: int

    @classmethod
    def parse(cls, text: object) -> "Percent":
        """Of decimal text such as "12.5" or "-10"; raises InvalidInput for anything else, a number too.

        From -1000 to 1000, at most four digits after the point, no exponent, no plus, no percent sign.
        """
        found = _PERCENT.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            message = f'A percentage is decimal text, such as "12.5", with at most {PERCENT_DIGITS} decimals.'
            raise InvalidInput(message)
        sign, whole, part = found.groups()
        size = int(whole) * _PERCENT_UNIT + int((part or "").ljust(PERCENT_DIGITS, "0"))
        if size > PERCENT_MAX * _PERCENT_UNIT:
            raise InvalidInput(f"A percentage is from -{PERCENT_MAX} to {PERCENT_MAX}.")
        return cls(-size if sign else size)

    @property
    def fraction(self) -> Fraction:
        """Of the whole: 1/8 of "12.5"."""
        return Fraction(self.millionths, 100 * _PERCENT_UNIT)

    def of(self, amount: int | Fraction) -> Fraction:
        """So much of this amount, exact: round it once, where the line is written."""
        exact = _exact(amount)
        return Fraction(exact.numerator * self.millionths, exact.denominator * 100 * _PERCENT_UNIT)

    def whole_of(self, amount: int, rounding: Rounding = Rounding.HALF_UP) -> int:
        """So much of this amount, rounded: as `rounded` of `of`, in a fifth of the time."""
        return quotient(amount * self.millionths, 100 * _PERCENT_UNIT, rounding)

    def __str__(self) -> str:
        """As `parse` reads it, without needless zeros: "12.5"."""
        whole, part = divmod(abs(self.millionths), _PERCENT_UNIT)
        digits = f"{part:0{PERCENT_DIGITS}}".rstrip("0")
        return ("-" if self.millionths < 0 else "") + (f"{whole}.{digits}" if digits else str(whole))


def rounded(value: int | Fraction, rounding: Rounding = Rounding.HALF_UP) -> int:
    """The whole number for this exact one. `Fraction(1, 2)`: 1 with HALF_UP and UP, 0 with HALF_EVEN and DOWN."""
    exact = _exact(value)
    return quotient(exact.numerator, exact.denominator, rounding)


def quotient(amount: int, divisor: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """The whole number for so much divided by so much, which is above 0; rounded as `rounded` does."""
    _check_whole(amount, divisor)
    size, rest = divmod(abs(amount), divisor)
    if rounding is Rounding.UP:
        size += rest > 0
    elif rounding is Rounding.HALF_UP:
        size += 2 * rest >= divisor
    elif rounding is Rounding.HALF_EVEN:
        size += 2 * rest > divisor or (2 * rest == divisor and size % 2 == 1)
    return -size if amount < 0 else size


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """The total in as many whole parts as there are weights, in proportion to them; their sum is the total, exactly.

    By largest remainder: each part is its exact share without the fraction, and the units that are left go, one each,
    to the parts whose fractions are largest, of equal ones to the first. Of a negative total, the parts of the positive
    one with the sign changed. Weights that are all 0 count as equal. Raises ValueError for none, or a negative one.
    """
    _check_whole(total, *weights)
    if not weights or min(weights) < 0:
        raise ValueError("allocate needs at least one weight, and none below 0")
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    shares = list(weights) if any(weights) else [1] * len(weights)
    whole = sum(shares)
    parts = [total * share // whole for share in shares]
    by_rest = sorted(range(len(shares)), key=lambda n: (-(total * shares[n] % whole), n))
    for n in by_rest[: total - sum(parts)]:
        parts[n] += 1
    return parts


def minor_digits(currency: str) -> int:
    """How many decimals of the currency its minor unit is, by ISO 4217: 2 of EUR, 0 of JPY, 3 of TND."""
    return _DIGITS.get(currency, 2)


def is_known_currency(currency: str) -> bool:
    """Whether there is, or has been, such a currency."""
    return bool(_CURRENCY.fullmatch(currency)) and is_currency(currency)


def _exact(value: int | Fraction) -> Fraction:
    if isinstance(value, Fraction):
        return value
    _check_whole(value)
    return Fraction(value)


def _check_whole(*values: object) -> None:
    for value in values:
        if type(value) is not int and (not isinstance(value, int) or isinstance(value, bool)):
            raise TypeError(f"money is counted in whole numbers, not in {type(value).__name__}")


@lru_cache(maxsize=256)
def _locale(tag: str) -> Locale:
    language = re.split("[-_]", tag, maxsplit=1)[0]
    for candidate in (tag, language):
        try:
            return Locale.parse(candidate[:LOCALE_LENGTH_MAX].replace("-", "_"))
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


@lru_cache(maxsize=1024)
def _pattern(locale: Locale, currency: str) -> str:
    """The pattern of a language for amounts above and below zero, with as many decimals as the currency has.

    Where a letter would touch a digit there is a no-break space: "DZD 200.00", but "€200.00". That is what CLDR says of
    all languages (UTS #35, part 3, currencySpacing); babel 2.18 has not the data of it.
    """
    digits = minor_digits(currency)
    pattern = re.sub(
        r"(?<=[0#])\.[0#]+", "." + "0" * digits if digits else "", locale.currency_formats["standard"].pattern
    )
    symbol = get_currency_symbol(currency, locale)
    if _is_letter(symbol[-1]):
        pattern = re.sub(r"¤(?=[0#])", "¤\u00a0", pattern)
    return re.sub(r"(?<=[0#])¤", "\u00a0¤", pattern) if _is_letter(symbol[0]) else pattern


def _is_letter(character: str) -> bool:
    """Neither a symbol nor a space, by its category in Unicode."""
    return unicodedata.category(character)[0] not in "SZ"
