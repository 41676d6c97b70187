"""What a client is told when something goes wrong: refusals as they are, of defects nothing."""

import logging
from typing import Any

import asyncpg
import pytest
import sqlalchemy.exc
from graphql import get_introspection_query
from sqlalchemy import text

from models.base import new_id
from models.database import Database
from models.errors import Busy
from server import document_limits
from server.document_limits import ALIASES_MAX, QUERY_LENGTH_MAX
from tests.resolvers.conftest import Asker
from tests.support.factories import make_venue

SECRET = "a-contact-nobody-may-read"


async def stream(ask: Asker, operation: str) -> list[Any]:
    """The results of an operation as a WebSocket gets them."""
    results = await ask.schema.stream(operation, context_value=ask.context())
    return [result async for result in results]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect: what reads venues raises something that nobody expects, and that must not be told."""

    async def fail(*arguments: Any) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("resolvers.venues.find_venue", fail)


VENUE = "query ($slug: String!) { venue(slug: $slug) { id } }"


@pytest.mark.usefixtures("broken")
async def test_a_defect_is_masked_and_logged_once(ask: Asker, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        data, [error] = await ask.both(VENUE, {"slug": "token-in-a-variable"})
    assert data == {"venue": None}
    assert error["message"] == "Internal error."
    assert error["path"] == ["venue"]
    assert error["extensions"]["code"] == "INTERNAL"
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage().startswith(f"incident {error['extensions']['incident']} at venue\n")
    assert "in fail" in record.getMessage()
    assert record.getMessage().endswith("builtins.ZeroDivisionError\n")
    assert "token-in-a-variable" not in caplog.text
    assert SECRET not in caplog.text + str(error)


@pytest.mark.usefixtures("broken")
async def test_a_defect_is_masked_over_a_websocket_too(ask: Asker, caplog: pytest.LogCaptureFixture) -> None:
    [result] = await stream(ask, '{ venue(slug: "x") { id } }')
    assert [error.message for error in result.errors] == ["Internal error."]
    assert result.errors[0].original_error is None
    assert len(caplog.records) == 1


async def test_what_postgresql_says_of_a_row_is_not_logged(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*arguments: Any) -> None:
        organization_id = new_id()
        async with database.writing(organization_id) as session:
            statement = "INSERT INTO organization (id, slug, name) VALUES (:id, NULL, :name)"
            await (await session.connection()).execute(text(statement), {"id": organization_id, "name": SECRET})

    monkeypatch.setattr("resolvers.venues.find_venue", fail)
    assert await ask.codes(VENUE, {"slug": "x"}) == ["INTERNAL"]
    [record] = caplog.records
    assert "asyncpg.exceptions.NotNullViolationError: 23502" in record.getMessage()
    assert SECRET not in caplog.text


async def test_a_defect_in_a_mutation_is_no_payload(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*arguments: Any, **named: Any) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr("engine.changes.change", fail)
    operation = "mutation ($input: BookingActionInput!) { bookingCancel(input: $input) { errors { code } } }"
    given = {"idempotencyKey": "0123456789abcdef", "bookingId": "BA" + "A" * 42, "token": "t"}
    data, [error] = await ask.both(operation, {"input": given})
    assert data is None
    assert error["extensions"]["code"] == "INTERNAL"
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        TimeoutError(),
        Busy("Too much at once."),
    ],
)
async def test_a_busy_database_is_told_as_busy(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*arguments: Any) -> None:
        raise trouble

    monkeypatch.setattr("resolvers.venues.find_venue", fail)
    [error] = await ask.errors(VENUE, {"slug": "x"})
    assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("BUSY", True)
    assert "canceling" not in error["message"]
    assert caplog.records == []


async def test_a_full_pool_is_told_as_busy(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*arguments: Any) -> None:
        raise sqlalchemy.exc.TimeoutError("QueuePool limit of size 4 overflow 0 reached")

    monkeypatch.setattr("resolvers.venues.find_venue", fail)
    assert await ask.codes(VENUE, {"slug": "x"}) == ["BUSY"]


@pytest.mark.parametrize(
    ("operation", "variables"),
    [
        ("{ venue(slug: 1) { id } }", None),
        ("{ venue { id } }", None),
        ("{ nothing }", None),
        ("{ venue(slug: ", None),
        ("query ($slug: String!) { venue(slug: $slug) { id } }", {}),
        ("query ($slug: String!) { venue(slug: $slug) { id } }", {"slug": ["x"]}),
        (
            "query ($w: WindowInput!) { bookings(filter: { window: $w }) { edges { cursor } } }",
            {"w": {"startsAt": "yesterday", "endsAt": "2030-06-01T00:00:00Z"}},
        ),
        ('{ bookings(filter: { window: { startsAt: "2030-06-01", endsAt: 5 } }) { edges { cursor } } }', None),
        ("{ ...missing }", None),
        ("{ ...a } fragment a on Query { ...a }", None),
    ],
)
async def test_a_request_that_can_not_be_read(
    ask: Asker, operation: str, variables: dict[str, Any] | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert set(await ask.codes(operation, variables)) == {"INVALID_INPUT"}
    if variables is None:
        [result] = await stream(ask, operation)
        assert {error.extensions["code"] for error in result.errors} == {"INVALID_INPUT"}
    assert caplog.records == []


@pytest.mark.parametrize(
    "operation",
    [
        "{ venue(slug: " + '"' + "x" * QUERY_LENGTH_MAX + '") { id } }',
        "{" + " __typename" * 2_000 + "}",
        "{" + " ".join(f"a{n}: viewer {{ role }}" for n in range(ALIASES_MAX + 1)) + "}",
        "{ viewer { organization "
        + "{ ...f0 } } }"
        + " ".join(f"fragment f{n} on Organization {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
        + " fragment f60 on Organization { name }",
        "{ venues { edges { node { " + "resources { edges { node { venue { " * 5 + "name" + "} } } }" * 5 + "} } } }",
        "{" + "a{" * 400 + "b" + "}" * 400 + "}",
    ],
)
async def test_an_operation_that_is_too_large_is_refused_at_once(
    ask: Asker, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert set(await ask.codes(operation)) == {"INVALID_INPUT"}
    [result] = await stream(ask, operation)
    assert {error.extensions["code"] for error in result.errors} == {"INVALID_INPUT"}
    assert caplog.records == []


async def test_what_tools_ask_for_is_not_too_large(ask: Asker) -> None:
    """The control: the longest introspection that clients send."""
    query = get_introspection_query(
        descriptions=True, specified_by_url=True, directive_is_repeatable=True, schema_description=True
    )
    assert (await ask(query))["__schema"]["queryType"]["name"] == "Query"


async def test_a_document_is_read_once(ask: Asker, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    venue = await make_venue(database)
    seen: list[object] = []
    original = document_limits.DocumentLimits._check

    def counted(self: Any, *arguments: Any) -> None:
        seen.append(arguments)
        original(self, *arguments)

    monkeypatch.setattr(document_limits.DocumentLimits, "_check", counted)
    operation = "query ReadOnce($slug: String!) { venue(slug: $slug) { id name } }"
    for _ in range(3):
        assert (await ask(operation, {"slug": venue.slug}))["venue"]["name"] == venue.name
    assert len(seen) == 1
