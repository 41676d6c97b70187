"""What the database itself refuses, whoever asks: past the code, past the functions, in any isolation level."""

import asyncio
from typing import Any

import asyncpg
import pytest

from models.booking import BookingEventKind, BookingStatus
from models.database import Database
from models.ledger.records import BookingRecord
from models.resource import Sharing
from tests.support.by_hand import claim_by_hand
from tests.support.factories import make_booking, make_hold, make_resource
from tests.support.ledger import count_of, taken_of
from tests.support.scope import scoped
from tests.support.waiting import eventually

ISOLATION = ["read committed", "repeatable read", "serializable"]


@pytest.mark.parametrize("isolation", ISOLATION)
async def test_claims_past_the_capacity(database: Database, owner: asyncpg.Connection, isolation: str) -> None:
    resource = await make_resource(database, capacity=3)
    await make_hold(database, resource, "11:00", "13:00", quantity=2)

    await owner.execute(f"SET default_transaction_isolation = '{isolation}'")

    await claim_by_hand(owner, resource, quantity=1)
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await claim_by_hand(owner, resource, quantity=1)

    assert refusal.value.constraint_name == "timeline_taken_check"
    assert await count_of(owner, "claim") == 2


@pytest.mark.parametrize("isolation", ISOLATION)
@pytest.mark.parametrize(
    ("sharing", "key"), [(Sharing.SAME_ACTIVITY, "polo"), (Sharing.SAME_ACTIVITY, None), (Sharing.EXCLUSIVE, "#other")]
)
async def test_claims_beside_a_party_that_may_not_be_joined(
    database: Database, owner: asyncpg.Connection, sharing: Sharing, key: str | None, isolation: str
) -> None:
    resource = await make_resource(database, capacity=9, sharing=sharing)
    await make_hold(database, resource, "11:00", "13:00", activity="swimming")
    await owner.execute(f"SET default_transaction_isolation = '{isolation}'")

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await claim_by_hand(owner, resource, key=key)

    assert refusal.value.constraint_name == "timeline_one_party_check"


@pytest.mark.parametrize("isolation", ISOLATION)
async def test_two_sessions_at_the_last_place(
    database: Database, owner: asyncpg.Connection, owner_url: str, isolation: str
) -> None:
    """Both have begun and seen it free; the second waits for the first, and is refused."""
    resource = await make_resource(database, capacity=1)
    watching, late = await asyncpg.connect(owner_url), await asyncpg.connect(owner_url)
    try:
        await late.transaction(isolation=isolation.replace(" ", "_")).start()
        assert await late.fetchval("SELECT max(taken) FROM timeline") == 0
        async with owner.transaction(isolation=isolation.replace(" ", "_")):
            await claim_by_hand(owner, resource)
            claiming = asyncio.create_task(claim_by_hand(late, resource))
            await eventually(lambda: _is_waiting(watching, late))
        with pytest.raises((asyncpg.CheckViolationError, asyncpg.SerializationError)):
            await claiming
    finally:
        await late.close()
        await watching.close()

    assert await taken_of(owner, resource) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]


async def _is_waiting(watching: asyncpg.Connection, session: asyncpg.Connection) -> bool:
    blockers = await watching.fetchval("SELECT cardinality(pg_blocking_pids($1))", session.get_server_pid())
    return bool(blockers)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE timeline SET capacity = 1000",
        "INSERT INTO timeline SELECT organization_id, resource_id, '2030-01-01', 9, 0, NULL, false FROM timeline",
        "DELETE FROM timeline",
        "TRUNCATE timeline",
        "UPDATE resource SET version = version + 1",
        "UPDATE resource SET capacity = 1000",
        "INSERT INTO outbox SELECT * FROM outbox",
        "DELETE FROM outbox",
        "INSERT INTO booking_event SELECT * FROM booking_event",
        "UPDATE booking_event SET actor = 'nobody'",
        "DELETE FROM booking_event",
        "DELETE FROM booking",
        "DELETE FROM adjustment",
        "UPDATE claim SET quantity = 0",
        "UPDATE idempotency SET key = 'another'",
        "DELETE FROM idempotency",
        "ALTER TABLE claim DISABLE TRIGGER ALL",
        "ALTER TABLE timeline DROP CONSTRAINT timeline_taken_check",
        "DROP TRIGGER claim_changed ON claim",
        "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE TABLE mine (id int)",
        "SET session_replication_role = replica",
        "SELECT ledger_next_version(NULL, NULL, NULL, NULL)",
        "SELECT ledger_split(NULL, NULL, NULL, NULL)",
        "SELECT ledger_compact(NULL, NULL, NULL, NULL)",
        "SELECT ledger_fold(NULL, NULL, NULL, NULL)",
        "UPDATE resource SET folded_until = now()",
        "UPDATE resource SET foldable_from = NULL",
    ],
)
async def test_the_application_may_not(database: Database, statement: str) -> None:
    resource = await make_resource(database)
    await make_hold(database, resource)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"permission denied|must be owner"):
        await database.ledger.execute(statement)


