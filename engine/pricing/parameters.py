"""Kinds of parameters that rate plans and price rules share."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from engine.money import PERCENT_DIGITS, Percent
from engine.rules.parameters import wrong
from models.errors import InvalidInput

UNIT_AMOUNT_MAX = 10**11
"""Minor units, of one unit for one night: more than any room in any currency, and no mistake in a total."""

NAME_LENGTH_MAX = 100
CODE_PATTERN = r"^[A-Z0-9][A-Z0-9_-]{0,39}$"


def _percent(value: Any) -> Percent:
    if isinstance(value, Percent):
        return value
    try:
        return Percent.parse(value)
    except InvalidInput as error:
        raise wrong(f"should be a percentage: {error.message}") from None


_PERCENT_SCHEMA = {"type": "string", "pattern": rf"^-?[0-9]{{1,4}}(\.[0-9]{{1,{PERCENT_DIGITS}}})?$"}

PercentText = Annotated[
    Percent, BeforeValidator(_percent), PlainSerializer(str, return_type=str), WithJsonSchema(_PERCENT_SCHEMA)
]
"""A percentage as decimal text: "12.5". A JSON number is refused: it may be a float."""

Amount = Annotated[int, Field(strict=True, ge=0, le=UNIT_AMOUNT_MAX)]
SignedAmount = Annotated[int, Field(strict=True, ge=-UNIT_AMOUNT_MAX, le=UNIT_AMOUNT_MAX)]
Label = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]
Code = Annotated[str, Field(pattern=CODE_PATTERN)]
