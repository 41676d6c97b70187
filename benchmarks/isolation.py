"""What row-level security costs: the same calls by the application's role, and by one that is exempt from it."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import asyncpg

from benchmarks.report import heading, table
from benchmarks.requests import ledger_hold, ledger_json
from benchmarks.stage import Stage
from models.interval import Interval
from models.resource import Resource

ROUNDS: Final = 500
WARM_UP_ROUNDS: Final = 25
GROUP: Final = 64
GROUP_ROUNDS: Final = 40

EXEMPT: Final = "vacancy_exempt"
SETTINGS: Final = {"jit": "off", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}

Make = Callable[[], str]


async def isolation(stage: Stage) -> None:
    """Calls of the two in turn, so that what else the machine does meets both alike."""
    heading("Row-level security: the same calls, guarded and exempt")
    await stage.owner.execute(f"CREATE ROLE {EXEMPT} NOLOGIN BYPASSRLS IN ROLE vacancy_app")
    hot, sold_out = stage.hot, stage.sold_out
    rows = [
        await _compared(stage, "ledger_hold", hot, partial(_requests, hot, 1), ROUNDS),
        await _compared(stage, f"ledger_hold, {GROUP} together", hot, partial(_requests, hot, GROUP), GROUP_ROUNDS),
        await _compared(stage, "sold out", sold_out, partial(_requests, sold_out, 1, stage.sold_out_at), ROUNDS),
    ]
    table(["", "guarded, p50 ms", "exempt, p50 ms", "guarded takes"], rows)


async def _compared(stage: Stage, what: str, resource: Resource, make: Make, rounds: int) -> list[object]:
    guarded, exempt = await _connected(stage, "vacancy_app"), await _connected(stage, EXEMPT)
    try:
        times: dict[asyncpg.Connection, list[float]] = {guarded: [], exempt: []}
        for number in range(WARM_UP_ROUNDS + rounds):
            for connection in (guarded, exempt) if number % 2 else (exempt, guarded):
                asked, sent = make(), time.perf_counter()
                await connection.fetchval("SELECT ledger_hold($1, $2)", resource.organization_id, asked)
                if number >= WARM_UP_ROUNDS:
                    times[connection].append(1000 * (time.perf_counter() - sent))
    finally:
        await guarded.close()
        await exempt.close()
    with_it, without = statistics.median(times[guarded]), statistics.median(times[exempt])
    return [what, with_it, without, f"{with_it / without:.3f} ×"]


async def _connected(stage: Stage, role: str) -> "asyncpg.Connection":
    return await asyncpg.connect(stage.settings.migration_database_url, server_settings={"role": role, **SETTINGS})


def _requests(resource: Resource, count: int, at: Interval | None = None) -> str:
    return ledger_json(*(ledger_hold(resource, at) for _ in range(count)))
