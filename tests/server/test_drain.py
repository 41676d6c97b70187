"""A server process that is told to stop while it is asked: what it was asked is answered, and then it is gone."""

import asyncio
import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from models.database import Database
from models.resource import Resource
from schema.global_id import GlobalKind, encode
from server.embedded.process import spawn
from server.sockets import RESTARTING, RETRY_MS_MAX, RETRY_MS_MIN
from tests.server.support import settings_for
from tests.support.factories import key_of, make_resource
from tests.support.ports import free_port
from tests.support.waiting import eventually, until_waiting

STOP_SECONDS_MAX = 10.0
WAITED_FOR_SECONDS = 1.0
"""How long it is seen that a server waits: one that does not is gone in a tenth of that."""

HOLD = "mutation($input: BookingHoldInput!) { bookingHold(input: $input) { booking { id } errors { code } } }"
WATCH = "subscription($ids: [ID!]!) { capacityChanged(resourceIds: $ids) { version } }"


@dataclass(frozen=True)
class Server:
    """A process of its own, and what it logs."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path


@pytest.fixture
async def server(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    settings = dataclasses.replace(
        settings_for(database_url, redis_url, tmp_path), port=free_port(), database_pool_size=4, log_requests=True
    )
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        process = spawn(
            [sys.executable, "-P", "-m", "server.cli", "serve"],
            env={"PATH": "/usr/bin:/bin", **settings.to_environment()},
            death_signal=signal.SIGKILL,
            output=output,
        )
    try:
        url = f"http://127.0.0.1:{settings.port}"
        async with httpx.AsyncClient(base_url=url) as client:

            async def is_ready() -> bool:
                try:
                    return (await client.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await eventually(is_ready, seconds_max=30.0)
        yield Server(process, url, log)
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def socket_to(server: Server) -> AsyncIterator[ClientConnection]:
    address = server.url.replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as channel:
        await channel.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await channel.recv())["type"] == "connection_ack"
        yield channel


async def subscribe(channel: ClientConnection, query: str, **variables: Any) -> None:
    await channel.send(
        json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}})
    )


def id_of(resource: Resource) -> str:
    return encode(GlobalKind.RESOURCE, *key_of(resource))


def hold_input(resource: Resource, key: str) -> dict[str, Any]:
    begins = (datetime.now(UTC) + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    window = {"startsAt": begins.isoformat(), "endsAt": (begins + timedelta(hours=1)).isoformat()}
    return {"idempotencyKey": key, "items": [{"resourceId": id_of(resource), "window": window}]}


async def closed(channel: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(STOP_SECONDS_MAX):
        await channel.wait_closed()
    assert channel.close_code is not None
    return channel.close_code, channel.close_reason or ""


def assert_tells_when_to_come_back(code: int, reason: str) -> None:
    assert code == RESTARTING
    word, _, milliseconds = reason.partition(": ")
    assert word == "retry"
    assert RETRY_MS_MIN <= int(milliseconds) <= RETRY_MS_MAX


async def test_what_is_in_flight_is_answered_before_the_server_stops(
    server: Server, database: Database, owner: "asyncpg.Connection"
) -> None:
    one, other, watched = [await make_resource(database) for _ in range(3)]
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=STOP_SECONDS_MAX) as client,
        socket_to(server) as asking,
        socket_to(server) as watching,
    ):
        await subscribe(watching, WATCH, ids=[id_of(watched)])
        assert json.loads(await watching.recv())["type"] == "next"
        async with owner.transaction():
            await owner.execute("SELECT FROM resource FOR NO KEY UPDATE")
            body = {"query": HOLD, "variables": {"input": hold_input(one, "asked over HTTP before")}}
            headers = {"X-Request-Id": "held-while-stopping"}
            over_http = asyncio.create_task(client.post("/graphql", json=body, headers=headers))
            await subscribe(asking, HOLD, input=hold_input(other, "asked by socket before"))
            await until_waiting(owner, 2)

            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert_tells_when_to_come_back(*await closed(watching))
            assert time.monotonic() - began < 2.0, "a socket that only watches has nothing to wait for"
            with pytest.raises(httpx.ConnectError):
                async with httpx.AsyncClient(base_url=server.url) as late:
                    await late.get("/livez")
            ended = asyncio.create_task(asyncio.to_thread(server.process.wait, STOP_SECONDS_MAX))
            too_soon, _ = await asyncio.wait([over_http, ended], timeout=WAITED_FOR_SECONDS)
            assert not too_soon
        answer = (await over_http).json()
        assert answer["data"]["bookingHold"]["errors"] == []
        assert answer["data"]["bookingHold"]["booking"]["id"]
        by_socket = json.loads(await asking.recv())
        assert by_socket["type"] == "next"
        assert by_socket["payload"]["data"]["bookingHold"]["errors"] == []
        assert_tells_when_to_come_back(*await closed(asking))
    assert await ended == 0
    assert time.monotonic() - began < STOP_SECONDS_MAX
    assert await owner.fetchval("SELECT count(*) FROM booking WHERE status = 'ON_HOLD'") == 2
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "held-while-stopping"]
    assert (line["path"], line["status"]) == ("/graphql", 200)
    assert [line for line in lines if line["level"] != "INFO"] == []


async def test_what_takes_too_long_does_not_keep_the_server(
    server: Server, database: Database, owner: "asyncpg.Connection"
) -> None:
    resource = await make_resource(database)
    async with socket_to(server) as asking, owner.transaction():
        await owner.execute("SELECT FROM resource FOR NO KEY UPDATE")
        await subscribe(asking, HOLD, input=hold_input(resource, "waits as long as it may"))
        await until_waiting(owner, 1)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        answer = json.loads(await asking.recv())
        assert [error["code"] for error in answer["payload"]["data"]["bookingHold"]["errors"]] == ["BUSY"]
        assert_tells_when_to_come_back(*await closed(asking))
        assert await asyncio.to_thread(server.process.wait, STOP_SECONDS_MAX) == 0
    assert time.monotonic() - began < STOP_SECONDS_MAX
    assert await owner.fetchval("SELECT count(*) FROM booking") == 0
