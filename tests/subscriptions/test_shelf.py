"""What Redis may do to what is kept there: nothing but cost time. With a Valkey, and a cluster, of these tests' own."""

import asyncio
import os
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from engine.availability import Wish
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.blocks import Block, blocks_of
from models.database import Database
from models.kept_timelines import KeptTimelines
from models.keys import ResourceKey
from models.ledger.requests import Contact
from models.queries.catalog import Versions
from models.queries.kept import read_kept_timelines
from models.queries.timelines import Step, TimelineView, read_timelines
from models.resource import Resource, Sharing
from server.embedded.account import server_account
from server.embedded.binaries import valkey_server
from server.embedded.process import SERVER_ENVIRONMENT, spawn, stop_all
from server.embedded.state import State, locked_state
from server.embedded.valkey import EmbeddedValkey
from subscriptions import shelf as shelves
from subscriptions.shelf import KEPT_SECONDS, RedisShelf, name_of
from tests.server.embedded.conftest import open_folder
from tests.support.factories import at, between, key_of, make_hold, make_resource
from tests.support.statements import recorded_statements
from tests.support.waiting import eventually

WINDOW = between("08:00", "20:00")
MONTHS = between("2030-01-01 00:00", "2030-06-01 00:00")
NOW = at("2030-05-31 12:00")
KEY = ResourceKey(uuid.UUID(int=1), uuid.UUID(int=2))
STATE = "1.2.3"
GARBAGE = ["", "null", "[]", "\1\2", "{", "[1,2,3]", '[1,"x",1,"1.1.1",[0],[1],[0],[null],[false]]', "9" * 2_000_000]


@pytest.fixture(scope="module")
def state() -> Iterator[State]:
    with open_folder() as above, locked_state(above / "state") as found:
        yield found


