"""The kinds of taxes by name.

To add a kind, follow the recipe at the end of docs/taxes.md.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from engine.rules.parsing import parsed
from engine.taxes.base import Tax
from engine.taxes.per_booking import PerBooking
from engine.taxes.per_night import PerNight
from engine.taxes.per_person_night import PerPersonNight
from engine.taxes.per_stay import PerStay
from engine.taxes.percent import Percent
from engine.taxes.plugins import installed
from engine.taxes.provided import Provided
from models.errors import InvalidInput

TaxClass: TypeAlias = type[Tax]

BUILT_IN: Mapping[str, TaxClass] = MappingProxyType(
    {tax.type: tax for tax in (Percent, PerNight, PerPersonNight, PerStay, PerBooking, Provided)}
)

TAXES: Mapping[str, TaxClass] = MappingProxyType({**BUILT_IN, **installed(BUILT_IN)})
"""All kinds that there are. Importing this raises `InstallationError` if one of another package can not be used."""

logger = logging.getLogger(__name__)


def parse(type: str, parameters: Mapping[str, object], *, path: Sequence[str] = ()) -> Tax:
    """The tax of this type with these parameters (as in JSON).

    Raises InvalidInput if there is no such type or the parameters do not fit it; the error's path is `path` and then
    "type", or "parameters" and the first field that does not fit, which the message names too.
    """
    kind = TAXES.get(type)
    if kind is None:
        raise InvalidInput(f"unknown type of tax: {type[:64]!r}; known are {', '.join(TAXES)}", path=(*path, "type"))
    return parsed(kind, parameters, called=type, path=path)


def stored(type: str, parameters: Mapping[str, object]) -> Tax | None:
    """The tax that was stored with this type and these parameters; None if it can not be read any more, logged once."""
    try:
        return parse(type, parameters)
    except InvalidInput as error:
        _warn_once(type, error.message)
        return None


@lru_cache(maxsize=1024)
def _warn_once(type: str, reason: str) -> None:
    logger.warning("stored taxes of type %s can not be read: what they are set for has no price (%s)", type, reason)
