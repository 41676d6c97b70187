"""What may be done to a booking, in which status, and what comes of it."""

from dataclasses import replace

import asyncpg
import pytest

from models.booking import BookingStatus
from models.database import Database
from models.errors import (
    BookingError,
    HoldExpired,
    HoldLimit,
    InvalidState,
    NotCancellable,
    NotFound,
    VersionConflict,
)
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from tests.support.factories import change_of, let_run_out, make_booking, make_hold, make_pending, make_resource
from tests.support.ledger import taken_of

EXTEND, CONFIRM, RELEASE, CANCEL, APPROVE, REJECT = BookingAction


async def _in_status(database: Database, owner: asyncpg.Connection, status: BookingStatus) -> BookingRecord:
    resource = await make_resource(database, capacity=1)
    if status is BookingStatus.ON_HOLD:
        return await make_hold(database, resource)
    if status is BookingStatus.CONFIRMED:
        return await make_booking(database, resource)
    if status is BookingStatus.PENDING:
        return await make_pending(database, resource)
    held = await make_hold(database, resource)
    if status is BookingStatus.CANCELLED:
        return await calls.change_booking(database, change_of(held, CANCEL))
    assert status is BookingStatus.EXPIRED
    await let_run_out(owner, held)
    await make_hold(database, resource)
    return held


@pytest.mark.parametrize(
    ("before", "action", "after", "event"),
    [
        (BookingStatus.ON_HOLD, EXTEND, BookingStatus.ON_HOLD, "EXTENDED"),
        (BookingStatus.ON_HOLD, CONFIRM, BookingStatus.CONFIRMED, "CONFIRMED"),
        (BookingStatus.ON_HOLD, RELEASE, BookingStatus.CANCELLED, "RELEASED"),
        (BookingStatus.ON_HOLD, CANCEL, BookingStatus.CANCELLED, "CANCELLED"),
        (BookingStatus.CONFIRMED, CANCEL, BookingStatus.CANCELLED, "CANCELLED"),
        (BookingStatus.PENDING, APPROVE, BookingStatus.CONFIRMED, "APPROVED"),
        (BookingStatus.PENDING, REJECT, BookingStatus.REJECTED, "REJECTED"),
        (BookingStatus.PENDING, CANCEL, BookingStatus.CANCELLED, "CANCELLED"),
    ],
)
async def test_a_change(
    database: Database,
    owner: asyncpg.Connection,
    before: BookingStatus,
    action: BookingAction,
    after: BookingStatus,
    event: str,
) -> None:
    record = await _in_status(database, owner, before)

    changed = await calls.change_booking(database, change_of(record, action, actor="guest:9", reason="Rain"))

    assert changed.booking.status == after
    assert changed.booking.version == record.booking.version + 1
    assert (changed.booking.hold_expires_at is None) == (after != BookingStatus.ON_HOLD)
    assert (changed.booking.last_event, changed.booking.last_actor) == (event, "guest:9")
    assert changed.booking.last_reason == (None if action in (EXTEND, CONFIRM) else "Rain")
    claims = await owner.fetchval("SELECT count(*) FROM claim WHERE booking_id = $1", record.booking.id)
    assert claims == (0 if after in (BookingStatus.CANCELLED, BookingStatus.REJECTED) else 1)


