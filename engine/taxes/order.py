"""Taxes on taxes: each is counted after those that it is on. What goes in a circle can not be set."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from graphlib import CycleError, TopologicalSorter
from uuid import UUID

from engine.taxes.base import Tax
from engine.taxes.deciding import SetTax
from engine.taxes.percent import Percent
from engine.taxes.provided import Provided
from models.errors import InvalidInput


def in_order(sets: Sequence[Sequence[SetTax]]) -> list[SetTax]:
    """The rules of several items, each once and after those that it is on; of several that could be next, by code.

    A rule is on those of its own item only: what goes in a circle over two resources, and in none of them, is none.
    Raises ValueError if they do go in one: `check_order` refuses to set such.
    """
    rules = {rule.key: rule for taxes in sets for rule in taxes}
    depends_on: dict[UUID, set[UUID]] = {key: set() for key in rules}
    for taxes in sets:
        by_code: Mapping[str, list[UUID]] = defaultdict(list)
        for rule in taxes:
            by_code[rule.tax.code].append(rule.key)
        for rule in taxes:
            depends_on[rule.key].update(key for code in rule.tax.depends_on for key in by_code[code])
    sorter = TopologicalSorter(depends_on)
    sorter.prepare()
    ordered: list[SetTax] = []
    while sorter.is_active():
        ready = sorted((rules[key] for key in sorter.get_ready()), key=_place)
        ordered += ready
        sorter.done(*(rule.key for rule in ready))
    return ordered


def check_order(taxes: Sequence[Tax], *, path: Sequence[str]) -> None:
    """Raises InvalidInput, with this path, if taxes of these can not be counted together.

    They are all that could ever decide together, whatever the day: no circle, no included tax on one that is not an
    included percentage, and no tax on a code that nobody has. A tax provider counts all percentages, or none.
    """
    _check_provided(taxes, path)
    codes = {tax.code for tax in taxes}
    inside = {tax.code for tax in taxes if isinstance(tax, Percent) and tax.included}
    outside = {tax.code for tax in taxes if not (isinstance(tax, Percent) and tax.included)}
    depends_on: dict[str, set[str]] = defaultdict(set)
    for tax in taxes:
        depends_on[tax.code].update(tax.depends_on)
        for code in tax.depends_on:
            if code not in codes:
                raise InvalidInput(f"{tax.code} is on {code}, and there is no such tax here.", path=path)
            if tax.code in inside and code in outside:
                message = f"{tax.code} is included in the price, and {code}, which it is on, is not."
                raise InvalidInput(message, path=path)
    try:
        TopologicalSorter(depends_on).prepare()
    except CycleError as error:
        circle = " on ".join(error.args[1])
        raise InvalidInput(f"Taxes can not be on one another in a circle: {circle}.", path=path) from None


def _check_provided(taxes: Sequence[Tax], path: Sequence[str]) -> None:
    """Seasons of one code may be of either kind; what is counted here is not on what is counted elsewhere."""
    provided = {tax.code for tax in taxes if isinstance(tax, Provided)}
    for tax in taxes:
        if isinstance(tax, Percent | Provided) and provided - {tax.code}:
            message = f"{min(provided - {tax.code})} is counted by the tax provider, as are all percentages then."
            raise InvalidInput(f"{message} {tax.code} can not be beside it.", path=path)
        for code in provided.intersection(tax.depends_on):
            raise InvalidInput(f"{tax.code} can not be on {code}: the tax provider counts that.", path=path)


def _place(rule: SetTax) -> tuple[str, date, int]:
    return rule.tax.code, rule.valid_from or date.min, rule.key.int
