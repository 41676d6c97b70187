"""What a hold costs on a resource with few and with very many live claims."""

import json
import random
import statistics
import time
from collections.abc import Sequence
from typing import Final

import asyncpg

from benchmarks.report import heading, table
from benchmarks.requests import ledger_hold, ledger_json, some_interval
from benchmarks.stage import PLENTY, RULES, Stage
from models.interval import Interval
from models.resource import Resource
from tests.support.factories import make_resource

COUNTS: Final = (100, 10_000, 100_000)
ROUNDS: Final = 16
CALLS_OF_ROUND: Final = 25
WARM_UP_CALLS: Final = 100
DAYS: Final = 700

# As many bookings would have left them; row by row, the triggers would take minutes. The timeline is the sweep of the
# claims, which is what the triggers keep.
BOOKINGS: Final = """
INSERT INTO booking (organization_id, id, reference, status, version, hold_ceiling_at, claim_count, last_event,
                     last_actor, created_at, updated_at)
SELECT $1, id, id::text, 'CONFIRMED', 1, now(), 1, 'CONFIRMED', 'guest', now(), now() FROM loaded
"""
EVENTS: Final = """
INSERT INTO booking_event (organization_id, booking_id, version, kind, status, actor, created_at)
SELECT $1, id, 1, 'CONFIRMED', 'CONFIRMED', 'guest', now() FROM loaded
"""
ITEMS: Final = """
INSERT INTO booking_item (organization_id, booking_id, position, resource_id, starts_at, ends_at, quantity)
SELECT $1, id, 0, $2, starts_at, ends_at, 1 FROM loaded
"""
CLAIMS: Final = """
INSERT INTO claim (organization_id, booking_id, resource_id, starts_at, ends_at, quantity)
SELECT $1, id, $2, starts_at, ends_at, 1 FROM loaded
"""
TIMELINE: Final = """
INSERT INTO timeline (organization_id, resource_id, at, capacity, taken, closed)
SELECT $1, $2, at, $3, sum(sum(added)) OVER (ORDER BY at), false
  FROM (SELECT starts_at AS at, 1 AS added FROM loaded UNION ALL SELECT ends_at, -1 FROM loaded) change
 GROUP BY at
HAVING sum(added) <> 0
"""


async def claims(stage: Stage) -> None:
    """Calls on each of the resources in turn, so that what else the machine does meets all alike."""
    heading("A hold on a resource with so many live claims")
    loaded = [(count, await _resource_with(stage, count)) for count in COUNTS]
    await stage.owner.execute("VACUUM ANALYZE timeline, claim, booking, booking_item")
    times: dict[int, list[float]] = {count: [] for count in COUNTS}
    async with stage.database.ledger.acquire() as connection:
        for _, resource in loaded:
            for _ in range(WARM_UP_CALLS):
                await _hold(connection, resource)
        for _ in range(ROUNDS):
            for count, resource in random.sample(loaded, len(loaded)):
                times[count] += [await _hold(connection, resource) for _ in range(CALLS_OF_ROUND)]
    least = statistics.median(times[COUNTS[0]])
    rows = [
        [
            f"{count:,} claims",
            statistics.median(some) * 1000,
            statistics.quantiles(some, n=100)[98] * 1000,
            statistics.median(some) / least,
        ]
        for count, some in times.items()
    ]
    table(["", "p50 ms", "p99 ms", "p50 ratio"], rows)


async def load(owner: "asyncpg.Connection", resource: Resource, count: int, *, days: int = DAYS) -> None:
    """Put so many confirmed bookings of two hours each on a resource that has none, spread over the days to come."""
    await load_at(owner, resource, [some_interval(days) for _ in range(count)])


async def load_at(owner: "asyncpg.Connection", resource: Resource, intervals: Sequence[Interval]) -> None:
    """Put a confirmed booking of one unit at each of these times on a resource that has none."""
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "CREATE TEMP TABLE loaded (id uuid, starts_at timestamptz, ends_at timestamptz) ON COMMIT DROP"
        )
        await owner.execute(
            "INSERT INTO loaded SELECT gen_random_uuid(), * FROM unnest($1::timestamptz[], $2::timestamptz[])",
            [each.starts_at for each in intervals],
            [each.ends_at for each in intervals],
        )
        key = (resource.organization_id, resource.id)
        for statement in (ITEMS, CLAIMS):
            await owner.execute(statement, *key)
        for statement in (BOOKINGS, EVENTS):
            await owner.execute(statement, resource.organization_id)
        await owner.execute(TIMELINE, *key, resource.capacity)


async def _resource_with(stage: Stage, count: int) -> Resource:
    resource = await make_resource(stage.database, beside=stage.hot, capacity=PLENTY, rules=RULES)
    await load(stage.owner, resource, count)
    return resource


async def _hold(connection: "asyncpg.Connection", resource: Resource) -> float:
    asked = ledger_json(ledger_hold(resource, some_interval(DAYS)))
    began = time.perf_counter()
    answer = json.loads(await connection.fetchval("SELECT ledger_hold($1, $2)", resource.organization_id, asked))
    taken = time.perf_counter() - began
    if answer[0]["outcome"] != "DONE":
        raise RuntimeError(f"the ledger answered {answer}")
    return taken
