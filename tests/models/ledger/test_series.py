"""Many bookings by one call: all or none, or what can be had; one key for the whole."""

from dataclasses import replace
from datetime import date

import asyncpg
import pytest

from engine.idempotency import check_key
from models.base import new_id
from models.database import Database
from models.errors import Closed, IdempotencyConflict, InvalidInput, SoldOut
from models.interval import Interval
from models.ledger import calls
from models.ledger.requests import BookingAction, Hold, HoldItem
from models.ledger.series import SeriesDate, SeriesRecord, hold_series, key_of_date, recall_series
from models.resource import Resource
from tests.support.factories import (
    adjust_of,
    change_of,
    command_of,
    hold_of,
    let_run_out,
    make_requirement,
    make_resource,
)
from tests.support.ledger import count_of, status_of, version_of
from tests.support.series import day, series_of
from tests.support.statements import recorded_statements

KEY = "one key for a whole series"


def told(record: SeriesRecord) -> list[str]:
    """Of each date: that it is booked, why it is not, or nothing."""
    return [
        "booked" if one.booking else one.error.code if one.error else "".join(str(r["code"]) for r in one.refusals)
        for one in record.answers
    ]


async def is_untouched(owner: "asyncpg.Connection", resource: Resource, *, version: int) -> bool:
    """No booking but those that were there, no key, no history, no change of the timeline."""
    held = await owner.fetchval("SELECT count(*) FROM booking WHERE series_id IS NOT NULL")
    keys = await owner.fetchval("SELECT count(*) FROM idempotency WHERE key LIKE 'series%' OR key = $1", KEY)
    return (held, keys, await version_of(owner, resource)) == (0, 0, version)


async def test_a_series_is_bookings_of_their_own(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=2)
    asked = series_of(hall)
    with recorded_statements(database) as statements:
        record = await hold_series(database, asked)
    assert len(statements) == 1
    assert (record.id, record.is_new, told(record)) == (asked.id, True, ["booked"] * 3)
    assert [one.day for one in record.answers] == [date(2030, 6, 1), date(2030, 6, 2), date(2030, 6, 3)]
    bookings = [one.booking for one in record.answers if one.booking]
    assert [found.booking.series_position for found in bookings] == [0, 1, 2]
    assert {found.booking.series_id for found in bookings} == {asked.id}
    assert [found.items[0].starts_at for found in bookings] == [day(n).starts_at for n in range(3)]
    assert len({found.booking.reference for found in bookings}) == 3
    assert await version_of(owner, hall) == 3

    await calls.change_booking(database, change_of(bookings[1], BookingAction.RELEASE))
    assert [await status_of(owner, found.booking.id) for found in bookings] == ["ON_HOLD", "CANCELLED", "ON_HOLD"]


async def test_all_or_none_leaves_nothing_behind(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=1)
    await calls.hold(database, _at(hall, 1))
    record = await hold_series(database, series_of(hall, key=KEY))
    assert (record.id, told(record)) == (None, ["", "SOLD_OUT", ""])
    assert await is_untouched(owner, hall, version=1)
    # The key is free: the same may be asked again when there is room.
    assert told(await hold_series(database, series_of(hall, key=KEY, all_or_none=False))) == [
        "booked", "SOLD_OUT", "booked",
    ]  # fmt: skip


async def test_what_dates_take_from_one_another_counts(database: Database, owner: "asyncpg.Connection") -> None:
    """Each would fit by itself, so that nothing is refused at sight: it is undone after some have been written."""
    lodge = await make_resource(database, capacity=1)
    asked = series_of(lodge)
    long = Interval(day(0).starts_at, day(1).ends_at)
    first = asked.dates[0]
    assert first.hold is not None
    overlapping = SeriesDate(first.day, long, hold=replace(first.hold, items=(HoldItem(lodge.id, long, 1),)))
    record = await hold_series(database, replace(asked, dates=(overlapping, *asked.dates[1:])))
    assert (record.id, told(record)) == (None, ["", "SOLD_OUT", ""])
    assert await is_untouched(owner, lodge, version=0)

    some = replace(asked, dates=(overlapping, *asked.dates[1:]), all_or_none=False)
    assert told(await hold_series(database, some)) == ["booked", "SOLD_OUT", "booked"]


