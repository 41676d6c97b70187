import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from models.database import Database
from server import resources
from server.errors import OperatorError
from server.limits import BODY_BYTES_MAX
from server.metrics import ServerMetrics
from server.resources import open_resources
from server.sockets import Sockets
from tests.server.support import client_of_app, settings_for
from tests.support.databases import ServerUrls, fresh_database, with_database
from tests.support.factories import make_resource
from tests.support.waiting import eventually

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of_app(settings_for(database_url, redis_url, tmp_path)) as found:
        yield found


def code_of(response: httpx.Response) -> str:
    answer = response.json()
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert error["message"]
    code: str = error["extensions"]["code"]
    return code


async def test_a_question_is_answered(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{ viewer { role } }"})
    assert response.status_code == 200
    assert response.json() == {"data": {"viewer": {"role": "GUEST"}}}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"\xff", JSON),
        (b"5", JSON),
        (b"null", JSON),
        (b'"text"', JSON),
        (b"{}", JSON),
        (b'{"query": 7}', JSON),
        (b'{"query": "{ viewer { role } }", "variables": []}', JSON),
        (b'[{"query": "{ viewer { role } }"}]', JSON),
        (b"[" * 100_000, JSON),
        (b'{"query": "subscription { bookingChanged(bookingId: 1) { id } }"}', JSON),
        (b'{"query": "{ viewer { role } }"}', {"Content-Type": "text/plain"}),
        (b"query=%7Bviewer%7Brole%7D%7D", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"--x--", {"Content-Type": "multipart/form-data; boundary=x"}),
    ],
)
async def test_a_request_that_makes_no_sense_is_told_so(
    client: httpx.AsyncClient, body: bytes, headers: dict[str, str]
) -> None:
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 400
    assert code_of(response) == "INVALID_INPUT"


async def test_a_subscription_is_not_streamed_over_http_whatever_is_accepted(client: httpx.AsyncClient) -> None:
    query = {"query": "subscription { bookingChanged(bookingId: 1) { id } }"}
    for accept in ("text/event-stream", "multipart/mixed;subscriptionSpec=1.0", "multipart/mixed"):
        response = await client.post("/graphql", json=query, headers={"Accept": accept})
        assert (response.status_code, code_of(response)) == (400, "INVALID_INPUT")


async def test_only_post_asks(client: httpx.AsyncClient) -> None:
    for method in ("GET", "PUT", "DELETE"):
        response = await client.request(method, "/graphql?query=%7Bviewer%7Brole%7D%7D")
        assert (response.status_code, code_of(response)) == (405, "INVALID_INPUT")
        assert response.headers["allow"] == "POST"
    response = await client.get("/nothing")
    assert (response.status_code, code_of(response)) == (404, "NOT_FOUND")


async def test_a_body_over_the_limit_is_refused_announced_or_not(client: httpx.AsyncClient) -> None:
    large = json.dumps({"query": "{ viewer { role } }", "variables": {"x": "y" * BODY_BYTES_MAX}}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for first in range(0, len(large), 65_536):
            yield large[first : first + 65_536]

    contents: list[Any] = [large, pieces()]
    for content in contents:
        response = await client.post("/graphql", content=content, headers=JSON)
        assert (response.status_code, code_of(response)) == (413, "INVALID_INPUT")
    within = {"query": "{ viewer { role } }", "variables": {"x": "y" * (BODY_BYTES_MAX - 100)}}
    assert (await client.post("/graphql", json=within)).status_code == 200


async def test_a_token_that_does_not_count_is_refused_and_not_taken_for_a_guests(client: httpx.AsyncClient) -> None:
    query = {"query": "{ viewer { role } }"}
    response = await client.post("/graphql", json=query, headers={"Authorization": "Bearer nonsense"})
    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    assert "nonsense" not in response.text


async def test_every_answer_forbids_what_it_does_not_need(client: httpx.AsyncClient) -> None:
    for response in (
        await client.post("/graphql", json={"query": "{ viewer { role } }"}),
        await client.post("/graphql", content=b"x" * (BODY_BYTES_MAX + 1)),
        await client.get("/nothing"),
        await client.get("/livez"),
    ):
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "server" not in response.headers


async def test_the_schema_is_there_to_read(client: httpx.AsyncClient) -> None:
    response = await client.get("/schema.graphql")
    assert response.headers["content-type"].startswith("text/plain")
    assert "type Subscription {" in response.text


async def test_ready_tells_whether_the_database_answers(client: httpx.AsyncClient, database_urls: ServerUrls) -> None:
    assert (await client.get("/readyz")).status_code == 200
    name = make_url(database_urls.owner_url).database
    elsewhere = await asyncpg.connect(with_database(database_urls.owner_url, "postgres"))
    try:
        await elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await elsewhere.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        response = await client.get("/readyz")
        assert (response.status_code, code_of(response)) == (503, "BUSY")
        assert (await client.get("/livez")).status_code == 200
        await elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(is_ready)  # each connection that was cut is found out when it is used
    finally:
        await elsewhere.close()


async def test_without_redis_it_serves(database: Database, database_url: str, tmp_path: Path) -> None:
    resource = await make_resource(database)
    nowhere = settings_for(database_url, f"unix://{tmp_path}/nothing.sock", tmp_path)
    async with client_of_app(nowhere) as client:
        asked = {"query": "{ venues { edges { node { resources { edges { node { slug } } } } } } }"}
        assert resource.slug in (await client.post("/graphql", json=asked)).text


@pytest.mark.unaudited
async def test_a_database_that_is_not_migrated_is_refused(
    database_url: str, owner: "asyncpg.Connection", servers: ServerUrls, tmp_path: Path
) -> None:
    await owner.execute("COMMENT ON FUNCTION ledger_hold IS 'sha256:of-another-version'")
    async with fresh_database(servers, template="template0") as empty:
        for url in (database_url, empty.app_url):
            with pytest.raises(OperatorError, match="vacancy migrate"):
                async with open_resources(settings_for(url, None, tmp_path), ServerMetrics(), Sockets()):
                    pass


async def test_a_database_that_does_not_answer_is_waited_for(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "DATABASE_SECONDS_MAX", 1.0)
    nowhere = settings_for(f"postgresql://vacancy@/vacancy?host={tmp_path}", None, tmp_path)
    began = asyncio.get_running_loop().time()
    with pytest.raises(OperatorError, match="does not answer"):
        async with open_resources(nowhere, ServerMetrics(), Sockets()):
            pass
    assert asyncio.get_running_loop().time() - began >= 1.0
