"""The taxes of a resource, of what was stored."""

from collections.abc import Sequence

from engine.rules.placed import placement
from engine.taxes import registry
from engine.taxes.deciding import SetTax, TaxSet
from models.price import TaxRule


def tax_set(rows: Sequence[TaxRule]) -> TaxSet:
    """These taxes, as they decide over what is owed at a resource."""
    read = [(row, registry.stored(row.type, row.parameters)) for row in rows]
    return TaxSet(
        tuple(SetTax(tax=tax, key=row.id, name=row.name, **placement(row)) for row, tax in read if tax is not None),
        unreadable=tuple(row.type for row, tax in read if tax is None),
    )
