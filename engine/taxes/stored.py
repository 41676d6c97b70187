"""The taxes of a resource, of what was stored."""

from collections.abc import Sequence

from engine.taxes import registry
from engine.taxes.deciding import SetTax, TaxSet
from models.price import TaxRule


def tax_set(rows: Sequence[TaxRule]) -> TaxSet:
    """These taxes, as they decide over what is owed at a resource."""
    read = [(row, registry.stored(row.type, row.parameters)) for row in rows]
    return TaxSet(
        tuple(
            SetTax(
                tax=tax,
                key=row.id,
                name=row.name,
                of_resource=row.resource_id is not None,
                priority=row.priority,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                age=row.id.int,
            )
            for row, tax in read
            if tax is not None
        ),
        unreadable=tuple(row.type for row, tax in read if tax is None),
    )
