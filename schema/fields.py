"""Fields that are computed: how one is declared, and how a list is shown."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import strawberry

from schema.context import Info

Resolver = TypeVar("Resolver", bound=Callable[..., Any])
Row = TypeVar("Row")
Shown = TypeVar("Shown")


def field(description: str) -> Callable[[Resolver], Resolver]:
    """`strawberry.field` with a description, and with a type: the method stays what it is to a type checker."""
    return cast("Callable[[Resolver], Resolver]", strawberry.field(description=description))


def shown(info: Info, rows: Sequence[Row], show: Callable[[Row], Shown]) -> list[Shown]:
    """The rows, for clients; InvalidInput when the operation has asked for too much already."""
    info.context.loaders.budget.spend_elements(len(rows))
    return [show(row) for row in rows]
