"""What is kept of timelines: a month of a hundred resources from the database, from memory and from Redis; and refusals
of what is sold out, at sight and by the ledger.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import Final

from benchmarks.claims import load as load_bookings
from benchmarks.http import Load, connect, drive
from benchmarks.report import heading, table
from benchmarks.requests import (
    SOLD_OUT,
    global_id,
    graphql,
    graphql_data,
    graphql_hold,
    graphql_outcome,
    ledger_hold,
)
from benchmarks.stage import RULES, Process, Stage
from engine.availability import timeline
from engine.facts import ResourceFacts, load_facts, load_facts_with_versions
from engine.sight import hold_unless_sold_out
from models.database import Database
from models.errors import SoldOut
from models.interval import Interval
from models.kept_timelines import KeptTimelines
from models.keys import ResourceKey
from models.ledger.requests import Hold
from models.queries.kept import read_kept_timelines
from models.queries.timelines import TimelineView
from models.resource import Resource
from subscriptions.shelf import RedisShelf
from tests.support.factories import key_of, make_resource
from tests.support.statements import recorded_statements

RESOURCES: Final = 100
BOOKINGS_OF_EACH: Final = 40
MONTH_DAYS: Final = 31
WARM_UP_READINGS: Final = 2
READINGS: Final = 12
ASKED_BY_GRAPHQL: Final = 3
CLIENTS: Final = 32
CALLERS: Final = 64
ROUNDS: Final = 2
ROUND_SECONDS: Final = 1.0
KEPT: Final = "kept"
NOT_KEPT: Final = "not kept"
TIMELINES: Final = """
query Months($ids: [ID!]!, $window: WindowInput!) {
  nodes(ids: $ids) { ... on Resource { timeline(window: $window) { version steps { startsAt endsAt vacancies } } } }
}
"""


async def kept(stage: Stage) -> None:
    """Each way in turn, so that what else the machine does meets all alike."""
    resources = [
        await make_resource(stage.database, beside=stage.hot, capacity=40, rules=RULES) for _ in range(RESOURCES)
    ]
    for each in resources:
        await load_bookings(stage.owner, each, BOOKINGS_OF_EACH, days=MONTH_DAYS)
    await stage.owner.execute("VACUUM ANALYZE timeline")
    heading(f"Timelines of {RESOURCES} resources, {MONTH_DAYS} days: read anew, and kept")
    await _readings(stage, [key_of(each) for each in resources])
    async with stage.server_with(keep_timelines=False) as without:
        servers = {KEPT: stage.vacancy, NOT_KEPT: without}
        heading("The same through GraphQL, one client")
        await _queries(servers, resources)
        heading("Refusals of what is sold out: at sight, and by the ledger")
        facts = (await load_facts(stage.database, [key_of(stage.sold_out)]))[key_of(stage.sold_out)]
        databases = {KEPT: replace(stage.database, timelines=KeptTimelines()), NOT_KEPT: stage.database}
        by_clients = {
            f"GraphQL, {CLIENTS} clients, {name}": partial(_by_clients, stage, server)
            for name, server in servers.items()
        }
        by_callers = {
            f"engine, {CALLERS} callers, {name}": partial(_by_callers, stage, database, facts)
            for name, database in databases.items()
        }
        await _compared(stage, by_clients | by_callers)


async def _readings(stage: Stage, keys: Sequence[ResourceKey]) -> None:
    """The engine's part, without a server: what is read, and then what is made of it."""
    assert stage.settings.redis_url is not None, "the stage has one"
    shelf, memory = RedisShelf(stage.settings.redis_url), KeptTimelines()
    places: dict[str, Callable[[], KeptTimelines | None]] = {
        "from the database": lambda: None,
        "kept in memory": lambda: memory,
        "kept in Redis": lambda: KeptTimelines(shelf),  # as a process that has just begun finds it
    }
    reads, alls = {name: Load() for name in places}, {name: Load() for name in places}
    statements: dict[str, int] = {}
    cpu = dict.fromkeys(places, 0.0)
    try:
        for number in range(WARM_UP_READINGS + READINGS):
            for name, place in places.items():
                used = await stage.postgres_cpu()
                with recorded_statements(stage.database) as sent:
                    took = await _read(replace(stage.database, timelines=place()), keys)
                statements[name] = len(sent)
                if number >= WARM_UP_READINGS:
                    cpu[name] += used()
                    reads[name].latencies.append(took[0])
                    alls[name].latencies.append(took[1])
    finally:
        await shelf.close()
    rows = [
        [name, statements[name], *_ms(reads[name]), *_ms(alls[name]), cpu[name] * 1000 / READINGS] for name in places
    ]
    head = ["", "statements", "read p50 ms", "p99 ms", "with the engine p50 ms", "p99 ms", "PostgreSQL's CPU, ms"]
    table(head, rows)