async def test_claims_and_history_are_not_rewritten_even_by_their_owner(
    database: Database, owner: asyncpg.Connection
) -> None:
    await make_hold(database, await make_resource(database))

    for statement in (
        "UPDATE claim SET quantity = 1",
        "UPDATE booking_event SET actor = 'nobody'",
        "DELETE FROM booking_event",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(statement)


LEGAL = {
    (BookingStatus.ON_HOLD, BookingStatus.CONFIRMED),
    (BookingStatus.ON_HOLD, BookingStatus.PENDING),
    (BookingStatus.ON_HOLD, BookingStatus.EXPIRED),
    (BookingStatus.ON_HOLD, BookingStatus.CANCELLED),
    (BookingStatus.PENDING, BookingStatus.CONFIRMED),
    (BookingStatus.PENDING, BookingStatus.REJECTED),
    (BookingStatus.PENDING, BookingStatus.EXPIRED),
    (BookingStatus.PENDING, BookingStatus.CANCELLED),
    (BookingStatus.CONFIRMED, BookingStatus.REDEEMED),
    (BookingStatus.CONFIRMED, BookingStatus.CANCELLED),
    (BookingStatus.CONFIRMED, BookingStatus.NO_SHOW),
    (BookingStatus.REDEEMED, BookingStatus.COMPLETED),
}
LATE = {("CONFIRMED_LATE", BookingStatus.CONFIRMED), ("SUBMITTED", BookingStatus.PENDING)}
"""What has expired is followed by, when it was paid late: by that event, and by no other."""


@pytest.mark.parametrize("before", list(BookingStatus))
async def test_a_status_is_followed_by_few_others(
    database: Database, owner: asyncpg.Connection, before: BookingStatus
) -> None:
    record = await make_hold(database, await make_resource(database))

    allowed = {after for after in BookingStatus if await _goes(owner, record, before, after)}

    assert allowed - {before} == {after for start, after in LEGAL if start == before}


async def test_what_has_expired_is_admitted_once_more_by_late_money_alone(
    database: Database, owner: asyncpg.Connection
) -> None:
    record = await make_hold(database, await make_resource(database))

    allowed = {
        (event, after)
        for event in BookingEventKind
        for after in BookingStatus
        if await _goes(owner, record, BookingStatus.EXPIRED, after, event=event)
    }

    assert {(event, after) for event, after in allowed if after != BookingStatus.EXPIRED} == LATE


async def _goes(
    owner: asyncpg.Connection,
    record: BookingRecord,
    before: BookingStatus,
    after: BookingStatus,
    *,
    event: str = "HELD",
) -> bool:
    """Try the transition, and take it back: the claims are not looked at, since nothing is committed."""
    change = (
        f"UPDATE booking SET status = $1::text, last_event = '{event}',"
        " hold_expires_at = CASE WHEN $1 IN ('ON_HOLD', 'PENDING') THEN hold_ceiling_at END WHERE id = $2"
    )
    trial = owner.transaction()
    await trial.start()
    try:
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(change, before, record.booking.id)
        await owner.execute("SET LOCAL session_replication_role = origin")
        await owner.execute(change, after, record.booking.id)
    except asyncpg.CheckViolationError as refusal:
        if refusal.constraint_name != "booking_transition_check":
            raise
        return False
    finally:
        await trial.rollback()
    return True


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM claim",
        "UPDATE booking SET status = 'CANCELLED', last_event = 'CANCELLED'",
        "UPDATE booking SET claim_count = 2",
        "INSERT INTO claim SELECT organization_id, booking_id, resource_id, ends_at, ends_at + '1 h'::interval, 1, NULL"
        " FROM claim",
    ],
    ids=["claims gone", "ended with claims", "too few claims", "too many claims"],
)
async def test_a_booking_is_whole_or_is_not_committed(
    database: Database, owner: asyncpg.Connection, statement: str
) -> None:
    await make_booking(database, await make_resource(database))

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await owner.execute(statement)

    assert refusal.value.constraint_name == "booking_claims_check"


async def test_a_version_is_the_databases_to_give(database: Database, owner: asyncpg.Connection) -> None:
    record = await make_hold(database, await make_resource(database))

    async with scoped(database, record.booking.organization_id) as session:
        await session.execute("UPDATE booking SET version = 99, last_event = 'EXTENDED'")

    row: Any = await owner.fetchrow("SELECT version FROM booking WHERE id = $1", record.booking.id)
    assert row["version"] == 2


async def test_a_resource_begins_without_a_past(database: Database) -> None:
    hall = await make_resource(database)
    for column in ("folded_until", "foldable_from"):
        with pytest.raises(asyncpg.CheckViolationError) as refusal:
            async with scoped(database, hall.organization_id) as session:
                await session.execute(
                    "INSERT INTO resource"
                    f" (organization_id, id, venue_id, slug, name, availability_type, sharing, capacity, {column})"
                    " SELECT organization_id, gen_random_uuid(), venue_id, slug || '-2', name, availability_type,"
                    " sharing, capacity, now() FROM resource WHERE id = $1",
                    hall.id,
                )
        assert refusal.value.constraint_name == "resource_folded_until_check"


async def test_a_resource_begins_at_version_0(database: Database) -> None:
    hall = await make_resource(database)
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        async with scoped(database, hall.organization_id) as session:
            await session.execute(
                "INSERT INTO resource"
                " (organization_id, id, venue_id, slug, name, availability_type, sharing, capacity, version)"
                " SELECT organization_id, gen_random_uuid(), venue_id, 'late', name, availability_type, sharing, 1, 7"
                " FROM resource WHERE id = $1",
                hall.id,
            )
    assert refusal.value.constraint_name == "resource_version_check"
