"""Where the time of one bookingHold goes: what each layer adds for one client, and who uses the CPU for many."""

import json
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from benchmarks.http import Client, Load, connect, drive
from benchmarks.report import cpu_seconds, heading, say, table
from benchmarks.requests import (
    HELD,
    graphql_hold,
    graphql_outcome,
    ledger_hold,
    ledger_json,
    some_interval,
)
from benchmarks.stage import Stage
from engine.availability import Wish
from engine.facts import known_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.ledger import calls
from models.ledger.requests import Contact
from tests.support.factories import key_of

ROUNDS: Final = 100
WARM_UP_ROUNDS: Final = 20
CLIENTS: Final = 32
WARM_UP_SECONDS: Final = 1.0
SAMPLED_SECONDS: Final = 3.0

Ask = Callable[[], Awaitable[object]]


async def profile(stage: Stage) -> None:
    """First the layers, one inside the other, for a client that is alone; then samples under load."""
    await _layers(stage)
    await _samples(stage)


async def _layers(stage: Stage) -> None:
    heading("One bookingHold, one client: what each layer adds")
    client = await connect(stage.vacancy.port, "/graphql")
    asks: dict[str, Ask] = {
        "graphql": partial(_through_graphql, stage, client),
        "engine": partial(_through_engine, stage),
        "facts": partial(_facts, stage),
        "calls": partial(_through_calls, stage),
        "sql": partial(_through_sql, stage),
    }
    loads = {name: Load() for name in asks}
    try:
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            for name, ask in asks.items():
                began = time.perf_counter()
                await ask()
                if number >= WARM_UP_ROUNDS:
                    loads[name].latencies.append(time.perf_counter() - began)
    finally:
        await client.close()
    ms = {name: load.quantile_ms(0.5) for name, load in loads.items()}
    parts = [
        ("HTTP and GraphQL, there and back", ms["graphql"] - ms["engine"]),
        ("engine: facts of the resource, as kept", ms["facts"]),
        ("engine: rules, and the rest", ms["engine"] - ms["facts"] - ms["calls"]),
        ("ledger's call: to JSON and back, retries", ms["calls"] - ms["sql"]),
        ("database: ledger_hold, with its commit", ms["sql"]),
    ]
    rows = [[name, took, f"{took / ms['graphql']:.0%}"] for name, took in [*parts, ("all", ms["graphql"])]]
    table(["", "p50 ms", "share"], rows)


async def _samples(stage: Stage) -> None:
    heading(f"CPU of a bookingHold, {CLIENTS} clients")
    async with stage.sampled_server() as (server, file):
        ask = partial(
            drive, server.port, "/graphql", lambda: graphql_hold([stage.hot]), graphql_outcome, clients=CLIENTS
        )
        await ask(seconds=WARM_UP_SECONDS)
        used_by_database = await stage.postgres_cpu()
        os.kill(server.pid, signal.SIGUSR1)
        before = cpu_seconds(server.pid)
        load = await ask(seconds=SAMPLED_SECONDS)
        load.only(HELD)
        held = len(load.latencies)
        of_server = (cpu_seconds(server.pid) - before) * 1000 / held
        of_database = used_by_database() * 1000 / held
    table(
        ["", "ms of CPU a hold"],
        [["server process", of_server], ["PostgreSQL, all its processes (with the worker's)", of_database]],
    )
    counts: dict[str, int] = json.loads(file.read_text())
    file.unlink()
    samples = sum(counts.values())
    say()
    say(f"Of the server process's CPU ({samples:,} samples):")
    say()
    rows = sorted(counts.items(), key=lambda found: -found[1])
    table(["", "share", "ms a hold"], [[name, f"{n / samples:.0%}", of_server * n / samples] for name, n in rows])


async def _through_graphql(stage: Stage, client: Client) -> None:
    outcome = graphql_outcome(*await client.ask(graphql_hold([stage.hot])))
    if outcome != HELD:
        raise RuntimeError(outcome)


async def _through_engine(stage: Stage) -> None:
    key = key_of(stage.hot)
    item = ItemRequest(key, Wish(window=some_interval()))
    request = HoldRequest(secrets.token_hex(16), secrets.token_bytes(32), (item,), Contact(name="Ada"), {})
    await hold(stage.database, GUEST, request, now=datetime.now(UTC))


async def _facts(stage: Stage) -> None:
    await known_facts(stage.database, [key_of(stage.hot)])


async def _through_calls(stage: Stage) -> None:
    await calls.hold(stage.database, ledger_hold(stage.hot))


async def _through_sql(stage: Stage) -> None:
    asked = ledger_json(ledger_hold(stage.hot))
    await stage.database.ledger.fetchval("SELECT ledger_hold($1, $2)", stage.hot.organization_id, asked)
