"""Kinds of parameters that taxes share, and how they are checked."""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from engine.money import PERCENT_DIGITS, Percent
from engine.pricing.parameters import Amount, PercentText
from engine.rules.guest_types import TYPE_PATTERN, TYPES_MAX
from engine.rules.parameters import distinct, wrong

CODES_MAX = 20
BANDS_MAX = 20
TIERS_MAX = 20

CODE_PATTERN = r"^[A-Z][A-Z0-9_]{0,39}$"

_ALL = Percent.parse("100")
_NONE = Percent.parse("0")


def _share(rate: Percent) -> Percent:
    if not _NONE <= rate <= _ALL:
        raise wrong("should be from 0 to 100")
    return rate


_SHARE_SCHEMA = {"type": "string", "pattern": rf"^[0-9]{{1,3}}(\.[0-9]{{1,{PERCENT_DIGITS}}})?$"}

Rate = Annotated[PercentText, AfterValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]
"""A percentage from 0 to 100 as decimal text: "6", "8.875"."""

MinorUnits = Amount
"""An amount in minor units of the venue's currency: cents, yen, millimes."""

Code = Annotated[str, Field(pattern=CODE_PATTERN)]
Codes = Annotated[tuple[Code, ...], Field(max_length=CODES_MAX), AfterValidator(distinct)]
GuestTypeNames = Annotated[
    tuple[Annotated[str, Field(pattern=TYPE_PATTERN)], ...], Field(max_length=TYPES_MAX), AfterValidator(distinct)
]
