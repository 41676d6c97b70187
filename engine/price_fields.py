"""What a manager may write into a plan, a rule, a tax or a policy; all else is InvalidInput with its field's path."""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict

from engine import fields
from engine.cancellation import deciding as policies
from engine.price_targets import NAMES, Found, Setting, SettingRow
from engine.pricing import registry
from engine.pricing.parameters import CODE_PATTERN, NAME_LENGTH_MAX
from engine.pricing.plans import RatePlan as PlanParameters
from engine.rule_fields import PARAMETERS_LENGTH_MAX, PRIORITY_MAX, PRIORITY_MIN
from engine.rules.parsing import Parameters
from engine.taxes import registry as taxes
from models.base import new_id
from models.errors import InvalidInput
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule

SETTINGS_MAX = 100
"""Rate plans of one venue as a whole, and of one resource; price rules, taxes and policies likewise."""

_CODE = re.compile(CODE_PATTERN)


class PriceFields(TypedDict, total=False):
    """What is named is set; what is absent stays, and of a new one is priority 0 and valid always.

    `identity` is the code of a rate plan or a policy, or the type of a rule. `valid_from` and `valid_until` are civil
    days of the venue, half-open; None: no bound.
    """

    identity: str
    name: str
    parameters: Mapping[str, object]
    priority: int
    valid_from: date | None
    valid_until: date | None


def merged(found: Found[Setting], changes: PriceFields, *, actor: str) -> Setting:
    """The plan or rule as it is to be, checked: a value beside the row that was found, or a new row to be added.

    Raises InvalidInput for a code, type, name or parameters that can not be, for what has no say on the resource's
    kind, another code or type than it has, a priority out of range, days that end before they begin, and one too many.
    """
    was = found.row
    noun = NAMES[found.model][0]
    if was is None and found.count >= SETTINGS_MAX:
        raise InvalidInput(f"There are {SETTINGS_MAX} of this already: change or remove one.", path=("input",))
    identity = _identity(found, changes)
    name = changes.get("name", was.name if was else None)
    if name is None:
        raise InvalidInput(f"A new {noun} needs a name.", path=("input", "name"))
    valid_from = changes.get("valid_from", was.valid_from if was else None)
    valid_until = changes.get("valid_until", was.valid_until if was else None)
    check_valid(valid_from, valid_until)
    priority = changes.get("priority", was.priority if was else 0)
    fields.check_range("priority", priority, PRIORITY_MIN, PRIORITY_MAX)
    return found.model(
        organization_id=found.scope.organization_id,
        id=was.id if was else new_id(),
        venue_id=found.scope.venue_id,
        resource_id=found.scope.resource_id,
        name=checked_name(name),
        parameters=_parameters(found, identity, changes.get("parameters", was.parameters if was else None)),
        priority=priority,
        valid_from=valid_from,
        valid_until=valid_until,
        last_actor=actor,
        **_identified(found, identity),
    )


def assign(row: Setting, wanted: Setting) -> None:
    """Write into the row what differs; if nothing does, nobody has changed anything."""
    names = ("name", "parameters", "priority", "valid_from", "valid_until")
    changes = {name: getattr(wanted, name) for name in names if getattr(row, name) != getattr(wanted, name)}
    for name, value in (changes | {"last_actor": wanted.last_actor} if changes else {}).items():
        setattr(row, name, value)


def identity_of(row: SettingRow) -> str:
    """The code of a rate plan or a policy, or the type of a rule."""
    return row.type if isinstance(row, PriceRule | TaxRule) else row.code


def checked_code(code: str) -> str:
    """The code; InvalidInput unless it is 1 to 40 of A to Z, 0 to 9, - and _, a letter or digit first."""
    if not _CODE.fullmatch(code):
        message = "A code is 1 to 40 of A to Z, 0 to 9, - and _, a letter or digit first."
        raise InvalidInput(message, path=("input", "code"))
    return code


def checked_name(name: str) -> str:
    """The name, trimmed; InvalidInput unless it is 1 to 100 characters that can be stored."""
    text = name.strip()
    if not 1 <= len(text) <= NAME_LENGTH_MAX or not fields.is_text(text) or "\x00" in text:
        raise InvalidInput(f"A name has 1 to {NAME_LENGTH_MAX} characters.", path=("input", "name"))
    return text


def check_valid(valid_from: date | None, valid_until: date | None) -> None:
    """InvalidInput if the days end before they begin."""
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise InvalidInput("It is valid until a later day than from.", path=("input", "validUntil"))


def _identity(found: Found[Any], changes: PriceFields) -> str:
    field = _field(found.model)
    was = None if found.row is None else identity_of(found.row)
    identity = changes.get("identity", was)
    if identity is None:
        raise InvalidInput(f"A new {NAMES[found.model][0]} needs a {field}.", path=("input", field))
    if was is not None and identity != was:
        message = f"The {field} of a {NAMES[found.model][0]} does not change: remove it, and make another."
        raise InvalidInput(message, path=("input", field))
    return checked_code(identity) if field == "code" else identity


def _identified(found: Found[Any], identity: str) -> dict[str, Any]:
    return {_field(found.model): identity}


def _field(model: type[SettingRow]) -> str:
    return "code" if issubclass(model, RatePlan | CancellationPolicy) else "type"


def _parameters(found: Found[Any], identity: str, parameters: Mapping[str, object] | None) -> dict[str, Any]:
    """The parameters in the form in which they are stored: names as they are shown, no defaults."""
    path = ("input", "parameters")
    if parameters is None:
        raise InvalidInput(f"A new {NAMES[found.model][0]} needs parameters.", path=path)
    stored = _parsed(found, identity, parameters).parameters()
    text = json.dumps(stored, ensure_ascii=False)
    if len(text) > PARAMETERS_LENGTH_MAX:
        raise InvalidInput(f"The parameters have at most {PARAMETERS_LENGTH_MAX:,} characters as JSON.", path=path)
    if "\\u0000" in text or not fields.is_text(text):
        raise InvalidInput("The parameters may not have characters that can not be stored.", path=path)
    return stored


def _parsed(found: Found[Any], identity: str, parameters: Mapping[str, object]) -> Parameters:
    if found.model is PriceRule:
        return registry.parse(identity, parameters, path=("input",))
    if found.model is TaxRule:
        return taxes.parse(identity, parameters, path=("input",))
    if found.model is CancellationPolicy:
        return policies.parse(parameters, path=("input",))
    plan = registry.parse_plan(parameters, path=("input",))
    _check_fits(found, plan)
    if plan.derived_from == identity:
        path = ("input", "parameters", "derivedFrom")
        raise InvalidInput("A rate plan is not derived from itself.", path=path)
    return plan


def _check_fits(found: Found[Any], plan: PlanParameters) -> None:
    kind = found.availability_type
    if kind is not None and not plan.fits(kind):
        path = ("input", "parameters", "every")
        raise InvalidInput(f"A resource of {kind} is not sold by {plan.every}.", path=path)
