"""Kinds of taxes of other packages: found by the entry points of the group `vacancy.taxes`, checked before any is used.

A package declares, in its pyproject.toml,

    [project.entry-points."vacancy.taxes"]
    PORT_DUES = "vacancy_tides:PortDues"

where the name is the kind's type and the class derives from `engine.taxes.amount.AmountTax`, or from `PersonTax` there
or `engine.taxes.nights.NightTax`: so much for each of something. What is a share of the price is a PERCENT.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint

from engine import installed as plugins
from engine.rules.plugins import common_fault
from engine.taxes.amount import AmountTax

GROUP = "vacancy.taxes"


def installed(known: Iterable[str], found: Iterable[EntryPoint] | None = None) -> dict[str, type[AmountTax]]:
    """The kinds of taxes that are installed beside those that are known, by type; `found`: in place of these.

    Raises InstallationError as `engine.installed`: it is better not to start than to charge something else.
    """
    return plugins.installed(GROUP, AmountTax, _fault, known, found)  # type: ignore[type-abstract]


def _fault(kind: type[AmountTax], name: str) -> str | None:
    if not isinstance(getattr(kind, "example", None), Mapping):
        return common_fault(kind, name) or "has no example"
    return common_fault(kind, name)
