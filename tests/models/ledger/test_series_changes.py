"""All bookings of a series confirmed, or given back, by one call: each with its own outcome, one key for the whole."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from models.base import new_id
from models.database import Database, connect
from models.errors import IdempotencyConflict
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, HoldItem
from models.ledger.series import HoldSeries, hold_series
from models.ledger.series_changes import BookingChange, ChangeSeries, change_series
from tests.support.factories import change_of, command_of, hold_of, let_run_out, make_requirement, make_resource
from tests.support.ledger import count_of, taken_of, version_of
from tests.support.series import day, series_of
from tests.support.statements import recorded_statements
from tests.support.waiting import until_waiting

CONFIRM, RELEASE, CANCEL = BookingAction.CONFIRM, BookingAction.RELEASE, BookingAction.CANCEL
KEY = "one key for all of a series"


async def held(database: Database, asked: HoldSeries) -> list[BookingRecord]:
    """The bookings of a series, in the order of their dates."""
    record = await hold_series(database, asked)
    return [one.booking for one in record.answers if one.booking is not None]


def asking(records: Sequence[BookingRecord], action: BookingAction, **who: str) -> ChangeSeries:
    """The same for all of these."""
    command = command_of(records[0].booking.organization_id, **who)
    return ChangeSeries(command, tuple(record.booking.id for record in records), action)


def told(changes: Sequence[BookingChange]) -> list[str]:
    """Of each booking its status, and why nothing was done to it."""
    return [f"{one.record.booking.status} {one.error.code if one.error else ''}".rstrip() for one in changes]


async def test_all_are_confirmed_by_one_call(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=2)
    records = await held(database, series_of(hall))
    version = await version_of(owner, hall)
    with recorded_statements(database) as statements:
        changes = await change_series(database, asking(records, CONFIRM, actor="guest:9"))
    assert len(statements) == 1
    assert told(changes) == ["CONFIRMED"] * 3
    assert [one.record.booking.id for one in changes] == [record.booking.id for record in records]
    assert {one.record.booking.version for one in changes} == {2}
    assert {one.record.booking.last_actor for one in changes} == {"guest:9"}
    assert await version_of(owner, hall) == version, "what is taken has not changed"


async def test_all_are_given_back_and_their_places_are_free(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=2)
    annex = await make_resource(database, beside=hall, capacity=2)
    await make_requirement(database, annex, hall, per_unit=1)
    records = await held(database, series_of(annex))
    assert told(await change_series(database, asking(records, RELEASE))) == ["CANCELLED"] * 3
    for resource in (hall, annex):
        assert await taken_of(owner, resource) == [("dawn", 0)]
    assert await count_of(owner, "claim") == 0


async def test_what_one_refuses_keeps_nothing_from_the_others(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=1)
    records = await held(database, series_of(hall, 5))
    await calls.change_booking(database, change_of(records[0], CONFIRM))
    await calls.change_booking(database, change_of(records[1], CANCEL))
    await let_run_out(owner, records[2], records[3])
    await calls.hold(database, replace(hold_of(hall), items=(HoldItem(hall.id, day(2), 1),)))
    changes = await change_series(database, asking(records, CONFIRM))
    assert told(changes) == [
        "CONFIRMED INVALID_STATE", "CANCELLED INVALID_STATE", "EXPIRED HOLD_EXPIRED",
        "CONFIRMED",  # over, but nobody has needed its place
        "CONFIRMED",
    ]  # fmt: skip


async def test_where_all_refuse_nothing_is_done_and_the_key_is_free(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    hall = await make_resource(database, capacity=2)
    records = await held(database, series_of(hall))
    await change_series(database, asking(records, CONFIRM))
    before = await count_of(owner, "idempotency"), await count_of(owner, "booking_event")
    changes = await change_series(database, asking(records, RELEASE, key=KEY))
    assert told(changes) == ["CONFIRMED INVALID_STATE"] * 3
    assert (await count_of(owner, "idempotency"), await count_of(owner, "booking_event")) == before
    other = await held(database, series_of(hall))
    assert told(await change_series(database, asking(other, RELEASE, key=KEY))) == ["CANCELLED"] * 3


async def test_a_repetition_is_told_what_was_done_and_what_is_now(database: Database) -> None:
    hall = await make_resource(database)
    records = await held(database, series_of(hall))
    await calls.change_booking(database, change_of(records[1], RELEASE))
    asked = asking(records, CONFIRM, key=KEY)
    assert told(await change_series(database, asked)) == ["CONFIRMED", "CANCELLED INVALID_STATE", "CONFIRMED"]
    await calls.change_booking(database, change_of(records[2], CANCEL))
    assert told(await change_series(database, asked)) == ["CONFIRMED", "CANCELLED INVALID_STATE", "CANCELLED"]
    with pytest.raises(IdempotencyConflict):
        await change_series(database, asking(records, CONFIRM, key=KEY, asks="something else"))


async def test_where_the_venue_approves_all_are_submitted(database: Database) -> None:
    hall = await make_resource(database)
    asked = series_of(hall)
    dates = [replace(one, hold=one.hold and replace(one.hold, approval_seconds=3_600)) for one in asked.dates]
    records = await held(database, replace(asked, dates=tuple(dates)))
    assert told(await change_series(database, asking(records, CONFIRM))) == ["PENDING"] * 3


async def test_it_takes_as_many_statements_for_many_as_for_few(database: Database) -> None:
    hall = await make_resource(database, capacity=9)
    counts = []
    for days in (1, 100):
        records = await held(database, series_of(hall, days))
        asked = asking(records, CONFIRM)
        for _ in "first", "again":
            with recorded_statements(database) as statements:
                changes = await change_series(database, asked)
            assert len(changes) == days
            counts.append(len(statements))
    assert counts[:2] == counts[2:]


async def test_series_wait_for_one_another_in_no_circle(
    database: Database, owner: "asyncpg.Connection", database_url: str
) -> None:
    """Of two resources, asked for in both orders by two processes that both wait when the resources become free."""
    hall = await make_resource(database, capacity=9)
    annex = await make_resource(database, beside=hall, capacity=9)
    series_id = new_id()
    records = [
        await calls.hold(database, replace(hold_of(resource), series_id=series_id, series_position=n))
        for n, resource in enumerate((hall, annex))
    ]
    other = await connect(database_url, pool_size=1)
    try:
        async with owner.transaction():
            await owner.execute("SELECT FROM resource FOR NO KEY UPDATE")
            asked = [
                asyncio.create_task(change_series(database, asking(records, CONFIRM))),
                asyncio.create_task(change_series(other, asking(records[::-1], RELEASE))),
            ]
            await until_waiting(owner, len(asked))
        [confirmed, released] = await asyncio.gather(*asked)
    finally:
        await other.close()
    assert {told(confirmed)[0], told(released)[0]} in (
        {"CONFIRMED", "CONFIRMED INVALID_STATE"},
        {"CANCELLED", "CANCELLED INVALID_STATE"},
    )
    assert len({told(confirmed)[0], told(confirmed)[1]}) == 1, "one of the two came first, for both bookings"
