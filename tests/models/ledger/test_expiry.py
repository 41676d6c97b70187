"""The end of a hold: by the clock, when somebody needs the place or the sweeper comes by; never before."""

import asyncio

import asyncpg
import pytest

from models.booking import BookingStatus
from models.database import Database
from models.errors import HoldExpired, SoldOut
from models.ledger import calls
from models.ledger.requests import BookingAction
from tests.support.factories import change_of, item_of, let_run_out, make_booking, make_hold, make_resource
from tests.support.ledger import status_of, taken_of
from tests.support.waiting import eventually, waits_for_a_lock


async def test_a_place_whose_hold_is_over_goes_to_whoever_asks(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    over = await make_hold(database, resource)
    await let_run_out(owner, over)

    await make_hold(database, resource, "11:00", "13:00")

    assert await status_of(owner, over.booking.id) == BookingStatus.EXPIRED
    with pytest.raises(HoldExpired):
        await calls.change_booking(database, change_of(over, BookingAction.CONFIRM))


async def test_a_hold_that_is_over_and_not_needed_is_confirmed(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    over = await make_hold(database, resource)
    await let_run_out(owner, over)
    await make_hold(database, resource, "12:00", "13:00")

    confirmed = await calls.change_booking(database, change_of(over, BookingAction.CONFIRM))

    assert confirmed.booking.status == BookingStatus.CONFIRMED
    with pytest.raises(SoldOut):
        await make_hold(database, resource)


async def test_the_clock_of_the_moment_counts_and_not_that_of_the_transaction(
    database: Database, owner: asyncpg.Connection
) -> None:
    """A hold that ends while somebody waits for the lock is over for him, though his transaction began before."""
    resource = await make_resource(database, capacity=2)
    running = await make_hold(database, resource)
    over = await make_hold(database, resource)
    await let_run_out(owner, over)  # or the request would be refused without waiting for the lock

    async with owner.transaction():
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", resource.id)
        asking = asyncio.create_task(make_hold(database, resource, quantity=2))
        await waits_for_a_lock(owner)
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute("UPDATE booking SET hold_expires_at = clock_timestamp() WHERE id = $1", running.booking.id)
    await asking

    assert await status_of(owner, running.booking.id) == BookingStatus.EXPIRED


async def test_it_ends_on_all_its_resources_at_once(database: Database, owner: asyncpg.Connection) -> None:
    wanted = await make_resource(database, capacity=1)
    others = [await make_resource(database, beside=wanted, capacity=1) for _ in range(2)]
    over = await make_hold(database, wanted, also=tuple(item_of(other, "20:00", "21:00") for other in others))
    await let_run_out(owner, over)

    await make_hold(database, wanted)

    for other in others:
        assert await taken_of(owner, other) == [("dawn", 0)]
    assert await status_of(owner, over.booking.id) == BookingStatus.EXPIRED


async def test_it_waits_for_whoever_is_at_another_of_its_resources(
    database: Database, owner: asyncpg.Connection
) -> None:
    """Expiring locks what the hold claims elsewhere too, and waits its turn there."""
    wanted = await make_resource(database, capacity=1)
    other = await make_resource(database, beside=wanted, capacity=1)
    over = await make_hold(database, wanted, also=(item_of(other),))
    await let_run_out(owner, over)

    async with owner.transaction():
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", other.id)
        asking = asyncio.create_task(make_hold(database, wanted))
        await waits_for_a_lock(owner)
    await asking

    assert await taken_of(owner, other) == [("dawn", 0)]


async def test_it_gives_up_its_locks_before_it_waits_out_of_order(
    database: Database, owner: asyncpg.Connection, owner_url: str
) -> None:
    """A hold ends while somebody waits for one of its resources, and the other, earlier in the order, is locked."""
    other = await make_resource(database)
    wanted = await make_resource(database, beside=other, capacity=2)
    assert other.id < wanted.id
    running = await make_hold(database, wanted, also=(item_of(other),))
    await let_run_out(owner, await make_hold(database, wanted))

    somebody = await asyncpg.connect(owner_url)
    try:
        elsewhere = somebody.transaction()
        await elsewhere.start()
        await somebody.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", other.id)
        async with owner.transaction():
            await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", wanted.id)
            asking = asyncio.create_task(make_hold(database, wanted, quantity=2))
            await waits_for_a_lock(owner)
            await owner.execute("SET LOCAL session_replication_role = replica")
            await owner.execute(
                "UPDATE booking SET hold_expires_at = clock_timestamp() WHERE id = $1", running.booking.id
            )
        await eventually(lambda: _keeps_waiting(owner, somebody))  # and not for what it was just woken by
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE NOWAIT", wanted.id)
        await elsewhere.rollback()
    finally:
        await somebody.close()
    await asking

    assert await status_of(owner, running.booking.id) == BookingStatus.EXPIRED
    assert await taken_of(owner, other) == [("dawn", 0)]


async def _keeps_waiting(owner: asyncpg.Connection, holder: asyncpg.Connection) -> bool:
    """Whether somebody waits for a lock that this connection has."""
    waiting: bool = await owner.fetchval(
        "SELECT coalesce(bool_or($1 = ANY (pg_blocking_pids(pid))), false) FROM pg_stat_activity"
        " WHERE datname = current_database()",
        holder.get_server_pid(),
    )
    return waiting


async def test_only_what_is_over_ends(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=3)
    over = await make_hold(database, resource)
    running = await make_hold(database, resource)
    confirmed = await make_booking(database, resource)
    await let_run_out(owner, over, confirmed)

    await make_hold(database, resource)
    with pytest.raises(SoldOut):
        await make_hold(database, resource)

    assert await status_of(owner, over.booking.id) == BookingStatus.EXPIRED
    assert await status_of(owner, running.booking.id) == BookingStatus.ON_HOLD
    assert await status_of(owner, confirmed.booking.id) == BookingStatus.CONFIRMED


@pytest.mark.parametrize("patient", [True, False])
async def test_the_sweeper_ends_the_rest(database: Database, owner: asyncpg.Connection, patient: bool) -> None:
    resource = await make_resource(database, capacity=5)
    over = [await make_hold(database, resource) for _ in range(3)]
    running = await make_hold(database, resource)
    await let_run_out(owner, *over)

    assert await database.ledger.fetch("SELECT worker_organizations_with_over_holds(10)") == [
        (resource.organization_id,)
    ]
    sweep = "SELECT worker_expire_over($1, 2, $2)"
    ended = [await database.ledger.fetchval(sweep, resource.organization_id, patient) for _ in range(3)]

    assert ended == [2, 1, 0]
    assert await status_of(owner, running.booking.id) == BookingStatus.ON_HOLD
    assert await taken_of(owner, resource) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]


async def test_the_sweeper_leaves_what_is_being_admitted_to(database: Database, owner: asyncpg.Connection) -> None:
    busy = await make_resource(database, capacity=1)
    quiet = await make_resource(database, beside=busy, capacity=1)
    over = [await make_hold(database, busy), await make_hold(database, quiet)]
    await let_run_out(owner, *over)

    async with owner.transaction():
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", busy.id)
        ended = await database.ledger.fetchval("SELECT worker_expire_over($1, 9, false)", busy.organization_id)

    assert ended == 1
    assert [await status_of(owner, record.booking.id) for record in over] == ["ON_HOLD", "EXPIRED"]
