"""Every root field, and every type, has a declared rule; a rule that is declared is enforced."""

from collections.abc import AsyncIterator, Iterator

import pytest
import strawberry
from graphql import GraphQLObjectType

from engine.viewer import GUEST, Role, Viewer
from models.base import new_id
from models.errors import Forbidden, Unauthenticated
from resolvers.access import MutationRule, query
from schema.access import Access, AccessRule, require
from schema.visibility import TYPE_RULES
from server.graphql import Schema
from tests.resolvers.conftest import Asker

ROOTS = ("Query", "Mutation", "Subscription")


def undeclared(schema: strawberry.Schema) -> Iterator[str]:
    """Root fields without exactly one rule, mutations whose refusals are no payload, and types without a rule."""
    for root in ROOTS:
        type_ = schema._schema.type_map.get(root)
        assert isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items():
            definition = field.extensions["strawberry-definition"]
            rules = [extension for extension in definition.extensions if isinstance(extension, AccessRule)]
            if len(rules) != 1 or (root == "Mutation" and not isinstance(rules[0], MutationRule)):
                yield f"{root}.{name}"
            elif rules[0].access.value not in (field.description or ""):
                yield f"{root}.{name} does not say so"
    for name, named in schema._schema.type_map.items():
        if isinstance(named, GraphQLObjectType) and not name.startswith("__") and name not in (*ROOTS, *TYPE_RULES):
            yield name


def test_everything_has_a_rule(schema: Schema) -> None:
    assert list(undeclared(schema)) == []


def test_no_rule_is_for_what_is_not_there(schema: Schema) -> None:
    assert set(TYPE_RULES) <= set(schema._schema.type_map)


def test_what_has_no_rule_is_seen() -> None:
    """The control: a field, a mutation and a type that somebody forgot."""

    @strawberry.type
    class Secret:
        word: str

    async def declared() -> str:
        return "open"

    @strawberry.type
    class Query:
        open = query(Access.PUBLIC, description="For all.")(declared)

        @strawberry.field
        async def forgotten(self) -> Secret:
            return Secret(word="open")

    @strawberry.type
    class Mutation:
        untyped = query(Access.PUBLIC, description="Its refusals would be no payload.")(declared)

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def watched(self) -> AsyncIterator[str]:
            yield "seen"

    assert sorted(undeclared(strawberry.Schema(Query, Mutation, Subscription))) == [
        "Mutation.untyped",
        "Query.forgotten",
        "Secret",
        "Subscription.watched",
    ]


def viewer(role: Role) -> Viewer:
    return GUEST if role is Role.GUEST else Viewer(role, new_id(), "somebody")


LEAST = {
    Access.PUBLIC: Role.GUEST,
    Access.BOOKING_HOLDER: Role.CUSTOMER,
    Access.ENTRY_HOLDER: Role.CUSTOMER,
    Access.SERIES_HOLDER: Role.CUSTOMER,
    Access.CUSTOMER: Role.CUSTOMER,
    Access.STAFF: Role.STAFF,
    Access.MANAGER: Role.MANAGER,
}


@pytest.mark.parametrize("access", Access)
@pytest.mark.parametrize("role", Role)
def test_a_rule_lets_in_who_is_meant(access: Access, role: Role) -> None:
    if role.at_least(LEAST[access]):
        require(access, viewer(role))
    else:
        with pytest.raises(Unauthenticated if role is Role.GUEST else Forbidden):
            require(access, viewer(role))


def test_a_token_lets_a_guest_in_to_what_it_opens_only() -> None:
    require(Access.ENTRY_HOLDER, GUEST, shows_token=True)
    require(Access.SERIES_HOLDER, GUEST, shows_token=True)
    require(Access.BOOKING_HOLDER, GUEST, shows_token=True)
    for access in (Access.CUSTOMER, Access.STAFF, Access.MANAGER):
        with pytest.raises(Unauthenticated):
            require(access, GUEST, shows_token=True)


async def test_a_query_refuses_as_an_error_of_the_request(ask: Asker) -> None:
    [error] = await ask.errors("{ bookings { edges { cursor } } }")
    assert error["extensions"] == {"code": "UNAUTHENTICATED", "retryable": False}
    assert error["path"] == ["bookings"]


@pytest.mark.parametrize(
    ("role", "code"), [(Role.GUEST, "UNAUTHENTICATED"), (Role.CUSTOMER, "FORBIDDEN"), (Role.PARTNER, "FORBIDDEN")]
)
async def test_a_mutation_refuses_in_its_payload(ask: Asker, role: Role, code: str) -> None:
    operation = """mutation {
      venueCreate(input: {
        idempotencyKey: "0123456789abcdef", slug: "new", name: "New", timeZone: "UTC", currency: "EUR", country: "PT"
      }) { venue { id } errors { code retryable } }
    }"""
    data = await ask(operation, viewer=viewer(role))
    assert data["venueCreate"] == {"venue": None, "errors": [{"code": code, "retryable": False}]}


@pytest.mark.parametrize("mutation", ["bookingExtend", "bookingRelease", "bookingConfirm", "bookingCancel"])
async def test_a_guest_needs_a_token(ask: Asker, mutation: str) -> None:
    given = '{ idempotencyKey: "0123456789abcdef", bookingId: "x" }'
    operation = f"mutation {{ {mutation}(input: {given}) {{ booking {{ id }} errors {{ code }} }} }}"
    data = await ask(operation)
    assert data[mutation] == {"booking": None, "errors": [{"code": "UNAUTHENTICATED"}]}
