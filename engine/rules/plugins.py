"""Rules of other packages: found by the entry points of the group `vacancy.rules`, checked before any is used.

A package declares, in its pyproject.toml,

    [project.entry-points."vacancy.rules"]
    TIDE_TABLE = "vacancy_tides:TideTable"

where the name is the rule's type and the class derives from `engine.rules.base.Rule`.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint

from engine import installed as plugins
from engine.rules.base import ANY_TYPE, Rule

GROUP = "vacancy.rules"
TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def installed(known: Mapping[str, type[Rule]], found: Iterable[EntryPoint] | None = None) -> dict[str, type[Rule]]:
    """The rules that are installed beside those that are known, by type; `found`: in place of what is installed.

    Raises InstallationError as `engine.installed`: it is better not to start than to allow what a rule was set against.
    """
    return plugins.installed(GROUP, Rule, _fault, known, found)  # type: ignore[type-abstract]


def _fault(rule: type[Rule], name: str) -> str | None:
    """What keeps this class from being a rule of this type."""
    applies_to = getattr(rule, "applies_to", None)
    if not isinstance(applies_to, frozenset) or not applies_to or not applies_to <= ANY_TYPE:
        return common_fault(rule, name) or f"applies_to must be a frozenset of some of {', '.join(sorted(ANY_TYPE))}"
    return common_fault(rule, name)


def common_fault(rule: type, name: str) -> str | None:
    """What keeps a class from being any rule of this type: booking rules and price rules have that in common."""
    type_, summary = getattr(rule, "type", None), getattr(rule, "summary", None)
    if type_ != name or not TYPE.fullmatch(name):
        return f"has the type {type_!r}: it must be the entry point's name, of capitals, digits and _, at most 64"
    if not isinstance(summary, str) or not summary.strip():
        return "has no summary"
    if inspect.isabstract(rule):
        return f"does not define {', '.join(sorted(getattr(rule, '__abstractmethods__', ())))}"
    return None
