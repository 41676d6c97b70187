"""Compares JSON with the types that stripe-python declares: what Stripe's answers may and must have."""

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import stripe


class Names(dict[str, Any]):
    """The names that stripe-python imports for type checkers only; what is no class of it may be anything."""

    def __missing__(self, name: str) -> Any:
        return getattr(stripe, name, None) or getattr(stripe.tax, name, Any)


NAMES = Names()


def complaints(value: Any, hint: Any, place: str = "") -> list[str]:
    """What is wrong with `value` if it is to be a `hint`: one line each."""
    origin = get_origin(hint)
    if hint is Any or isinstance(hint, str):
        return []
    if origin in (Union, types.UnionType):
        return _of_union(value, get_args(hint), place)
    if origin is Literal:
        return [] if value in get_args(hint) else [f"{place}: {value!r} is none of its values"]
    if origin in (list, stripe.ListObject):
        items = value["data"] if origin is stripe.ListObject else value
        return [
            line
            for number, item in enumerate(items)
            for line in complaints(item, get_args(hint)[0], f"{place}[{number}]")
        ]
    if hint is type(None):
        return [] if value is None else [f"{place}: is not null"]
    if origin is not None or not isinstance(hint, type):
        return [] if isinstance(value, dict) else [f"{place}: {value!r} is no object"]
    if issubclass(hint, stripe.StripeObject):
        return _of_object(value, hint, place)
    right = isinstance(value, hint) and not (hint is int and isinstance(value, bool))
    return [] if right else [f"{place}: {value!r} is no {hint.__name__}"]


def _of_union(value: Any, options: tuple[Any, ...], place: str) -> list[str]:
    if value is None and type(None) in options:
        return []
    known = [option for option in options if get_origin(option) is Literal]
    if known and isinstance(value, str):
        return complaints(value, known[0], place)  # `Literal[…] | str` stands for values to come: none of ours
    found = [complaints(value, option, place) for option in options if option is not type(None)]
    return [] if [] in found else min(found, key=len)


def _of_object(value: Any, kind: type[stripe.StripeObject], place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: {value!r} is no object"]
    hints = get_type_hints(kind, localns=NAMES)
    unknown = [f"{place}.{name}: Stripe has no such member" for name in value if name not in hints]
    missing = [
        f"{place}.{name}: is missing"
        for name, hint in hints.items()
        if name not in value and not name.startswith("_") and not _may_be_absent(name, hint)
    ]
    wrong = [
        line
        for name, each in value.items()
        if name in hints
        for line in complaints(each, hints[name], f"{place}.{name}")
    ]
    return [*unknown, *missing, *wrong]


def _may_be_absent(name: str, hint: Any) -> bool:
    return name == "OBJECT_NAME" or (get_origin(hint) is Union and type(None) in get_args(hint))
