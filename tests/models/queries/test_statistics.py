"""A plan that was made for an empty table does not stay."""

import asyncpg

from models.database import Database
from models.ledger import calls
from models.queries.work import analyze
from tests.support.factories import hold_of, make_resource
from tests.support.waiting import eventually

HOLDS = 120
LOOKUP = "SELECT FROM booking WHERE organization_id = $1 AND id = $2"


async def test_a_new_table_that_grows_is_analyzed(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=HOLDS)
    async with database.ledger.acquire() as kept:
        # Kept by the session, as the functions keep theirs: made while there is nothing.
        await kept.execute(f"PREPARE lookup (uuid, uuid) AS {LOOKUP}")
        held = [await calls.hold(database, hold_of(resource)) for _ in range(HOLDS)]
        await database.ledger.execute("SELECT pg_stat_force_next_flush()")

        async def has_statistics() -> bool:
            await analyze(database)
            counted: float = await owner.fetchval("SELECT reltuples FROM pg_class WHERE oid = 'booking'::regclass")
            return counted == HOLDS

        await eventually(has_statistics, seconds_max=30)
        explain = f"EXPLAIN EXECUTE lookup ('{resource.organization_id}', '{held[0].booking.id}')"
        plan = "\n".join(row[0] for row in await kept.fetch(explain))
    assert "using booking_pkey" in plan
    assert "Filter" not in plan.replace("One-Time Filter", "")  # row security's: once per execution, not per row
    assert await analyze(database) == 0
