"""What processes and watchers take of memory, and how long after a hold its watchers are told."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.http import connect as connect_http
from benchmarks.report import heading, memory_mib, table
from benchmarks.requests import HELD, global_id, graphql_hold, graphql_outcome, some_interval
from benchmarks.stage import PLENTY, RULES, Stage
from models.resource import Resource
from tests.support.factories import make_resource

WATCHERS: Final = 500
HOLDS: Final = 12
DAYS: Final = 7  # within what is watched if no window is given
PAUSE_SECONDS: Final = 0.2
PUSH_SECONDS_MAX: Final = 20.0
WATCH: Final = """
subscription($ids: [ID!]!) {
  capacityChanged(resourceIds: $ids) { version snapshot startsAt endsAt steps { startsAt endsAt vacancies status } }
}
"""


async def watchers(stage: Stage) -> None:
    """One watcher, then as many as `WATCHERS`, each on a WebSocket of its own, of one resource; holds one by one."""
    heading("Watchers, and memory")
    processes = {
        "vacancy serve": stage.vacancy,
        "vacancy worker": stage.worker,
        "(i) plain": stage.plain,
        "(ii) counter": stage.counter,
    }
    table(["", "MiB resident"], [[name, memory_mib(process.pid)] for name, process in processes.items()])
    before = memory_mib(stage.vacancy.pid)
    resource = await make_resource(stage.database, beside=stage.hot, capacity=PLENTY, rules=RULES)
    rows: list[list[object]] = []
    async with AsyncExitStack() as stack:
        sockets = [await _watching(stack, stage.vacancy.port, resource)]
        rows.append(_delays("1 watcher", await _pushes(stage, resource, sockets)))
        sockets += [await _watching(stack, stage.vacancy.port, resource) for _ in range(WATCHERS - 1)]
        each_kib = (memory_mib(stage.vacancy.pid) - before) * 1024 / WATCHERS
        rows.append(_delays(f"{WATCHERS} watchers", await _pushes(stage, resource, sockets)))
        after_kib = (memory_mib(stage.vacancy.pid) - before) * 1024 / WATCHERS
    heading("From the call of bookingHold to the push")
    table(["", "p50 ms", "p99 ms", "to the last, p50 ms"], rows)
    heading("Memory of a watcher")
    table(["", "KiB"], [["connected", each_kib], [f"after {HOLDS} pushes", after_kib]])


async def _watching(stack: AsyncExitStack, port: int, resource: Resource) -> ClientConnection:
    """A WebSocket that has been shown the state now."""
    address = f"ws://127.0.0.1:{port}/graphql"
    socket = await stack.enter_async_context(
        connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None, ping_interval=None)
    )
    await socket.send(json.dumps({"type": "connection_init"}))
    await socket.recv()
    operation = {"query": WATCH, "variables": {"ids": [global_id(resource)]}}
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": operation}))
    await _next(socket)
    return socket


async def _pushes(stage: Stage, resource: Resource, sockets: Sequence[ClientConnection]) -> list[list[float]]:
    """For each hold, how many seconds after it was sent each watcher had been told."""
    found: list[list[float]] = []
    client = await connect_http(stage.vacancy.port, "/graphql")
    try:
        for _ in range(HOLDS):
            began = time.perf_counter()
            outcome = graphql_outcome(*await client.ask(graphql_hold([resource], some_interval(DAYS))))
            if outcome != HELD:
                raise RuntimeError(outcome)
            found.append(await asyncio.gather(*(_told(socket, began) for socket in sockets)))
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await client.close()
    return found


async def _told(socket: ClientConnection, began: float) -> float:
    await _next(socket)
    return time.perf_counter() - began


async def _next(socket: ClientConnection) -> None:
    async with asyncio.timeout(PUSH_SECONDS_MAX):
        message = json.loads(await socket.recv())
    if message["type"] != "next" or "errors" in message["payload"]:
        raise RuntimeError(f"the server sent {message}")


def _delays(name: str, pushes: Sequence[Sequence[float]]) -> list[object]:
    ordered = sorted(delay for each in pushes for delay in each)
    last = sorted(max(each) for each in pushes)
    return [
        name,
        ordered[len(ordered) // 2] * 1000,
        ordered[int(0.99 * len(ordered))] * 1000,
        last[len(last) // 2] * 1000,
    ]
