"""Live push as it is deployed: two server processes, a worker, a Valkey that is killed and comes back."""

import asyncio
import dataclasses
import json
import secrets
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from engine.viewer import Role
from models.database import Database
from models.database import connect as connect_to_database
from models.keys import ResourceKey
from models.queries.work import read_unpublished
from models.resource import Resource
from schema.global_id import GlobalKind, encode
from server.embedded.process import spawn
from server.embedded.state import locked_state
from server.embedded.valkey import EmbeddedValkey
from tests.e2e.clients import WATCH_BOOKING, Client, Json, Refused, Watch, client_of
from tests.e2e.platforms import POOL_SIZE, START_POLL_SECONDS, START_SECONDS_MAX, Platform, running_platform
from tests.support.databases import ServerUrls
from tests.support.factories import key_of, make_requirement, make_resource, make_venue
from tests.support.ports import free_port
from tests.support.waiting import eventually

HOLDS = 50
WITHOUT_REDIS_SECONDS_MAX = 5.0
PUSH_P95_SECONDS_MAX = 2.0
"""Generous: the aim is 0.25 s, but the machine may be busy with other tests."""

WINDOW = {"startsAt": "2027-06-01T00:00:00Z", "endsAt": "2027-06-08T00:00:00Z"}
SLOT = {"startsAt": "2027-06-02T10:00:00Z", "endsAt": "2027-06-02T12:00:00Z"}

WATCH = """
subscription($ids: [ID!]!, $window: WindowInput, $after: [ExpectedVersionInput!]) {
  capacityChanged(resourceIds: $ids, window: $window, after: $after)
  { resource { id version } version snapshot startsAt endsAt steps { startsAt endsAt vacancies capacity } } }
"""


@dataclasses.dataclass(frozen=True)
class Live:
    """A platform, and the Valkey that it and no other test uses."""

    platform: Platform
    valkey: EmbeddedValkey


