"""A month of load in small: do tables, indexes and timelines stay in proportion to what is live?"""

import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks.life import FATES, Life, Plan, live
from benchmarks.report import heading, say, table
from benchmarks.stage import Stage
from models.audit import INVARIANTS, examine, snapshot
from models.database import Database, connect
from models.migrate import migrate

BOOKINGS: Final = 200_000
HALLS: Final = 300
ROOMS: Final = 100
SMALL: Final = Plan(bookings=2_000, halls=6, rooms=10, group=16, lanes=4)
TABLES: Final = ("booking", "booking_item", "booking_event", "claim", "timeline", "resource", "outbox", "idempotency")
GROUPS_AT_EACH_END: Final = 10_000 // 64
NAP: Final = "1s"

# What a table would need if it were written anew is known only by doing so: VACUUM FULL, at the end.
SIZES: Final = """
SELECT c.relname AS name, pg_relation_size(c.oid) AS heap, pg_indexes_size(c.oid) AS indexes,
       s.n_dead_tup AS dead, s.n_tup_upd AS updates, s.n_tup_hot_upd AS hot, s.autovacuum_count AS vacuums
  FROM pg_class c
  JOIN pg_stat_user_tables s ON s.relid = c.oid
 WHERE c.relname = ANY ($1) AND c.relnamespace = 'public'::regnamespace
"""
TIMELINES: Final = """
SELECT (SELECT count(*) FROM timeline) AS points,
       (SELECT count(*) FROM timeline t JOIN resource r ON r.id = t.resource_id AND t.at < $1::timestamptz
         WHERE t.at > coalesce(r.folded_until, '-infinity')) AS overdue,
       (SELECT count(*) FROM claim WHERE ends_at > $1) AS recent,
       (SELECT count(*) FROM outbox) AS outbox,
       (SELECT count(*) FROM idempotency) AS keys
"""

COUNTED: Final = ("bookings made", "change points", "overdue", "recent claims", "points a claim", "outbox", "keys")
"""Overdue: older than what is kept, and not folded. Recent: what is claimed after that."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a table: rows that are there, bytes, and what its statistics say since it was made."""

    rows: int
    heap: int
    indexes: int
    dead: int
    updates: int
    hot: int
    vacuums: int

    @property
    def bytes_of_row(self) -> float:
        return (self.heap + self.indexes) / max(1, self.rows)


async def month(stage: Stage) -> None:
    """200,000 bookings of a month, in a database of their own; takes some minutes, and is not a part of `all`."""
    plan = Plan(bookings=BOOKINGS, halls=HALLS, rooms=ROOMS)
    heading(f"A month in small: {BOOKINGS:,} bookings, {HALLS} halls by the hour, {ROOMS} kinds of room by the night")
    async with _database(stage) as (database, owner, url):
        seen: list[tuple[int, dict[str, Size]]] = []
        counts: list[list[object]] = []

        async def watch(life: Life) -> None:
            seen.append((life.made, await sizes(owner)))
            counts.append([f"{life.made:,}", *(await timelines(owner, plan, life))])

        began = time.monotonic()
        life = await live(database, owner, plan, watch=watch)
        seconds = time.monotonic() - began
        _say_what_was_done(life, seconds)
        table(COUNTED, counts)
        await _say_sizes(owner, seen)
        await _say_audit(url)


async def sizes(owner: "asyncpg.Connection") -> dict[str, Size]:
    """Of each table."""
    rows = {row["name"]: dict(row) for row in await owner.fetch(SIZES, TABLES)}
    found = {}
    for name in TABLES:
        there = rows[name]
        del there["name"]
        found[name] = Size(rows=await owner.fetchval(f"SELECT count(*) FROM {name}"), **there)  # noqa: S608 - constants
    return found


