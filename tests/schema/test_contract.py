"""The contract: what clients are written against is in the schema, with the same types, defaults and nullability."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    build_ast_schema,
    parse,
    print_ast,
)

from models import errors
from schema.error_codes import ErrorCode
from server.graphql import build_schema

CONTRACT = Path(__file__).parent / "contract.graphql"
PRINTED = Path(__file__).parents[2] / "schema" / "schema.graphql"


def facts(document: DocumentNode) -> Iterator[str]:
    """Everything that a document promises, a line each: "Venue.name: String!", "Query.node(id: ID!): Node"."""
    for node in document.definitions:
        match node:
            case EnumTypeDefinitionNode():
                yield from (f"{node.name.value}.{value.name.value}" for value in node.values or ())
            case InputObjectTypeDefinitionNode():
                for given in node.fields or ():
                    default = f" = {print_ast(given.default_value)}" if given.default_value else ""
                    yield f"{node.name.value}.{given.name.value}: {print_ast(given.type)}{default}"
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                yield from (f"{node.name.value} implements {one.name.value}" for one in node.interfaces or ())
                for field in node.fields or ():
                    yield from of_field(node.name.value, field)
            case _:
                yield print_ast(node).splitlines()[-1].split(" @")[0]


def of_field(owner: str, field: FieldDefinitionNode) -> Iterator[str]:
    yield f"{owner}.{field.name.value}: {print_ast(field.type)}"
    for argument in field.arguments or ():
        default = f" = {print_ast(argument.default_value)}" if argument.default_value else ""
        yield f"{owner}.{field.name.value}({argument.name.value}: {print_ast(argument.type)}{default})"


@pytest.fixture(scope="module")
def sdl() -> str:
    return build_schema().as_str() + "\n"


def test_the_contract_is_kept(sdl: str) -> None:
    promised, kept = set(facts(parse(CONTRACT.read_text()))), set(facts(parse(sdl)))
    assert len(promised) > 200
    assert sorted(promised - kept) == []


def test_a_broken_promise_is_seen(sdl: str) -> None:
    """The control: a field that may all at once be null."""
    promised = set(facts(parse(CONTRACT.read_text())))
    broken = sdl.replace("timeZone: String!", "timeZone: String")
    assert broken != sdl
    assert "Venue.timeZone: String!" in promised - set(facts(parse(broken)))


def test_what_a_client_must_give_is_in_the_contract(sdl: str) -> None:
    """An argument that is added must not be needed: clients that were written before do not give it."""
    promised = {fact.split(":")[0] for fact in facts(parse(CONTRACT.read_text()))}
    owners = {fact.split("(")[0] for fact in promised if "(" in fact} | {fact.split(".")[0] for fact in promised}
    for fact in facts(parse(sdl)):
        name, _, type_ = fact.partition(": ")
        if "(" in name and name not in promised and name.split("(")[0] in owners:
            assert not type_.rstrip(")").endswith("!"), fact


def test_the_printed_schema_is_the_schema(sdl: str) -> None:
    assert PRINTED.read_text() == sdl, "run: .venv/bin/vacancy schema > schema/schema.graphql"
    build_ast_schema(parse(sdl))


def test_everything_is_described() -> None:
    nameless = []
    for name, type_ in build_schema()._schema.type_map.items():
        if name.startswith("__"):
            continue
        if not type_.description:
            nameless.append(name)
        for member, described in {**getattr(type_, "fields", {}), **getattr(type_, "values", {})}.items():
            if not described.description:
                nameless.append(f"{name}.{member}")
            for argument, taken in getattr(described, "args", {}).items():
                # Of `input` the type says all that is to be said.
                if not taken.description and argument != "input":
                    nameless.append(f"{name}.{member}({argument})")
    assert nameless == []


def test_every_code_of_a_refusal_is_an_error_code() -> None:
    codes = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BookingError)
    }
    assert codes <= set(ErrorCode)