@pytest.fixture(scope="module")
def live(servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tempfile.mkdtemp(prefix="vacancy-live-")
    try:
        with locked_state(Path(folder)) as state:
            valkey = EmbeddedValkey(state)
            valkey.start()
            try:
                own = dataclasses.replace(servers, redis_url=valkey.url)
                with running_platform(own, tmp_path_factory.mktemp("live"), examples=False) as platform:
                    yield Live(platform, valkey)
            finally:
                valkey.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def database(live: Live) -> AsyncIterator[Database]:
    connected = await connect_to_database(live.platform.app_url, pool_size=POOL_SIZE)
    try:
        yield connected
    finally:
        await connected.close()


@asynccontextmanager
async def two_watchers(live: Live, resource_id: str) -> AsyncIterator[tuple[Client, list[Watch]]]:
    """A client of the first server, and a watcher at each server that has the first state already."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(live.platform, server)) for server in (0, 1)]
        watches = [
            await stack.enter_async_context(client.watching(WATCH, ids=[resource_id], window=WINDOW))
            for client in clients
        ]
        for watch in watches:
            assert (await watch.next())["snapshot"] is True
        yield clients[0], watches


async def hold(client: Client, resource_id: str, **more: Any) -> Json:
    return await client.did("bookingHold", items=[{"resourceId": resource_id, "window": SLOT, **more}])


async def version_in_database(database: Database, key: ResourceKey) -> int:
    version: int = await database.ledger.fetchval(
        "SELECT version FROM resource WHERE organization_id = $1 AND id = $2", *key
    )
    return version


def id_of(resource: Resource) -> str:
    return encode(GlobalKind.RESOURCE, *key_of(resource))


async def seconds_until(watch: Watch, version: int, since: float) -> float:
    await watch.until(lambda change: change["version"] >= version)
    return time.perf_counter() - since


async def test_a_hold_through_one_server_is_pushed_to_the_watchers_of_both(
    live: Live, database: Database, record_property: Any
) -> None:
    resource = await make_resource(database, capacity=HOLDS)
    async with two_watchers(live, id_of(resource)) as (client, watches):
        asked, answered = [], []
        for version in range(1, HOLDS + 1):
            began = time.perf_counter()
            waiting = [asyncio.create_task(seconds_until(watch, version, began)) for watch in watches]
            await hold(client, id_of(resource))
            done = time.perf_counter() - began
            both = await asyncio.gather(*waiting)
            asked += both
            answered += [seconds - done for seconds in both]
        for name, seconds in (("after_asking", asked), ("after_the_answer", answered)):
            hundredths = statistics.quantiles(seconds, n=100)
            told = f"p50 {hundredths[49] * 1000:.0f} ms, p95 {hundredths[94] * 1000:.0f} ms"
            record_property(f"push_{name}", told)
            print(f"push of a hold, {name}: {told}")  # noqa: T201 - a measurement, shown by pytest -s
        assert statistics.quantiles(asked, n=100)[94] < PUSH_P95_SECONDS_MAX


@pytest.mark.timeout(180)
async def test_valkey_may_die_and_come_back(live: Live, database: Database) -> None:
    resource = await make_resource(database, capacity=20)
    async with two_watchers(live, id_of(resource)) as (client, watches):
        live.valkey.kill()
        try:
            began = time.perf_counter()
            await hold(client, id_of(resource))  # bookings go on
            taken = await asyncio.gather(*(seconds_until(watch, 1, began) for watch in watches))
            assert max(taken) < WITHOUT_REDIS_SECONDS_MAX
            await hold(client, id_of(resource))
        finally:
            live.valkey.start()
        await hold(client, id_of(resource))
        version = await version_in_database(database, key_of(resource))
        for watch in watches:
            change = await watch.until(lambda change: change["version"] == version)
            assert change["steps"][0]["vacancies"] == 17

        # Once everything listens and publishes again, far sooner than a look into the database every few seconds.
        quick = []
        for later in range(version + 1, version + 11):
            began = time.perf_counter()
            await hold(client, id_of(resource))
            quick.append(max(await asyncio.gather(*(seconds_until(watch, later, began) for watch in watches))))
        assert statistics.median(quick[-5:]) < 1.0

        async def nothing_is_left() -> bool:
            left = await read_unpublished(database, limit=1_000)
            return all(row.organization_id != resource.organization_id for row in left)

        await eventually(nothing_is_left)


async def test_a_hold_that_ends_by_itself_is_pushed(live: Live, database: Database) -> None:
    resource = await make_resource(database, capacity=1, hold_seconds=1)
    async with two_watchers(live, id_of(resource)) as (client, watches):
        held = await hold(client, id_of(resource))
        watched = {"id": held["booking"]["id"], "token": held["token"]}
        async with client.watching(WATCH_BOOKING, **watched) as booking:
            assert (await booking.next())["status"] == "ON_HOLD"
            for watch in watches:
                taken = await watch.until(lambda change: change["version"] == 1)
                assert [step["vacancies"] for step in taken["steps"]] == [0]
                freed = await watch.until(lambda change: change["version"] == 2)
                assert (freed["startsAt"], freed["endsAt"]) == (SLOT["startsAt"], SLOT["endsAt"])
                assert [step["vacancies"] for step in freed["steps"]] == [1]
            assert (await booking.next())["status"] == "EXPIRED"
            with pytest.raises(EOFError):
                await booking.next()


async def test_who_comes_back_is_given_what_was_missed(live: Live, database: Database) -> None:
    resource = await make_resource(database, capacity=5)
    async with client_of(live.platform) as client:
        for _ in range(3):
            await hold(client, id_of(resource))
        after = [{"resourceId": id_of(resource), "version": 1}]
        async with client.watching(WATCH, ids=[id_of(resource)], window=WINDOW, after=after) as watch:
            change = await watch.next()
            assert (change["version"], change["snapshot"]) == (3, False)
            assert (change["startsAt"], change["endsAt"]) == (SLOT["startsAt"], SLOT["endsAt"])
            assert change["resource"]["version"] == 3


async def test_a_whole_floor_is_told_of_its_rooms(live: Live, database: Database) -> None:
    venue = await make_venue(database)
    floor = await make_resource(database, venue=venue)
    room = await make_resource(database, venue=venue)
    await make_requirement(database, floor, room, per_booking=1)
    async with two_watchers(live, id_of(floor)) as (client, watches):
        await hold(client, id_of(room))
        for watch in watches:
            change = await watch.next()
            assert (change["snapshot"], change["version"]) == (True, 1)  # the requirement is a version of the floor
            assert [step["vacancies"] for step in change["steps"]] == [1, 0, 1]


async def test_what_may_not_be_watched_is_refused(live: Live, database: Database) -> None:
    hidden = await make_resource(database, venue=await make_venue(database, is_published=False))
    shown = await make_resource(database)
    async with client_of(live.platform) as guest:
        held = await hold(guest, id_of(shown))
        cases: list[tuple[str, Json, str]] = [
            (WATCH, {"ids": [id_of(hidden)]}, "NOT_FOUND"),
            (WATCH, {"ids": ["nonsense"]}, "NOT_FOUND"),
            (WATCH, {"ids": []}, "INVALID_INPUT"),
            (WATCH, {"ids": [id_of(shown)] * 101}, "INVALID_INPUT"),
            (WATCH, {"ids": [id_of(shown)], "window": {**WINDOW, "endsAt": WINDOW["startsAt"]}}, "INVALID_INPUT"),
            (WATCH, {"ids": [id_of(shown)], "window": {**WINDOW, "endsAt": "2029-01-01T00:00:00Z"}}, "INVALID_INPUT"),
            (WATCH, {"ids": [id_of(shown)], "after": [{"resourceId": id_of(hidden), "version": 1}]}, "INVALID_INPUT"),
            (WATCH_BOOKING, {"id": held["booking"]["id"]}, "UNAUTHENTICATED"),
            (WATCH_BOOKING, {"id": held["booking"]["id"], "token": "x" * 75}, "NOT_FOUND"),
            (WATCH_BOOKING, {"id": id_of(shown), "token": held["token"]}, "NOT_FOUND"),
        ]
        for query, variables, code in cases:
            async with guest.watching(query, **variables) as watch:
                with pytest.raises(Refused) as refused:
                    await watch.next()
                assert refused.value.codes == [code], variables
    staff = live.platform.token(Role.STAFF, hidden.organization_id)
    async with (
        client_of(live.platform, token=staff) as client,
        client.watching(WATCH, ids=[id_of(hidden)], window=WINDOW) as watch,
    ):
        assert (await watch.next())["version"] == 0


async def closed_by(platform: Platform, *messages: object, protocol: str = "graphql-transport-ws") -> int:
    """The code with which the server closes a connection that sends these, each as JSON or as it is if it is text."""
    address = platform.urls[0].replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol(protocol)]) as channel:
        try:
            for message in messages:
                await channel.send(message if isinstance(message, str) else json.dumps(message))
            async with asyncio.timeout(10):
                while True:
                    await channel.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0


async def test_a_connection_that_does_not_keep_to_the_protocol_is_closed(live: Live) -> None:
    platform, init = live.platform, {"type": "connection_init"}
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": "{ viewer { role } }"}}
    assert await closed_by(platform, protocol="graphql-ws") == 4406
    assert await closed_by(platform, "{") == 4400
    assert await closed_by(platform, [1]) == 4400
    assert await closed_by(platform, "[" * 100_000) == 4400
    assert await closed_by(platform, subscribe) == 4401
    assert await closed_by(platform, init, init) == 4429
    assert await closed_by(platform, init, {**subscribe, "payload": "x"}) == 4400
    assert await closed_by(platform, init, {**subscribe, "id": 7}) == 4400
    for authorization in ("Bearer nonsense", "x", 7, False):
        assert await closed_by(platform, {**init, "payload": {"authorization": authorization}}) == 4403


async def test_a_connection_ends_with_its_token(live: Live, database: Database) -> None:
    resource = await make_resource(database)
    token = live.platform.token(Role.STAFF, resource.organization_id, exp=int(time.time()) + 2)
    init = {"type": "connection_init", "payload": {"AUTHORIZATION": f"Bearer {token}"}}
    assert await closed_by(live.platform, init) == 4403


async def test_each_operation_of_a_connection_reads_anew(live: Live, database: Database) -> None:
    resource = await make_resource(database, capacity=5)
    address = live.platform.urls[0].replace("http", "ws", 1) + "/graphql"
    query = "query($id: ID!) { node(id: $id) { ... on Resource { version } } }"
    payload = {"query": query, "variables": {"id": id_of(resource)}}
    async with (
        client_of(live.platform) as client,
        connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as channel,
    ):
        await channel.send(json.dumps({"type": "connection_init"}))
        await channel.recv()
        for version in (0, 1):
            await channel.send(json.dumps({"id": f"{version}", "type": "subscribe", "payload": payload}))
            answer = json.loads(await channel.recv())
            assert answer["payload"]["data"]["node"]["version"] == version
            await channel.recv()
            await hold(client, id_of(resource))


async def test_the_client_that_comes_with_it_prints_what_changes(live: Live, database: Database) -> None:
    venue = await make_venue(database)
    resource = await make_resource(database, venue=venue, capacity=2)
    soon = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    window = {"startsAt": soon.isoformat(), "endsAt": (soon + timedelta(hours=1)).isoformat()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "server.watch", venue.slug, resource.slug, "--url", live.platform.urls[1]),
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
        # A shell has what it starts in the background ignore it, which is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20), client_of(live.platform) as client:
            assert b"version 0, now" in await process.stdout.readline()
            assert b"2 of 2 free" in await process.stdout.readline()
            await client.did("bookingHold", items=[{"resourceId": id_of(resource), "window": window}])
            assert b"version 1, changed" in await process.stdout.readline()
            assert b"1 of 2 free" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.timeout(120)
async def test_a_server_that_is_told_to_stop_says_so_to_its_watchers(live: Live, database: Database) -> None:
    resource = await make_resource(database)
    settings = dataclasses.replace(live.platform.settings, port=free_port())
    log = live.platform.logs[0].with_name(f"stopped-{secrets.token_hex(4)}.log")
    with log.open("wb") as output:
        process = spawn(
            [sys.executable, "-P", "-m", "server.cli", "serve"],
            env={"PATH": "/usr/bin:/bin", **settings.to_environment()},
            death_signal=signal.SIGKILL,
            output=output,
        )
    try:
        url = f"http://127.0.0.1:{settings.port}"
        await _until_ready(url)
        async with (
            httpx.AsyncClient(base_url=url) as http,
            Client(http).watching(WATCH, ids=[id_of(resource)], window=WINDOW) as watch,
        ):
            await watch.next()
            began = time.perf_counter()
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                await watch.channel.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        assert await asyncio.to_thread(process.wait, 8) == 0
        assert time.perf_counter() - began < 8
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()


async def _until_ready(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:

        async def is_ready() -> bool:
            try:
                return (await http.get("/readyz")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        await eventually(is_ready, seconds_max=START_SECONDS_MAX, poll_seconds=START_POLL_SECONDS)
