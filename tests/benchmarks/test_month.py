"""A month in very small: the benchmark's own code, with the proportions that it is there to show."""

import asyncpg

from benchmarks.life import Life, live
from benchmarks.month import SMALL
from models.database import Database
from tests.support.audits import assert_audit_clean

PAST = """
    SELECT count(*) FROM timeline t JOIN resource r ON r.organization_id = t.organization_id AND r.id = t.resource_id
     WHERE t.at > coalesce(r.folded_until, '-infinity') AND t.at <= $1
"""


async def test_what_remains_of_a_month_is_in_proportion(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    quarters: list[int] = []

    async def watch(life: Life) -> None:
        quarters.append(await owner.fetchval("SELECT count(*) FROM timeline"))
        assert await owner.fetchval(PAST, life.now - SMALL.keep) == 0, "the past is folded"

    life = await live(database, owner, SMALL, watch=watch)

    await assert_audit_clean(database_url)
    assert life.made + life.done["refused"] == SMALL.steps * SMALL.lanes * SMALL.group
    assert life.done["expired"] == life.done["left"] > 0
    assert life.done["folded"] > SMALL.halls + SMALL.rooms, "each was folded, some again and again"

    recent = await owner.fetchval("SELECT count(*) FROM claim WHERE ends_at > $1", life.now - SMALL.keep)
    claims, points = (
        await owner.fetchval("SELECT count(*) FROM claim"),
        await owner.fetchval("SELECT count(*) FROM timeline"),
    )
    resources = SMALL.halls + SMALL.rooms
    # A claim makes at most two change points; a folded timeline has two that are of none.
    assert points <= 2 * recent + 2 * resources
    assert points < claims, "without folding there were more: each claim of the month made about one"
    assert max(quarters) <= 2 * min(quarters[1:]), "they do not grow with what was ever booked"

    bookings = await owner.fetchval("SELECT count(*) FROM booking")
    keys = await owner.fetchval("SELECT count(*) FROM idempotency")
    hints = await owner.fetchval("SELECT count(*) FROM outbox")
    assert keys < bookings, "of two keys a booking those of the last week are left"
    assert hints < 3 * bookings, "of five rows a booking the newest is left, and those of the last week"