async def _read(database: Database, keys: Sequence[ResourceKey]) -> tuple[float, float]:
    """How long it took to read, and to have computed what can be had; in seconds."""
    window, began = _month(), time.perf_counter()
    facts, versions = await load_facts_with_versions(database, keys)
    questions = [(key, window) for key in keys]
    views = dict(zip(keys, await read_kept_timelines(database, questions, versions=versions, fill=True), strict=True))
    read_at = time.perf_counter()
    for key in keys:
        await timeline(facts[key], window, load=partial(_given, views))
    return read_at - began, time.perf_counter() - began


async def _given(
    views: Mapping[ResourceKey, TimelineView], questions: Sequence[tuple[ResourceKey, Interval]]
) -> list[TimelineView]:
    return [views[key] for key, _ in questions]


async def _queries(servers: Mapping[str, Process], resources: Sequence[Resource]) -> None:
    window = _month()
    asked = {"startsAt": window.starts_at.isoformat(), "endsAt": window.ends_at.isoformat()}
    body = graphql(TIMELINES, {"ids": [global_id(each) for each in resources], "window": asked})
    loads = {name: Load() for name in servers}
    clients = {name: await connect(server.port, "/graphql") for name, server in servers.items()}
    try:
        for number in range(WARM_UP_READINGS + ASKED_BY_GRAPHQL):
            for name, client in clients.items():
                began = time.perf_counter()
                outcome = graphql_data(*await client.ask(body))
                if outcome != "data":
                    raise RuntimeError(outcome)
                if number >= WARM_UP_READINGS:
                    loads[name].latencies.append(time.perf_counter() - began)
    finally:
        for client in clients.values():
            await client.close()
    table(["", "p50 ms", "p99 ms"], [[f"timelines {name}", *_ms(load)] for name, load in loads.items()])


async def _compared(stage: Stage, ways: Mapping[str, Callable[[], Awaitable[Load]]]) -> None:
    """Rounds of each way; the first of each warms up."""
    loads, cpu = {name: Load() for name in ways}, dict.fromkeys(ways, 0.0)
    for number in range(1 + ROUNDS):
        for name, way in ways.items():
            await stage.settle()
            used = await stage.postgres_cpu()
            load = await way()
            load.only(SOLD_OUT)
            if number:
                loads[name].add(load)
                cpu[name] += used()
    rows = [[name, load.per_second, *_ms(load), cpu[name] * 1000 / len(load.latencies)] for name, load in loads.items()]
    table(["", "per second", "p50 ms", "p99 ms", "PostgreSQL's CPU, ms each"], rows)


async def _by_clients(stage: Stage, server: Process) -> Load:
    return await drive(
        server.port,
        "/graphql",
        partial(graphql_hold, [stage.sold_out], stage.sold_out_at),
        graphql_outcome,
        clients=CLIENTS,
        seconds=ROUND_SECONDS,
    )


async def _by_callers(stage: Stage, database: Database, facts: ResourceFacts) -> Load:
    """As many at once as a busy process has."""
    load = Load()
    began = time.perf_counter()

    async def caller() -> None:
        while time.perf_counter() - began < ROUND_SECONDS:
            asked, sent = _hold(stage, facts), time.perf_counter()
            try:
                await hold_unless_sold_out(database, asked)
            except SoldOut:
                load.outcomes[SOLD_OUT] += 1
            load.latencies.append(time.perf_counter() - sent)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    load.seconds = time.perf_counter() - began
    return load


def _hold(stage: Stage, facts: ResourceFacts) -> Hold:
    """What the engine asks for what is sold out, once the rules have let it pass."""
    asked = ledger_hold(stage.sold_out, stage.sold_out_at)
    return replace(asked, items=(replace(asked.items[0], catalog_version=facts.catalog_version),))


def _month() -> Interval:
    first = datetime.combine(datetime.now(UTC).date(), clock(0), UTC) + timedelta(days=1)
    return Interval(first, first + timedelta(days=MONTH_DAYS))


def _ms(load: Load) -> list[float]:
    return [load.quantile_ms(0.5), load.quantile_ms(0.99)]
