"""Price rules of other packages: found by the entry points of the group `vacancy.prices`, checked before any is used.

A package declares, in its pyproject.toml,

    [project.entry-points."vacancy.prices"]
    TIDE = "vacancy_tides:TidePrice"

where the name is the rule's type and the class derives from `engine.pricing.base.PriceRule`, or from its `Adjusting`.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint

from engine import installed as plugins
from engine.pricing.base import PriceRule
from engine.rules.plugins import common_fault

GROUP = "vacancy.prices"


def installed(
    known: Mapping[str, type[PriceRule]], found: Iterable[EntryPoint] | None = None
) -> dict[str, type[PriceRule]]:
    """The price rules that are installed beside those that are known, by type; `found`: in place of what is installed.

    Raises InstallationError as `engine.installed`: it is better not to start than to charge something else.
    """
    return plugins.installed(GROUP, PriceRule, _fault, known, found)  # type: ignore[type-abstract]


def _fault(rule: type[PriceRule], name: str) -> str | None:
    step = getattr(rule, "step", None)
    if not isinstance(step, int) or isinstance(step, bool):
        return common_fault(rule, name) or "step must be a whole number"
    return common_fault(rule, name)