async def test_conflicts_are_skipped_each_with_its_reason(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=3)
    await calls.hold(database, _at(hall, 1, quantity=2))
    closed = (day(2).starts_at.isoformat(), day(2).ends_at.isoformat())
    await calls.adjust(database, adjust_of(hall, *closed, closed=True))
    record = await hold_series(database, series_of(hall, 5, all_or_none=False, refused=(4,), quantity=2, key=KEY))
    assert told(record) == ["booked", "SOLD_OUT", "CLOSED", "booked", "TOO_SOON"]
    [sold_out, is_closed] = [one.error for one in record.answers if one.error]
    assert isinstance(sold_out, SoldOut)
    assert (sold_out.vacancies, type(is_closed)) == (1, Closed)

    again = await hold_series(database, series_of(hall, 5, all_or_none=False, refused=(4,), quantity=2, key=KEY))
    assert (again.id, again.is_new, told(again)) == (record.id, False, told(record))
    assert _ids(again) == _ids(record)
    recalled = await recall_series(database, command_of(hall.organization_id, key=KEY))
    assert recalled is not None
    assert _ids(recalled) == _ids(record)
    with pytest.raises(IdempotencyConflict):
        await hold_series(database, series_of(hall, key=KEY, asks="something else"))


async def test_nothing_to_be_had_is_no_series(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=1)
    record = await hold_series(database, series_of(hall, quantity=2, all_or_none=False, key=KEY))
    assert (record.id, told(record)) == (None, ["SOLD_OUT"] * 3)
    by_rules = await hold_series(database, series_of(hall, refused=(0, 1, 2), all_or_none=False, key=KEY))
    assert (by_rules.id, told(by_rules)) == (None, ["TOO_SOON"] * 3)
    assert await is_untouched(owner, hall, version=0)


async def test_a_rule_that_refuses_one_date_refuses_all(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=1)
    record = await hold_series(database, series_of(hall, refused=(1,), key=KEY))
    assert (record.id, told(record)) == (None, ["", "TOO_SOON", ""])
    assert await is_untouched(owner, hall, version=0)


@pytest.mark.parametrize("all_or_none", [True, False])
async def test_rules_that_have_changed_undo_all(
    database: Database, owner: "asyncpg.Connection", all_or_none: bool
) -> None:
    hall = await make_resource(database, capacity=9)
    with pytest.raises(calls.Stale):
        await hold_series(database, series_of(hall, catalog_version=7, all_or_none=all_or_none, key=KEY))
    assert await is_untouched(owner, hall, version=0)


async def test_holds_that_are_over_make_room(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=1)
    room = await make_resource(database, beside=hall, capacity=1)
    await make_requirement(database, hall, room, per_booking=1)
    over = await calls.hold(database, _at(room, 1))
    await let_run_out(owner, over)
    record = await hold_series(database, series_of(hall))
    assert told(record) == ["booked"] * 3
    assert await status_of(owner, over.booking.id) == "EXPIRED"


async def test_who_is_refused_is_told_what_is_left_once_holds_that_are_over_have_ended(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    hall = await make_resource(database, capacity=2)
    for number in range(3):
        await calls.hold(database, _at(hall, number))
    over = await calls.hold(database, _at(hall, 1))
    await let_run_out(owner, over)
    record = await hold_series(database, series_of(hall, quantity=2, all_or_none=False, key=KEY))
    assert (record.id, told(record)) == (None, ["SOLD_OUT"] * 3)
    assert await status_of(owner, over.booking.id) == "EXPIRED", "nobody sees a state that it was refused by otherwise"


async def test_a_hundred_dates_are_written_together(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=1)
    record = await hold_series(database, series_of(hall, 100))
    assert told(record) == ["booked"] * 100
    assert await count_of(owner, "claim") == 100
    assert await version_of(owner, hall) == 100


def test_the_key_of_a_date_is_no_clients_key() -> None:
    with pytest.raises(InvalidInput):
        check_key(key_of_date(new_id(), 0))


async def test_a_place_in_a_series_is_taken_once(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=9)
    await hold_series(database, series_of(hall))
    with pytest.raises(asyncpg.UniqueViolationError) as refusal:
        await owner.execute("UPDATE booking SET series_position = 1")
    assert refusal.value.constraint_name == "booking_series_idx"


def _at(resource: Resource, number: int, quantity: int = 1) -> Hold:
    return replace(hold_of(resource), items=(HoldItem(resource.id, day(number), quantity),))


def _ids(record: SeriesRecord) -> list[object]:
    return [one.booking and one.booking.booking.id for one in record.answers]
