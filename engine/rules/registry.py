"""The kinds of rules by name, and how a set of rules is asked.

To add a kind, follow the recipe in CONTRIBUTING.md.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from engine.rules import limits
from engine.rules.activities import Activities
from engine.rules.approval_required import ApprovalRequired
from engine.rules.base import START_TIME, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.blackout import Blackout
from engine.rules.buffers import Buffers
from engine.rules.capacity_share import CapacityShare
from engine.rules.closed_to_arrival import ClosedToArrival
from engine.rules.closed_to_departure import ClosedToDeparture
from engine.rules.customer_limit import CustomerLimit
from engine.rules.duration import Duration
from engine.rules.gap import Gap
from engine.rules.guest_types import GuestTypes
from engine.rules.missing import MissingRule
from engine.rules.no_overlap import NoOverlap
from engine.rules.notice import Notice
from engine.rules.opening_hours import OpeningHours
from engine.rules.pacing import Pacing
from engine.rules.parsing import parsed
from engine.rules.party_size import PartySize
from engine.rules.plugins import installed
from engine.rules.session_times import SessionTimes
from engine.rules.start_grid import StartGrid
from engine.rules.stay_length import StayLength
from engine.rules.stay_through import StayThrough
from engine.rules.stop_sell import StopSell
from models.errors import InvalidInput

BUILT_IN: Mapping[str, type[Rule]] = MappingProxyType(
    {
        rule.type: rule
        for rule in (
            OpeningHours,
            StartGrid,
            SessionTimes,
            Blackout,
            StopSell,
            Notice,
            Duration,
            PartySize,
            GuestTypes,
            Activities,
            StayLength,
            StayThrough,
            ClosedToArrival,
            ClosedToDeparture,
            CustomerLimit,
            NoOverlap,
            Pacing,
            CapacityShare,
            Gap,
            Buffers,
            ApprovalRequired,
        )
    }
)

RULES: Mapping[str, type[Rule]] = MappingProxyType({**BUILT_IN, **installed(BUILT_IN)})
"""All kinds that there are: our own, and those of other packages that are installed, found once when this is imported.

Importing this raises `InstallationError` if one of them can not be used.
"""

logger = logging.getLogger(__name__)

# A resource of sessions that nobody has given any must refuse everything, not allow everything.
_NO_SESSIONS = SessionTimes(weekly=())


def parse(type: str, parameters: Mapping[str, object], *, path: Sequence[str] = ()) -> Rule:
    """The rule of this type with these parameters (as in JSON).

    Raises InvalidInput if there is no such type or the parameters do not fit it; the error's path is `path` and then
    "type", or "parameters" and the first field that does not fit, which the message names too.
    """
    rule = RULES.get(type)
    if rule is None:
        raise InvalidInput(f"unknown rule type: {type[:64]!r}; known are {', '.join(RULES)}", path=(*path, "type"))
    return parsed(rule, parameters, called=type, path=path)


def stored(type: str, parameters: Mapping[str, object]) -> Rule:
    """The rule that was stored with this type and these parameters, also where its package is no longer installed.

    What can not be read as a rule any more becomes one that refuses everything and says so: a rule that is ignored
    would let through what it was set against. Logged once per type.
    """
    try:
        return parse(type, parameters)
    except InvalidInput as error:
        _warn_once(type, error.message if type in RULES else "no installed package has this type")
        return MissingRule(missing=type)


def summary(type: str) -> str:
    """What rules of this type refuse, in words; also of one that is not installed."""
    return RULES[type].summary if type in RULES else MissingRule.summary


@lru_cache(maxsize=1024)
def _warn_once(type: str, reason: str) -> None:
    logger.warning("stored rules of type %s can not be read: what they are set for is refused (%s)", type, reason)


def evaluate(rules: Iterable[Rule], request: RuleRequest, facts: RuleFacts) -> list[Refusal]:
    """Every reason why the request can not be booked; none means that the rules allow it.

    The order is stated: first the platform's limits (see limits.py), and if one refuses, only these, so that an
    unbounded request costs nothing; else the refusals of the rules, in the order in which the rules are given. A rule
    has no say on a resource of a kind that it does not apply to.
    """
    return limits.evaluate(request, facts) or [
        refusal
        for rule in applicable(rules, facts.availability_type)
        if (refusal := rule.evaluate(request, facts)) is not None
    ]


def applicable(rules: Iterable[Rule], availability_type: str) -> list[Rule]:
    """The rules that have a say on resources of this kind, in order; for START_TIME there is always one on sessions."""
    found = [rule for rule in rules if availability_type in rule.applies_to]
    if availability_type == START_TIME and not any(isinstance(rule, SessionTimes) for rule in found):
        found.append(_NO_SESSIONS)
    return found
