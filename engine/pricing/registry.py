"""The kinds of price rules by name, in the order in which they are asked."""

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from engine.pricing.base import PriceRule
from engine.pricing.event_dates import EventDates
from engine.pricing.lead_time import LeadTime
from engine.pricing.length_of_stay import LengthOfStay
from engine.pricing.missing import MissingPriceRule
from engine.pricing.occupancy import Occupancy
from engine.pricing.partner import Partner
from engine.pricing.party_size import PartySizePrice
from engine.pricing.plans import RatePlan
from engine.pricing.plugins import installed
from engine.pricing.promo_code import PromoCode
from engine.pricing.season import Season
from engine.pricing.weekday import Weekday
from engine.rules.parsing import parsed
from models.errors import InvalidInput

BUILT_IN: Mapping[str, type[PriceRule]] = MappingProxyType(
    {
        rule.type: rule
        for rule in (
            Season,
            Weekday,
            EventDates,
            Occupancy,
            LeadTime,
            LengthOfStay,
            PartySizePrice,
            Partner,
            PromoCode,
        )
    }
)

PRICE_RULES: Mapping[str, type[PriceRule]] = MappingProxyType(
    dict(sorted({**BUILT_IN, **installed(BUILT_IN)}.items(), key=lambda item: (item[1].step, item[0])))
)
"""All kinds that there are, in the order in which they are asked: by step, of equal ones by type.

Importing this raises `InstallationError` if one of another package can not be used.
"""

_UNREADABLE = RatePlan(derived_from="UNREADABLE", change=0)

logger = logging.getLogger(__name__)


def parse(type: str, parameters: Mapping[str, object], *, path: Sequence[str] = ()) -> PriceRule:
    """The price rule of this type with these parameters (as in JSON).

    Raises InvalidInput if there is no such type or the parameters do not fit it; the error's path is `path` and then
    "type", or "parameters" and the first field that does not fit, which the message names too.
    """
    rule = PRICE_RULES.get(type)
    if rule is None:
        message = f"unknown type of price rules: {type[:64]!r}; known are {', '.join(PRICE_RULES)}"
        raise InvalidInput(message, path=(*path, "type"))
    return parsed(rule, parameters, called=type, path=path)


def parse_plan(parameters: Mapping[str, object], *, path: Sequence[str] = ()) -> RatePlan:
    """The rate plan with these parameters (as in JSON); raises InvalidInput as `parse`."""
    return parsed(RatePlan, parameters, called="rate plan", path=path)


def stored(type: str, parameters: Mapping[str, object]) -> PriceRule:
    """The rule that was stored with this type and these parameters, also where its package is no longer installed.

    What can not be read as a rule any more becomes one that lets nothing be priced: a rule that is ignored would charge
    what nobody has set. Logged once per type.
    """
    try:
        return parse(type, parameters)
    except InvalidInput as error:
        _warn_once(type, error.message if type in PRICE_RULES else "no installed package has this type")
        return MissingPriceRule(missing=type)


def stored_plan(parameters: Mapping[str, object]) -> RatePlan:
    """The rate plan that was stored with these parameters.

    One that can not be read any more becomes one that has no price: what is derived from a plan that can not exist.
    """
    try:
        return parse_plan(parameters)
    except InvalidInput as error:
        _warn_once("rate plan", error.message)
        return _UNREADABLE


@lru_cache(maxsize=1024)
def _warn_once(type: str, reason: str) -> None:
    logger.warning("stored price rules of type %s can not be read: nothing is priced by them (%s)", type, reason)