@pytest.fixture
def valkey(state: State) -> Iterator[EmbeddedValkey]:
    """One that may be killed."""
    server = EmbeddedValkey(state)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    """Who does to it what must do no harm."""
    client = Redis.from_url(valkey.url, decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def shelf_in(url: str) -> AsyncIterator[RedisShelf]:
    shelf = RedisShelf(url)
    try:
        yield shelf
    finally:
        await shelf.close()


async def read(database: Database, shelf: RedisShelf, *resources: Resource) -> list[TimelineView]:
    """As a process that has just begun, and knows that they are asked about again and again."""
    process = replace(database, timelines=KeptTimelines(shelf))
    return await read_kept_timelines(process, [(key_of(each), WINDOW) for each in resources], fill=True)


async def filled(database: Database, redis: Redis, shelf: RedisShelf, *resources: Resource) -> None:
    """Read these, until they are in Redis."""
    await read(database, shelf, *resources)
    names = [name_of(block) for each in resources for block in blocks_of(key_of(each), WINDOW)]

    async def there() -> bool:
        return bool(await redis.exists(*names) == len(names))

    await eventually(there)


async def assert_read_as_it_is(database: Database, shelf: RedisShelf, *resources: Resource) -> None:
    expected = await read_timelines(database, [(key_of(each), WINDOW) for each in resources])
    assert await read(database, shelf, *resources) == expected


async def test_what_one_process_has_read_another_does_not_read(
    database: Database, valkey: EmbeddedValkey, redis: Redis
) -> None:
    hall = await make_resource(database, capacity=5)
    other = await make_resource(database, capacity=5)  # of another organization
    await make_hold(database, hall, quantity=2)
    async with shelf_in(valkey.url) as one, shelf_in(valkey.url) as another:
        await filled(database, redis, one, hall, other)
        expected = await read_timelines(database, [(key_of(each), WINDOW) for each in (hall, other)])
        with recorded_statements(database) as statements:
            assert await read(database, another, hall, other) == expected
        assert [one for one in statements if "ledger_steps" in one] == []
        await make_hold(database, hall)
        await assert_read_as_it_is(database, another, hall, other)


async def test_names_lead_with_the_organization_and_nothing_stays_for_long_or_names_a_person(
    database: Database, valkey: EmbeddedValkey, redis: Redis
) -> None:
    room = await make_resource(database, sharing=Sharing.EXCLUSIVE)
    contact = Contact(name="Ada Lovelace", email="ada@example.com", phone="+44 20 7946 0000")
    wish = Wish(window=between("10:00", "12:00"))
    request = HoldRequest("a key that nobody else has", b"hash", (ItemRequest(key_of(room), wish),), contact, {})
    await hold(database, GUEST, request, now=NOW)
    async with shelf_in(valkey.url) as shelf:
        await filled(database, redis, shelf, room)
    for name in await redis.keys():
        assert str(name).startswith(f"vacancy:{{{room.organization_id}}}:")
        assert 0 < await redis.ttl(name) <= KEPT_SECONDS
        text = await redis.get(name)
        assert isinstance(text, str)
        for secret in ("Ada", "Lovelace", "ada@", "7946", request.key):
            assert secret not in text


async def test_a_redis_that_is_flushed_killed_and_started_again_costs_time_alone(
    database: Database, valkey: EmbeddedValkey, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "PAUSE_SECONDS_MAX", 0.1)
    hall = await make_resource(database, capacity=5)
    async with shelf_in(valkey.url) as shelf:
        await filled(database, redis, shelf, hall)
        await redis.flushall()
        await assert_read_as_it_is(database, shelf, hall)
        valkey.kill()
        for _ in range(3):
            await make_hold(database, hall)
            await assert_read_as_it_is(database, shelf, hall)
        valkey.start()
        client = Redis.from_url(valkey.url, decode_responses=True)

        async def works_again() -> bool:
            await assert_read_as_it_is(database, shelf, hall)
            return bool(await client.dbsize())

        await eventually(works_again)
        await client.aclose()


async def test_a_redis_that_hangs_is_waited_for_once_and_then_left_alone_for_a_while(
    database: Database, valkey: EmbeddedValkey, redis: Redis
) -> None:
    hall = await make_resource(database, capacity=5)
    pid = int((await redis.info("server"))["process_id"])
    async with shelf_in(valkey.url) as shelf:
        await filled(database, redis, shelf, hall)
        os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                await make_hold(database, hall)
                await assert_read_as_it_is(database, shelf, hall)
            assert shelf._rests_until > 0
            shelf._rests_until = time.monotonic() + shelves.PAUSE_SECONDS_MAX
            (view,) = await read(database, shelf, hall)
            assert not shelf._waiting, "nothing is put there either"
            (block,) = blocks_of(key_of(hall), WINDOW)
            shelf.put({block: ("state", view)})
            assert not shelf._waiting
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_is_not_believed(database: Database, valkey: EmbeddedValkey, redis: Redis, garbage: str) -> None:
    hall = await make_resource(database, capacity=5)
    await make_hold(database, hall, quantity=2)
    async with shelf_in(valkey.url) as shelf:
        await filled(database, redis, shelf, hall)
        for name in await redis.keys():
            await redis.set(name, garbage)
        await assert_read_as_it_is(database, shelf, hall)


async def test_what_is_no_text_is_not_believed(database: Database, valkey: EmbeddedValkey, redis: Redis) -> None:
    hall = await make_resource(database, capacity=5)
    async with shelf_in(valkey.url) as shelf:
        (block,) = blocks_of(key_of(hall), WINDOW)
        await redis.rpush(name_of(block), "a list")
        await assert_read_as_it_is(database, shelf, hall)
        await redis.set(name_of(block), b"\xff\xfe")
        await assert_read_as_it_is(database, shelf, hall)


async def test_what_is_late_or_mixed_up_is_not_believed(
    database: Database, valkey: EmbeddedValkey, redis: Redis
) -> None:
    """Texts of an older version, and those of another resource under its name."""
    hall = await make_resource(database, capacity=5)
    other = await make_resource(database, beside=hall, capacity=5)
    await make_hold(database, other, quantity=4)
    async with shelf_in(valkey.url) as shelf:
        await filled(database, redis, shelf, hall, other)
        (name,), (of_other,) = ([name_of(block) for block in blocks_of(key_of(each), WINDOW)] for each in (hall, other))
        before = await redis.get(name)
        assert before is not None
        await make_hold(database, hall, quantity=3)
        await redis.set(name, before)
        await assert_read_as_it_is(database, shelf, hall)
        await redis.copy(of_other, name, replace=True)
        await assert_read_as_it_is(database, shelf, hall)


async def test_only_so_many_wait_for_redis(valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "WAITING_MAX", 3)
    async with shelf_in(valkey.url) as shelf:
        shelf.put({block: (STATE, view_for(block)) for block in blocks_of(KEY, MONTHS)[:4]})
        assert not shelf._waiting
        shelf.put({block: (STATE, view_for(block)) for block in blocks_of(KEY, MONTHS)[:3]})
        assert len(shelf._waiting) == 3


async def test_on_a_cluster_each_organization_has_a_slot(state: State) -> None:
    blocks = [Block(ResourceKey(uuid.uuid4(), uuid.uuid4()), number) for number in range(1380, 1400)]
    kept = {block: (STATE, view_for(block)) for block in blocks}
    wanted = dict.fromkeys(blocks, Versions(0, 1, STATE, True, False))
    async with cluster(state) as url, shelf_in(url) as shelf:

        async def all_there() -> bool:
            shelf.put(kept)
            return await shelf.take(wanted) == {block: view for block, (_, view) in kept.items()}

        await eventually(all_there)
        assert isinstance(shelf._redis, RedisCluster)


def view_for(block: Block) -> TimelineView:
    window = block.window
    return TimelineView(block.resource, 1, 0, window, (Step(window.starts_at, window.ends_at, 1, 0, None, False),))


@asynccontextmanager
async def cluster(state: State) -> AsyncIterator[str]:
    """Two nodes, each with half of the slots; the URL of one of them."""
    account = server_account(state.valkey)
    program = valkey_server(state.binaries, account)
    folder = state.folder_for(account, state.valkey)
    ports = [_free_port() for _ in range(4)]
    with ExitStack() as stack:
        for port, bus in zip(ports[:2], ports[2:], strict=True):
            settings = {"port": port, "cluster-port": bus, "cluster-enabled": "yes", "bind": "127.0.0.1", "save": ""}
            settings["cluster-config-file"] = f"nodes-{port}.conf"
            command = [str(program), *(part for name, value in settings.items() for part in (f"--{name}", str(value)))]
            node = spawn(
                command, env=SERVER_ENVIRONMENT, cwd=folder, account=account, death_signal=signal.SIGTERM, output=None
            )
            stack.callback(stop_all, [node], signal.SIGTERM, wait_seconds=5.0)
        nodes = [Redis(port=port, decode_responses=True) for port in ports[:2]]
        try:
            for node_, slots in zip(nodes, ((0, 8191), (8192, 16383)), strict=True):
                await eventually(lambda node=node_: _answers(node))  # type: ignore[misc]
                await _say(node_, "CLUSTER", "ADDSLOTSRANGE", *slots)
            await _say(nodes[0], "CLUSTER", "MEET", "127.0.0.1", ports[1], ports[3])

            async def agree() -> bool:
                told = [str(await _say(node, "CLUSTER", "INFO")) for node in nodes]
                return all("cluster_state:ok" in one for one in told)

            await eventually(agree)
            yield f"redis://127.0.0.1:{ports[0]}/0"
        finally:
            await asyncio.gather(*(node.aclose() for node in nodes))


async def _answers(node: Redis) -> bool:
    try:
        return bool(await _say(node, "PING"))
    except (RedisError, OSError):
        return False


async def _say(node: Redis, *command: object) -> object:
    said: object = await node.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has it so
    return said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
