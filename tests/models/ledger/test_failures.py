"""What PostgreSQL or the network does to a call: it is repeated with its key and has one effect, or it is Busy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from models import database as connections
from models.database import Database, connect
from models.errors import Busy
from models.ledger import calls
from models.ledger.money import DisputeSnapshot
from models.ledger.payments import refund_seen
from models.ledger.requests import BookingAction
from models.ledger.settling import begin_balance, dispute_seen, settle
from models.payment import DisputeState, RefundState
from models.resource import Resource
from tests.support.cut import line_to
from tests.support.factories import adjust_of, booking_key_of, change_of, hold_of, item_of, make_hold, make_resource
from tests.support.ledger import count_of, status_of, taken_of, version_of
from tests.support.waiting import eventually, waits_for_a_lock


@asynccontextmanager
async def connected(url: str, *, pool_size: int = 4) -> AsyncIterator[Database]:
    database = await connect(url, pool_size=pool_size)
    try:
        yield database
    finally:
        await database.close()


async def _lock(owner: asyncpg.Connection, resource: Resource) -> None:
    await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", resource.id)


async def _is_held_once(owner: asyncpg.Connection, resource: Resource) -> bool:
    return (
        await count_of(owner, "booking") == await count_of(owner, "idempotency") == 1
        and await version_of(owner, resource) == 1
        and await taken_of(owner, resource) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]
    )


async def test_waiting_too_long_for_a_lock_is_busy(
    database: Database, database_url: str, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = await make_resource(database)
    held = await make_hold(database, resource)
    monkeypatch.setattr(connections, "LOCK_TIMEOUT_MS", 50)

    async with connected(database_url) as hurried, owner.transaction():
        await _lock(owner, resource)
        for call in (
            calls.hold(hurried, hold_of(resource, "12:00", "13:00")),
            calls.change_booking(hurried, change_of(held, BookingAction.CONFIRM)),
            calls.adjust(hurried, adjust_of(resource, capacity=9)),
        ):
            with pytest.raises(Busy) as refusal:
                await call
            assert refusal.value.retryable

    assert await count_of(owner, "booking") == await count_of(owner, "idempotency") == 1


async def test_waiting_too_long_to_write_of_money_is_busy(
    database: Database, database_url: str, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has done it by then: whoever asks again finds that, and writes it."""
    held = await make_hold(database, await make_resource(database))
    key, dispute = booking_key_of(held), DisputeSnapshot(1, "dp_1", 1_00, "EUR", DisputeState.OPEN)
    monkeypatch.setattr(connections, "LOCK_TIMEOUT_MS", 50)

    async with connected(database_url) as hurried, owner.transaction():
        await owner.execute("SELECT FROM booking WHERE id = $1 FOR NO KEY UPDATE", held.booking.id)
        for call in (
            refund_seen(hurried, key, 1, reference="re_1", state=RefundState.SUCCEEDED),
            dispute_seen(hurried, key, dispute),
            begin_balance(hurried, key),
            settle(hurried, key, version=held.booking.version, owed=0),
        ):
            with pytest.raises(Busy):
                await call