async def timelines(owner: "asyncpg.Connection", plan: Plan, life: Life) -> list[object]:
    """How long the timelines are, beside what is claimed of them, and how much is kept for repetitions and watchers."""
    row = await owner.fetchrow(TIMELINES, life.now - plan.keep)
    points_of_claim = row["points"] / max(1, row["recent"])
    return [f"{row[name]:,}" for name in ("points", "overdue", "recent")] + [
        points_of_claim,
        *(f"{row[name]:,}" for name in ("outbox", "keys")),
    ]


@asynccontextmanager
async def _database(stage: Stage) -> AsyncIterator[tuple[Database, "asyncpg.Connection", str]]:
    """A fresh one on the stage's cluster: its clock is moved, which no other part would survive."""
    await stage.owner.execute("CREATE DATABASE month")
    # Ten thousand minutes go by in one: who is to vacuum has to look more often.
    await stage.owner.execute(f"ALTER SYSTEM SET autovacuum_naptime = '{NAP}'")
    await stage.owner.execute("SELECT pg_reload_conf()")
    owner_url, app_url = (
        urlunsplit(urlsplit(url)._replace(path="/month"))
        for url in (stage.settings.migration_database_url or "", stage.settings.database_url or "")
    )
    await migrate(owner_url)
    database, owner = await connect(app_url), await asyncpg.connect(owner_url)
    try:
        yield database, owner, app_url
    finally:
        await owner.close()
        await database.close()
        await stage.owner.execute("ALTER SYSTEM RESET autovacuum_naptime")
        await stage.owner.execute("SELECT pg_reload_conf()")
        await stage.owner.execute("DROP DATABASE month")


def _say_what_was_done(life: Life, seconds: float) -> None:
    fates = ", ".join(f"{life.done[fate]:,} {fate}" for fate in FATES)
    say(f"{life.made:,} bookings in {seconds:.0f} s ({life.made / seconds:,.0f}/s): {fates};")
    say(f"{life.done['expired']:,} expired; {life.done['refused']:,} more were sold out. Timelines were folded")
    say(f"{life.done['folded']:,} times, {life.done['forgotten']:,} keys and outbox rows forgotten.")
    first, last = (
        1000 * statistics.median(some)
        for some in (life.group_seconds[:GROUPS_AT_EACH_END], life.group_seconds[-GROUPS_AT_EACH_END:])
    )
    say(f"64 holds of one resource together, 8 resources at a time: p50 {first:.0f} ms in the first 10,000 holds,")
    say(f"{last:.0f} ms in the last. Load average at the end {os.getloadavg()[1]:.1f}.")
    say()


async def _say_sizes(owner: "asyncpg.Connection", seen: list[tuple[int, dict[str, Size]]]) -> None:
    say()
    heading("Bytes of a row that is there, heap and indexes")
    for name in TABLES:
        await owner.execute(f"VACUUM (FULL, ANALYZE) {name}")
    packed = await sizes(owner)
    last = seen[-1][1]
    rows = [
        [
            name,
            *(some[name].bytes_of_row for _, some in seen),
            packed[name].bytes_of_row,
            last[name].heap / max(1, packed[name].heap),
            last[name].indexes / max(1, packed[name].indexes),
            f"{last[name].hot / max(1, last[name].updates):.0%}",
            last[name].dead / max(1, last[name].rows),
            last[name].vacuums,
        ]
        for name in TABLES
    ]
    table(
        ["", *(f"{made:,}" for made, _ in seen), "packed", "heap ×", "indexes ×", "HOT", "dead a row", "vacuums"], rows
    )


async def _say_audit(url: str) -> None:
    heading("vacancy audit")
    found: list[tuple[str, int, float]] = []
    async with snapshot(url) as connection:
        for invariant in INVARIANTS:
            began = time.monotonic()
            finding = await examine(connection, invariant)
            found.append((invariant.promise, finding.count, time.monotonic() - began))
    found.append(("all", sum(count for _, count, _ in found), sum(seconds for _, _, seconds in found)))
    table(["", "violations", "seconds"], found)
