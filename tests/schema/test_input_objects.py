"""Inputs made at once are those that Strawberry makes."""

from datetime import datetime
from enum import Enum

import pytest
import strawberry
from strawberry.types import get_object_definition

from schema.input_objects import make_inputs_at_once


@strawberry.enum
class Kind(Enum):
    """Of something."""

    ONE = "one"
    OTHER = "other"


@strawberry.input
class Part:
    """Within another input."""

    number: int
    at: datetime | None = None
    kind: Kind = Kind.ONE


@strawberry.input
class Whole:
    """All that our inputs have."""

    name: str
    part: Part
    parts: list[Part]
    others: list[Part] | None = None
    tags: list[str] | None = None
    kinds: list[Kind] = strawberry.field(default_factory=lambda: [Kind.OTHER])
    maybe: Part | None = None
    note: str | None = strawberry.UNSET
    text: str | None


@strawberry.type
class Query:
    """Tells what it was given."""

    @strawberry.field
    def told(self, whole: Whole) -> str:
        return repr(whole)


PART = '{number: 2, at: "2030-01-01T10:00:00Z", kind: OTHER}'


@pytest.mark.parametrize(
    "whole",
    [
        f'{{name: "a", part: {PART}, parts: []}}',
        f'{{name: "a", part: {PART}, parts: [{PART}, {{number: 3}}], text: null}}',
        f'{{name: "a", part: {{number: 1, at: null}}, parts: {PART}, others: null, tags: ["x"], kinds: []}}',
        f'{{name: "a", part: {PART}, parts: [], maybe: {PART}, note: null, kinds: [ONE], others: [{PART}]}}',
    ],
)
def test_what_is_made_is_the_same(whole: str) -> None:
    query = f"{{ told(whole: {whole}) }}"
    schema = strawberry.Schema(Query)
    expected = schema.execute_sync(query)
    assert expected.errors is None

    make_inputs_at_once(schema)
    try:
        assert schema.execute_sync(query).data == expected.data
    finally:
        for input_ in (Part, Whole):
            get_object_definition(input_, strict=True).from_input = None
