"""An operation that has been answered is gone, with all that it has loaded; nobody has to search for it."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from models.database import Database
from server.graphql import build_schema
from tests.resolvers.conftest import Asker, id_of
from tests.support.factories import make_resource

AVAILABILITY = """query ($input: AvailabilityInput!) { availability(input: $input) {
  vacancies refusals { code } resource { name venue { name } } alternatives { startsAt } } }"""
HOLD = """mutation ($input: BookingHoldInput!) { bookingHold(input: $input) {
  booking { items { resource { name } } } errors { code } } }"""
WINDOW = {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}


@pytest.fixture
def without_search() -> Iterator[None]:
    """As long as the test runs, nothing that refers to itself is found."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_search")
async def test_an_operation_leaves_nothing_behind(database: Database) -> None:
    resource = await make_resource(database, capacity=2)
    ask = Asker(build_schema(), database)
    asked = {"resourceIds": [id_of(resource)], "window": WINDOW}
    held = {"idempotencyKey": "0123456789abcdef", "items": [{"resourceId": id_of(resource), "window": WINDOW}]}
    for operation, variables in ((AVAILABILITY, {"input": asked}), (HOLD, {"input": held}), ("{ nothing }", {})):
        context = ask.context()
        loaders = weakref.ref(context.loaders)
        result = await ask.schema.execute(operation, variables, context_value=context)
        assert result.data is not None or operation == "{ nothing }"
        del context
        assert loaders() is None, operation
