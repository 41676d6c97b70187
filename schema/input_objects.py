"""Input objects, made from what graphql-core has read: how each is made is found out once, and not for every operation.

Strawberry resolves the annotation of every field of every input anew each time, which took a tenth of the time of a
mutation in Python. `from_input` is its own way to say how an input is made.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING
from typing import Any

import strawberry
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryContainer,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    StrawberryType,
    has_object_definition,
)
from strawberry.types.lazy_type import LazyType

Make = Callable[[type, Mapping[str, Any], InputContext], Any]


def make_inputs_at_once(schema: strawberry.Schema) -> None:
    """Tell each input of the schema how it is made; the result is what Strawberry itself would make."""
    for concrete in schema.schema_converter.type_map.values():
        definition = concrete.definition
        if isinstance(definition, StrawberryObjectDefinition) and definition.is_input:
            definition.from_input = _maker(definition, schema)


def _maker(definition: StrawberryObjectDefinition, schema: strawberry.Schema) -> Make:
    fields = [
        (schema.config.name_converter.from_field(field), field.python_name, field.resolve_type())
        for field in definition.fields
    ]
    plain = [(shown, name) for shown, name, type_ in fields if _is_plain(type_)]
    nested = [(shown, name, type_) for shown, name, type_ in fields if not _is_plain(type_)]
    absent = dict.fromkeys(_without_default(definition))

    def make(class_: type, value: Mapping[str, Any], context: InputContext) -> Any:
        made: dict[str, Any] = dict(absent)
        for shown, name in plain:
            if shown in value:
                made[name] = value[shown]
        for shown, name, type_ in nested:
            if shown in value:
                made[name] = context.convert(value[shown], type_, shown)
        return class_(**made)

    return make


def _without_default(definition: StrawberryObjectDefinition) -> Iterable[str]:
    """Those that may be left out by a client are None then; those that may not are there."""
    return [
        field.python_name
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    ]


def _is_plain(type_: StrawberryType | type[Any]) -> bool:
    """Whether graphql-core has already made what the resolver gets: scalars and enumerations, nullable or not."""
    if isinstance(type_, StrawberryOptional) and not isinstance(type_, StrawberryMaybe):
        type_ = type_.of_type
    return not isinstance(type_, StrawberryContainer | LazyType) and not has_object_definition(type_)
