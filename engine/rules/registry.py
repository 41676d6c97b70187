"""The kinds of rules by name, and how a set of rules is asked.

To add a kind: write its file, add its class to `RULES`, write its table test.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from pydantic import ValidationError

from engine.rules import limits
from engine.rules.approval_required import ApprovalRequired
from engine.rules.base import START_TIME, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.buffers import Buffers
from engine.rules.capacity_share import CapacityShare
from engine.rules.customer_limit import CustomerLimit
from engine.rules.gap import Gap
from engine.rules.no_overlap import NoOverlap
from engine.rules.opening_hours import OpeningHours
from engine.rules.pacing import Pacing
from engine.rules.session_times import SessionTimes
from engine.rules.start_grid import StartGrid
from models.errors import InvalidInput

RULES: Mapping[str, type[Rule]] = MappingProxyType(
    {
        rule.type: rule
        for rule in (
            OpeningHours,
            StartGrid,
            SessionTimes,
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
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"{type}: parameters should be an object", path=(*path, "parameters"))
    try:
        return rule.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = [str(part)[:64] for part in first["loc"]]
        message = f"{type}: {'.'.join(field)}: {first['msg']}"
        raise InvalidInput(message, path=(*path, "parameters", *field)) from None


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
