"""One run: clients, watchers and a nemesis for a while; then peace, until all is settled, and the tables."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg

from subscriptions.ending import end
from tests.history.clients import CLIENTS, Doors, Person, open_doors
from tests.history.dump import Dump, read_dump
from tests.history.records import History
from tests.history.rig import SERVERS, WORKER, Rig, server_name
from tests.history.watching import Watcher
from tests.history.world import World
from tests.support.waiting import eventually

SETTLE_SECONDS_MAX = 30.0
CLIENTS_END_SECONDS_MAX = 60.0

Nemesis = Callable[[random.Random], Awaitable[None]]

ON_ITS_WAY = """
SELECT count(*) FROM pg_stat_activity
 WHERE application_name = 'vacancy' AND state <> 'idle' AND query ~ 'ledger_|waitlist_|idempotency'
"""
UNSETTLED = """
SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM booking WHERE status = 'ON_HOLD')
     + (SELECT count(*) FROM waitlist_entry WHERE status IN ('WAITING', 'OFFERED'))
"""


async def run(rig: Rig, world: World, history: History, seed: int, nemesis: Nemesis) -> Dump:
    """Let them work until the nemesis has finished and all is settled; the tables as they are then."""
    for name in (*map(server_name, range(SERVERS)), WORKER):
        rig.start(name)
    await rig.until_ready()
    async with AsyncExitStack() as stack:
        doors = await stack.enter_async_context(open_doors(rig.platform, world, history))
        watchers = [
            Watcher(number, doors.guests[number], world, history, random.Random(f"{seed} watcher {number}"))
            for number in range(SERVERS)
        ]
        watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
        stack.push_async_callback(end, watching)
        people = await _live(doors, seed, nemesis)
        await rig.until_ready()
        await _settle(rig, history, people)
        await _catch_up(rig, watchers)
        return await read_dump(rig.servers.owner_url)


async def _live(doors: Doors, seed: int, nemesis: Nemesis) -> list[Person]:
    """The clients ask for as long as the nemesis goes on."""
    people = [Person(doors, random.Random(f"{seed} client {number}")) for number in range(CLIENTS)]
    stopped = asyncio.Event()
    living = [asyncio.create_task(person.live(stopped)) for person in people]
    try:
        await nemesis(random.Random(f"{seed} nemesis"))
        stopped.set()
        async with asyncio.timeout(CLIENTS_END_SECONDS_MAX):
            await asyncio.gather(*living)
    finally:
        await end(living)
    return people


async def _settle(rig: Rig, history: History, people: list[Person]) -> None:
    """Wait until nothing is on its way any more, find out what is unknown, and let all holds end."""
    connection = await asyncpg.connect(rig.servers.owner_url)
    try:

        async def nothing_is_on_its_way() -> bool:
            return bool(await connection.fetchval(ON_ITS_WAY) == 0)

        async def is_settled() -> bool:
            return bool(await connection.fetchval(UNSETTLED) == 0)

        await eventually(nothing_is_on_its_way, seconds_max=SETTLE_SECONDS_MAX)
        history.settled()
        await asyncio.gather(*(person.resolve() for person in people))
        await eventually(is_settled, seconds_max=SETTLE_SECONDS_MAX)
    finally:
        await connection.close()


async def _catch_up(rig: Rig, watchers: list[Watcher]) -> None:
    """Wait until the watchers know the last version of each resource; the checker tells of those who never did."""
    connection = await asyncpg.connect(rig.servers.owner_url)
    try:
        rows = await connection.fetch("SELECT id::text, version FROM resource")
    finally:
        await connection.close()
    last = {row["id"]: row["version"] for row in rows}

    async def all_know() -> bool:
        return all(watcher.versions == last for watcher in watchers)

    try:
        await eventually(all_know, seconds_max=SETTLE_SECONDS_MAX)
    except AssertionError:
        return
