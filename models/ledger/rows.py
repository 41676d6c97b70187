"""Rows that PostgreSQL has made JSON of, as values.

Without a mapper's help, which took a sixth of the time that a hold takes in Python.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, get_args

Convert = Callable[[Any], object] | None
"""How a value is made of what JSON has; None: it is that already."""


def columns_of(kind: type) -> dict[str, Convert]:
    """The columns that the fields of a dataclass are of, in their order, converted by the types of the fields."""
    return {each.name: _convert(each.type) for each in fields(kind)}


def values_of(row: Mapping[str, Any], columns: Mapping[str, Convert]) -> list[Any]:
    """The values of these columns, in their order; what else the row has is left out."""
    values = []
    for name, convert in columns.items():
        value = row[name]
        values.append(value if convert is None or value is None else convert(value))
    return values


def _convert(kind: object) -> Convert:
    if isinstance(kind, UnionType):
        (kind,) = (option for option in get_args(kind) if option is not NoneType)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    return _CONVERTED.get(kind)


def _ids(texts: Sequence[str]) -> tuple[uuid.UUID, ...]:
    return tuple(uuid.UUID(text) for text in texts)


_CONVERTED: Final[Mapping[object, Convert]] = {
    uuid.UUID: uuid.UUID,
    datetime: datetime.fromisoformat,
    Sequence[uuid.UUID]: _ids,
}
