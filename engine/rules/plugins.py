"""Rules of other packages: found by the entry points of the group `vacancy.rules`, checked before any is used.

A package declares, in its pyproject.toml,

    [project.entry-points."vacancy.rules"]
    TIDE_TABLE = "vacancy_tides:TideTable"

where the name is the rule's type and the class derives from `engine.rules.base.Rule`.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from engine.rules.base import ANY_TYPE, Rule
from models.errors import InstallationError

GROUP = "vacancy.rules"
PLUGINS_MAX = 200
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def installed(known: Mapping[str, type[Rule]], found: Iterable[EntryPoint] | None = None) -> dict[str, type[Rule]]:
    """The rules that are installed beside those that are known, by type; `found`: in place of what is installed.

    Raises InstallationError, which names the package, for one that can not be imported, that is no complete rule, or
    whose type another has too: it is better not to start than to allow what a rule was set against.
    """
    entries = sorted(entry_points(group=GROUP) if found is None else found, key=lambda entry: entry.name)
    if len(entries) > PLUGINS_MAX:
        raise InstallationError(f"more than {PLUGINS_MAX} rules are installed in the group {GROUP}")
    rules: dict[str, type[Rule]] = {}
    for entry in entries:
        if entry.name in known or entry.name in rules:
            raise _broken(entry, "another rule has this type")
        rules[entry.name] = _checked(entry)
    return rules


def _checked(entry: EntryPoint) -> type[Rule]:
    try:
        rule = entry.load()
    except Exception as error:
        raise _broken(entry, f"can not be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(rule, type) and issubclass(rule, Rule)):
        raise _broken(entry, "is no class that derives from engine.rules.base.Rule")
    fault = _fault(rule, entry.name)
    if fault is not None:
        raise _broken(entry, fault)
    return rule


def _fault(rule: type[Rule], name: str) -> str | None:
    """What keeps this class from being a rule of this type."""
    type_, summary = getattr(rule, "type", None), getattr(rule, "summary", None)
    applies_to = getattr(rule, "applies_to", None)
    if type_ != name or not _TYPE.fullmatch(name):
        return f"has the type {type_!r}: it must be the entry point's name, of capitals, digits and _, at most 64"
    if not isinstance(summary, str) or not summary.strip():
        return "has no summary"
    if not isinstance(applies_to, frozenset) or not applies_to or not applies_to <= ANY_TYPE:
        return f"applies_to must be a frozenset of some of {', '.join(sorted(ANY_TYPE))}"
    if inspect.isabstract(rule):
        return f"does not define {', '.join(sorted(rule.__abstractmethods__))}"
    return None


def _broken(entry: EntryPoint, fault: str) -> InstallationError:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    message = f"the rule {entry.name} of {package} ({entry.value}) can not be used: {fault}"
    return InstallationError(" ".join(message.split()))
