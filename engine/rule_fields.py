"""What a manager may write into a rule; everything else is InvalidInput with the path of its field."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict

from engine import fields
from engine.rule_targets import Found
from engine.rules import registry
from models.base import new_id
from models.errors import InvalidInput
from models.resource import BookingRule

RULES_MAX = 200
"""Of one venue as a whole, and of one resource."""

PRIORITY_MIN, PRIORITY_MAX = -1_000, 1_000

PARAMETERS_LENGTH_MAX = 65_536
"""Characters of a rule's parameters as JSON: 400 sessions take half of that."""


class RuleFields(TypedDict, total=False):
    """What is named is set; what is absent stays, and of a new rule is priority 0 and valid always.

    `valid_from` and `valid_until` are civil days of the venue, half-open; None: no bound.
    """

    type: str
    parameters: Mapping[str, object]
    priority: int
    valid_from: date | None
    valid_until: date | None


def merged(found: Found, changes: RuleFields, *, actor: str) -> BookingRule:
    """The rule as it is to be, checked: a value beside the row that was found, or a new row to be added.

    Raises InvalidInput for a type or parameters that no rule has, a type that has no say on the resource's kind,
    another type than the rule has, a priority out of range, a time that ends before it begins, and one rule too many.
    """
    was = found.rule
    type_ = _type(found, changes)
    valid_from = changes.get("valid_from", was.valid_from if was else None)
    valid_until = changes.get("valid_until", was.valid_until if was else None)
    _check_valid(valid_from, valid_until)
    priority = changes.get("priority", was.priority if was else 0)
    fields.check_range("priority", priority, PRIORITY_MIN, PRIORITY_MAX)
    if was is None and found.rule_count >= RULES_MAX:
        raise InvalidInput(f"There are {RULES_MAX} rules already: change or remove one.", path=("input",))
    return BookingRule(
        organization_id=found.scope.organization_id,
        id=was.id if was else new_id(),
        venue_id=found.scope.venue_id,
        resource_id=found.scope.resource_id,
        type=type_,
        parameters=_parameters(type_, changes.get("parameters", was.parameters if was else None)),
        priority=priority,
        valid_from=valid_from,
        valid_until=valid_until,
        last_actor=actor,
    )


def assign(row: BookingRule, wanted: BookingRule) -> None:
    """Write into the row what differs; if nothing does, nobody has changed anything."""
    names = ("parameters", "priority", "valid_from", "valid_until")
    changes = {name: getattr(wanted, name) for name in names if getattr(row, name) != getattr(wanted, name)}
    for name, value in (changes | {"last_actor": wanted.last_actor} if changes else {}).items():
        setattr(row, name, value)


def _type(found: Found, changes: RuleFields) -> str:
    path = ("input", "type")
    type_ = changes.get("type", found.rule.type if found.rule else None)
    if type_ is None:
        raise InvalidInput("A new rule needs a type.", path=path)
    if found.rule is not None and type_ != found.rule.type:
        raise InvalidInput("The type of a rule does not change: remove it, and make another.", path=path)
    rule = registry.RULES.get(type_)
    kind = found.availability_type
    if rule is not None and kind is not None and kind not in rule.applies_to:
        raise InvalidInput(f"A rule of type {type_} has no say on a resource of {kind}.", path=path)
    return type_


def _parameters(type_: str, parameters: Mapping[str, object] | None) -> dict[str, Any]:
    """The parameters in the form in which they are stored: defaults filled in, names as they are shown."""
    path = ("input", "parameters")
    if parameters is None:
        raise InvalidInput("A new rule needs parameters.", path=path)
    found = registry.parse(type_, parameters, path=("input",)).parameters()
    text = json.dumps(found, ensure_ascii=False)
    if len(text) > PARAMETERS_LENGTH_MAX:
        raise InvalidInput(f"The parameters have at most {PARAMETERS_LENGTH_MAX:,} characters as JSON.", path=path)
    if "\\u0000" in text or not fields.is_text(text):
        raise InvalidInput("The parameters may not have characters that can not be stored.", path=path)
    return found


def _check_valid(valid_from: date | None, valid_until: date | None) -> None:
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise InvalidInput("A rule is valid until a later day than from.", path=("input", "validUntil"))
