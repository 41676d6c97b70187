"""A cost as it is kept in a quote, and as it is read back: what is kept is JSON, and means the same for ever."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from engine.cancellation.payments import Due
from engine.cancellation.stored import as_stored, from_stored
from engine.cancellation.terms import Terms
from engine.costs import Cost
from engine.pricing.charges import Charge
from engine.taxes.base import TaxCollection, TaxLine
from models.price import Quote

_OF_TAX: Final = tuple(field.name for field in fields(TaxLine))


def kept(cost: Cost) -> dict[str, Any]:
    """The columns of a quote that say what it costs."""
    return {
        "currency": cost.currency,
        "lines": [stored_line(line) for item in cost.items for line in item.charges],
        "taxes": [stored_tax(line) for line in cost.taxes.lines],
        "terms": as_stored(cost.terms),
        "due_later": [stored_due(due) for due in cost.due_later],
        "subtotal": cost.subtotal,
        "tax": cost.tax,
        "total": cost.total,
        "due_now": cost.due_now,
        "due_at_venue": cost.due_at_venue,
    }


def stored_line(line: Charge) -> dict[str, Any]:
    """As `lines_of` reads it."""
    return {**line._asdict(), "day": line.day.isoformat()}


def stored_tax(line: TaxLine) -> dict[str, Any]:
    """As `taxes_of` reads it."""
    return {name: getattr(line, name) for name in _OF_TAX} | {"rule": None if line.rule is None else str(line.rule)}


def stored_due(due: Due) -> dict[str, Any]:
    """As `due_later_of` reads it."""
    return {"at": due.at.isoformat(), "amount": due.amount}


def lines_of(row: Quote) -> list[Charge]:
    """The lines of the prices, day by day, as they came about."""
    return [Charge(**{**line, "day": date.fromisoformat(line["day"])}) for line in row.lines]


def taxes_of(row: Quote) -> list[TaxLine]:
    """The taxes, as they were counted; `by_item` goes by the items that have a price, in their order."""
    return [
        replace(
            TaxLine(**line),
            collect=TaxCollection(line["collect"]),
            by_item=tuple(line["by_item"]),
            rule=None if line["rule"] is None else UUID(line["rule"]),
        )
        for line in row.taxes
    ]


def terms_of(row: Quote) -> Terms:
    """What comes back until when; of the items that have a price, in their order."""
    return from_stored(row.currency, row.terms, kept_before=row.kept_before, owed_least=row.owed_least)


def due_later_of(row: Quote) -> Sequence[Due]:
    """The balance of deposits."""
    return [Due(datetime.fromisoformat(due["at"]), due["amount"]) for due in row.due_later]
