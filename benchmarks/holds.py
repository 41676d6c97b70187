"""Holds a second through each server, on one resource and over many; and refusals; and the admission alone."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.http import Classify, Load, MakeBody, drive, drive_through
from benchmarks.report import heading, table
from benchmarks.requests import (
    HELD,
    SOLD_OUT,
    graphql_hold,
    graphql_outcome,
    ledger_hold,
    ledger_json,
    rest_hold,
    rest_outcome,
)
from benchmarks.stage import Stage
from models.ledger import calls

ROUNDS: Final = 3
ROUND_SECONDS: Final = 1.0
WARM_UP_SECONDS: Final = 1.0
FIRST_SECONDS_MAX: Final = 60.0
CLIENTS: Final = (32, 64)
GROUP: Final = 64


@dataclass(frozen=True, slots=True)
class Way:
    """A server, and how to ask it."""

    name: str
    port: int
    path: str
    make: Callable[..., bytes]
    classify: Classify


def ways(stage: Stage) -> list[Way]:
    """The three servers."""
    return [
        Way("Vacancy, GraphQL", stage.vacancy.port, "/graphql", graphql_hold, graphql_outcome),
        Way("(i) plain", stage.plain.port, "/holds", rest_hold, rest_outcome),
        Way("(ii) counter", stage.counter.port, "/holds", rest_hold, rest_outcome),
    ]


async def holds(stage: Stage) -> None:
    """Rounds of each server in turn, so that what else the machine does meets all alike."""
    heading("Holds")
    rows: list[list[object]] = []
    first = await _first(stage)
    for name, resources in (("one resource", [stage.hot]), (f"{len(stage.many):,} resources", stage.many)):
        for clients in CLIENTS:
            loads = await _in_turn(stage, lambda way, some=resources: lambda: way.make(some), clients, HELD)  # type: ignore[misc]
            rows += _compared(f"{name}, {clients} clients", loads)
    table(HEAD, rows + first)
    await admission(stage)


async def _first(stage: Stage) -> list[list[object]]:
    """The first hold of each of many, of which our server knows nothing yet; so that it does afterwards."""
    loads = []
    for way in ways(stage):
        bodies = iter([way.make([resource]) for resource in stage.many])
        load = await drive_through(
            way.port, way.path, bodies, way.classify, clients=CLIENTS[0], seconds_max=FIRST_SECONDS_MAX
        )
        load.only(HELD)
        loads.append((way, load))
    return _compared(f"{len(stage.many):,} resources, the first of each, {CLIENTS[0]} clients", loads)


async def refusals(stage: Stage) -> None:
    """The same for what is sold out: nothing is written, and the answer is typed."""
    heading("Refusals: sold out")
    loads = await _in_turn(
        stage, lambda way: lambda: way.make([stage.sold_out], stage.sold_out_at), CLIENTS[0], SOLD_OUT
    )
    table(HEAD, _compared(f"{CLIENTS[0]} clients", loads))


async def admission(stage: Stage) -> None:
    """The ledger without a server: its function in a bare loop of the driver, and many callers at once."""
    heading("The admission alone, on one resource")
    ways = {
        "(iii) ledger_hold, one at a time": partial(_in_a_loop, stage, 1),
        f"(iii) ledger_hold, grouped by {GROUP}": partial(_in_a_loop, stage, GROUP),
        f"calls.hold, {GROUP} callers": partial(_together, stage),
    }
    loads = {name: Load() for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            await stage.settle()
            loads[name].add(await way())
    first = next(iter(loads.values())).per_second
    rows = [
        [name, load.per_second, load.quantile_ms(0.5), load.quantile_ms(0.99), load.per_second / first]
        for name, load in loads.items()
    ]
    table(["", "holds/s", "p50 ms", "p99 ms", "ratio"], rows)


HEAD: Final = ("", "per second", "p50 ms", "p99 ms", "Vacancy is")


async def _in_turn(
    stage: Stage, make: Callable[[Way], MakeBody], clients: int, expected: str
) -> list[tuple[Way, Load]]:
    loads = [(way, Load()) for way in ways(stage)]
    for way, _ in loads:
        await drive(way.port, way.path, make(way), way.classify, clients=clients, seconds=WARM_UP_SECONDS)
    for _ in range(ROUNDS):
        for way, load in loads:
            await stage.settle()
            load.add(await drive(way.port, way.path, make(way), way.classify, clients=clients, seconds=ROUND_SECONDS))
    for _, load in loads:
        load.only(expected)
    return loads


def _compared(what: str, loads: Sequence[tuple[Way, Load]]) -> list[list[object]]:
    ours = loads[0][1].per_second
    return [
        [
            f"{what}: {way.name}",
            load.per_second,
            load.quantile_ms(0.5),
            load.quantile_ms(0.99),
            f"{ours / load.per_second:.2f} ×",
        ]
        for way, load in loads
    ]


async def _in_a_loop(stage: Stage, count: int) -> Load:
    """Calls of so many holds, each when the one before has been answered, on one connection."""
    load = Load()
    async with stage.database.ledger.acquire() as connection:
        began = time.perf_counter()
        while load.seconds < ROUND_SECONDS:
            asked = ledger_json(*(ledger_hold(stage.hot) for _ in range(count)))
            sent = time.perf_counter()
            answers = json.loads(
                await connection.fetchval("SELECT ledger_hold($1, $2)", stage.hot.organization_id, asked)
            )
            load.latencies += [time.perf_counter() - sent] * count
            load.outcomes.update(answer["outcome"] for answer in answers)
            load.seconds = time.perf_counter() - began
    load.only("DONE")
    return load


async def _together(stage: Stage) -> Load:
    """As many callers at once as a busy process has, through the ledger's own call."""
    load = Load()
    began = time.perf_counter()

    async def caller() -> None:
        while time.perf_counter() - began < ROUND_SECONDS:
            asked = ledger_hold(stage.hot)
            sent = time.perf_counter()
            await calls.hold(stage.database, asked)
            load.latencies.append(time.perf_counter() - sent)

    await asyncio.gather(*(caller() for _ in range(GROUP)))
    load.seconds = time.perf_counter() - began
    return load