async def test_a_statement_that_takes_too_long_is_busy(
    database: Database, database_url: str, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = await make_resource(database)
    monkeypatch.setattr(connections, "STATEMENT_TIMEOUT_MS", 50)

    async with connected(database_url) as hurried, owner.transaction():
        await _lock(owner, resource)
        with pytest.raises(Busy):
            await calls.hold(hurried, hold_of(resource))


async def test_a_deadlock_is_repeated(database: Database, database_url: str, owner: asyncpg.Connection) -> None:
    """Somebody at a psql prompt locks in the wrong order: the call gives way, and comes again."""
    resources = [await make_resource(database)]
    resources.append(await make_resource(database, beside=resources[0]))
    first, second = sorted(resources, key=lambda resource: resource.id)
    # Whoever finds the deadlock is its victim. Each looks once, so long after it began to wait: the application when
    # the circle has been closed, and before it gives up; the owner never.
    await owner.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''1500ms''', current_database()); END $$"
    )
    await owner.execute("SET deadlock_timeout = '1min'")

    async with connected(database_url) as deadlocking:
        async with owner.transaction():
            await _lock(owner, second)
            holding = asyncio.create_task(calls.hold(deadlocking, hold_of(first, also=(item_of(second),))))
            await waits_for_a_lock(owner)
            await _lock(owner, first)
        await holding

    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await eventually(lambda: owner.fetchval(deadlocks)) >= 1
    assert await _is_held_once(owner, first)


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"], ids=["serialization", "deadlock"])
@pytest.mark.parametrize("table", ["booking", "idempotency"], ids=["early", "late"])
async def test_a_transaction_that_the_database_gave_up_is_repeated(
    database: Database, owner: asyncpg.Connection, table: str, sqlstate: str
) -> None:
    resource = await make_resource(database)
    await _fail(owner, table, sqlstate, times=2)

    await calls.hold(database, hold_of(resource))

    assert await owner.fetchval("SELECT last_value FROM failures") == 3
    assert await _is_held_once(owner, resource)


async def test_a_transaction_that_is_always_given_up_is_busy(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)
    await _fail(owner, "booking", "40001", times=1000)

    with pytest.raises(Busy):
        await calls.hold(database, hold_of(resource))

    assert await owner.fetchval("SELECT last_value FROM failures") <= 10
    assert await count_of(owner, "booking") == 0


async def _fail(owner: asyncpg.Connection, table: str, sqlstate: str, *, times: int) -> None:
    """The first inserts into `table` fail as the database itself would; sequences are not rolled back."""
    await owner.execute(f"""
        CREATE SEQUENCE failures;
        GRANT ALL ON failures TO vacancy_app;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('failures') <= {times} THEN
                RAISE EXCEPTION 'given up' USING ERRCODE = '{sqlstate}';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER fail BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fail();
    """)


async def test_a_connection_that_is_lost_in_mid_call_is_replaced(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)

    async with owner.transaction():
        await _lock(owner, resource)
        holding = asyncio.create_task(calls.hold(database, hold_of(resource)))
        lost = await waits_for_a_lock(owner)
        assert await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", lost)
        assert await waits_for_a_lock(owner) != lost
    await holding

    assert await _is_held_once(owner, resource)


async def test_every_connection_lost_between_two_calls(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=9)
    await asyncio.gather(*(make_hold(database, resource) for _ in range(8)))
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    await make_hold(database, resource)

    assert await count_of(owner, "booking") == 9


@pytest.mark.parametrize("call", ["hold", "confirm", "adjust"])
async def test_a_commit_whose_answer_is_lost_is_found_again(
    database: Database, database_url: str, owner: asyncpg.Connection, call: str
) -> None:
    resource = await make_resource(database, capacity=9)
    first, second = await make_hold(database, resource), await make_hold(database, resource)

    async with line_to(database_url) as line, connected(line.url, pool_size=1) as remote:

        async def ask(attempt: int) -> object:
            match call:
                case "hold":
                    return await calls.hold(remote, hold_of(resource, "13:00", "14:00"))
                case "confirm":
                    return await calls.change_booking(
                        remote, change_of((first, second)[attempt], BookingAction.CONFIRM)
                    )
            return await calls.adjust(remote, adjust_of(resource, "20:00", capacity=20 + attempt))

        await ask(0)  # from now on the statement is prepared, so that the next answer is that of the commit
        counts = {table: await count_of(owner, table) for table in ("idempotency", "outbox")}
        line.lose_next_answer()
        await ask(1)

    assert line.answers_lost == 1
    assert await count_of(owner, "idempotency") == counts["idempotency"] + 1
    assert await count_of(owner, "outbox") == counts["outbox"] + (2 if call == "hold" else 1)


async def test_a_commit_whose_answer_is_lost_for_good_is_busy_which_does_not_say_that_nothing_was_done(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, capacity=9)

    async with line_to(database_url) as line, connected(line.url, pool_size=1) as remote:
        await calls.adjust(remote, adjust_of(resource, "20:00", capacity=20))  # it is prepared from now on
        lost = adjust_of(resource, "20:00", capacity=21)
        line.lose_all_answers()
        with pytest.raises(Busy) as told:
            await calls.adjust(remote, lost)

    assert line.answers_lost > 1
    assert await version_of(owner, resource) == 2
    assert "nothing" not in told.value.message.lower()
    assert await calls.adjust(database, lost) == 2


async def test_what_a_caller_began_is_finished_though_he_is_gone(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)

    async with owner.transaction():
        await _lock(owner, resource)
        holding = asyncio.create_task(calls.hold(database, hold_of(resource)))
        await waits_for_a_lock(owner)
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        assert len(database.in_flight) == 1
    await asyncio.wait(database.in_flight)

    assert await _is_held_once(owner, resource)


async def test_closing_waits_for_what_is_in_flight(
    database: Database, database_url: str, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database)
    held = await make_hold(database, resource)
    leaving = await connect(database_url)

    async with owner.transaction():
        await _lock(owner, resource)
        asking = asyncio.create_task(calls.change_booking(leaving, change_of(held, BookingAction.CONFIRM)))
        await waits_for_a_lock(owner)
        closing = asyncio.create_task(leaving.close())
    await asyncio.gather(asking, closing)

    assert await status_of(owner, held.booking.id) == "CONFIRMED"