@pytest.mark.parametrize(
    ("before", "action", "refusal"),
    [
        (BookingStatus.CONFIRMED, EXTEND, InvalidState),
        (BookingStatus.CONFIRMED, APPROVE, InvalidState),
        (BookingStatus.ON_HOLD, APPROVE, InvalidState),
        (BookingStatus.ON_HOLD, REJECT, InvalidState),
        (BookingStatus.EXPIRED, APPROVE, InvalidState),
        (BookingStatus.PENDING, CONFIRM, InvalidState),
        (BookingStatus.PENDING, EXTEND, InvalidState),
        (BookingStatus.PENDING, RELEASE, InvalidState),
        (BookingStatus.CONFIRMED, CONFIRM, InvalidState),
        (BookingStatus.CONFIRMED, RELEASE, InvalidState),
        (BookingStatus.CANCELLED, EXTEND, InvalidState),
        (BookingStatus.CANCELLED, CONFIRM, InvalidState),
        (BookingStatus.CANCELLED, RELEASE, InvalidState),
        (BookingStatus.CANCELLED, CANCEL, NotCancellable),
        (BookingStatus.EXPIRED, EXTEND, HoldExpired),
        (BookingStatus.EXPIRED, CONFIRM, HoldExpired),
        (BookingStatus.EXPIRED, RELEASE, HoldExpired),
        (BookingStatus.EXPIRED, CANCEL, NotCancellable),
    ],
)
async def test_a_change_that_the_status_does_not_allow(
    database: Database,
    owner: asyncpg.Connection,
    before: BookingStatus,
    action: BookingAction,
    refusal: type[BookingError],
) -> None:
    record = await _in_status(database, owner, before)
    was = await owner.fetchrow("SELECT * FROM booking WHERE id = $1", record.booking.id)

    with pytest.raises(refusal):
        await calls.change_booking(database, change_of(record, action))

    assert await owner.fetchrow("SELECT * FROM booking WHERE id = $1", record.booking.id) == was


@pytest.mark.parametrize("action", list(BookingAction))
async def test_the_version_that_the_caller_saw(
    database: Database, owner: asyncpg.Connection, action: BookingAction
) -> None:
    before = BookingStatus.PENDING if action in (APPROVE, REJECT) else BookingStatus.ON_HOLD
    record = await _in_status(database, owner, before)
    seen = record.booking.version

    with pytest.raises(VersionConflict) as refusal:
        await calls.change_booking(database, change_of(record, action, expected_version=seen + 1))
    await calls.change_booking(database, change_of(record, action, expected_version=seen))

    assert refusal.value.current == seen


async def test_another_organizations_booking_is_not_found(database: Database, owner: asyncpg.Connection) -> None:
    record = await _in_status(database, owner, BookingStatus.ON_HOLD)
    other = await make_resource(database)
    request = change_of(record, CANCEL)
    elsewhere = replace(record.booking, organization_id=other.organization_id)
    foreign = change_of(replace(record, booking=elsewhere), CANCEL)

    with pytest.raises(NotFound):
        await calls.change_booking(database, foreign)

    assert (await calls.change_booking(database, request)).booking.status == BookingStatus.CANCELLED


async def test_extending_lasts_from_now_and_never_over_the_ceiling(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, hold_seconds=600, hold_ceiling_seconds=601)
    record = await make_hold(database, resource)
    await let_run_out(owner, record)

    extended = await calls.change_booking(database, change_of(record, EXTEND))
    assert extended.booking.hold_expires_at is not None
    assert 599 < (extended.booking.hold_expires_at - extended.now).total_seconds() <= 600

    await _end_hold_at_its_ceiling(owner, record)
    with pytest.raises(HoldLimit):
        await calls.change_booking(database, change_of(record, EXTEND))


async def test_a_hold_whose_ceiling_has_passed_is_not_extended(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)
    record = await make_hold(database, resource)
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE booking SET hold_expires_at = clock_timestamp() - interval '2 min',"
            " hold_ceiling_at = clock_timestamp() - interval '1 min'"
        )

    with pytest.raises(HoldLimit):
        await calls.change_booking(database, change_of(record, EXTEND))


async def test_what_has_begun_is_cancelled_by_staff_alone(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    record = await make_booking(database, resource, "2020-01-01 10:00", "2020-01-01 12:00")

    with pytest.raises(NotCancellable):
        await calls.change_booking(database, change_of(record, CANCEL, until_start=True))
    cancelled = await calls.change_booking(database, change_of(record, CANCEL, until_start=False))

    assert cancelled.booking.status == BookingStatus.CANCELLED
    assert await taken_of(owner, resource) == [("dawn", 0)]


async def _end_hold_at_its_ceiling(owner: asyncpg.Connection, record: BookingRecord) -> None:
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute("UPDATE booking SET hold_expires_at = hold_ceiling_at WHERE id = $1", record.booking.id)
