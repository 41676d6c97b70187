"""Declaring a field that is computed."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def field(description: str) -> Callable[[Resolver], Resolver]:
    """`strawberry.field` with a description, and with a type: the method stays what it is to a type checker."""
    return cast("Callable[[Resolver], Resolver]", strawberry.field(description=description))
