"""An operation that has been answered is gone, with all that it has loaded; nobody has to search for it."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from models.database import Database
from server import graphql
from server.graphql import Schema, build_schema
from tests.resolvers.conftest import Asker, id_of
from tests.support.factories import make_resource

AVAILABILITY = """query ($input: AvailabilityInput!) { availability(input: $input) {
  vacancies refusals { code } resource { name venue { name } } alternatives { startsAt } } }"""
HOLD = """mutation ($input: BookingHoldInput!) { bookingHold(input: $input) {
  booking { items { resource { name } } } errors { code } } }"""
UNKNOWN = "{ nothing }"
WINDOW = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}


@pytest.fixture
def without_search() -> Iterator[None]:
    """As long as the test runs, nothing that refers to itself is found."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_search")
@pytest.mark.parametrize("operation", [AVAILABILITY, HOLD, UNKNOWN])
async def test_an_operation_leaves_nothing_behind(database: Database, operation: str) -> None:
    assert not await stays(database, build_schema(), operation)


@pytest.mark.usefixtures("without_search")
async def test_the_control_that_lets_the_executor_hold_itself_is_red(database: Database) -> None:
    schema = build_schema()
    schema.execution_context_class = StrawberryGraphQLCoreExecutionContext
    assert await stays(database, schema, HOLD)


@pytest.mark.usefixtures("without_search")
async def test_the_control_that_does_not_let_go_of_loaders_is_red(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql, "_forget", lambda _named: None)
    assert await stays(database, build_schema(), AVAILABILITY)


async def stays(database: Database, schema: Schema, operation: str) -> bool:
    """Whether what an operation has loaded is still there when it has been answered."""
    resource = await make_resource(database, capacity=2)
    asked = {"resourceIds": [id_of(resource)], "window": WINDOW}
    held = {"idempotencyKey": "0123456789abcdef", "items": [{"resourceId": id_of(resource), "window": WINDOW}]}
    context = Asker(schema, database).context()
    loaders = weakref.ref(context.loaders)
    variables = {AVAILABILITY: {"input": asked}, HOLD: {"input": held}}.get(operation, {})
    result = await schema.execute(operation, variables, context_value=context)
    assert bool(result.errors) == (operation == UNKNOWN)
    del context
    return loaders() is not None
