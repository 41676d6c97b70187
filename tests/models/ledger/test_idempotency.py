"""One key, one effect, one answer; kept with the effect, scoped to who asked."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from models.database import Database
from models.errors import BookingError, CapacityInUse, IdempotencyConflict, NotCancellable, SoldOut
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.resource import Resource
from tests.support.factories import (
    adjust_of,
    change_of,
    hold_of,
    let_run_out,
    make_booking,
    make_hold,
    make_pending,
    make_resource,
)
from tests.support.ledger import count_of, status_of, version_of

KEY = "a key of the caller's"


async def test_a_hold_that_is_repeated_is_the_same_hold(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=5)

    first = await calls.hold(database, hold_of(resource, key=KEY))
    again = await calls.hold(database, hold_of(resource, key=KEY))

    assert again.booking == first.booking
    assert again.items == first.items
    assert await count_of(owner, "booking") == await count_of(owner, "claim") == 1
    assert await version_of(owner, resource) == 1


async def test_it_is_answered_when_the_place_is_sold_out_by_itself(database: Database) -> None:
    resource = await make_resource(database, capacity=1)
    first = await calls.hold(database, hold_of(resource, key=KEY))

    assert (await calls.hold(database, hold_of(resource, key=KEY))).booking.id == first.booking.id


@pytest.mark.parametrize("action", list(BookingAction))
async def test_a_change_that_is_repeated_has_happened_once(database: Database, action: BookingAction) -> None:
    resource = await make_resource(database)
    waits = action in (BookingAction.APPROVE, BookingAction.REJECT)
    record = await (make_pending if waits else make_hold)(database, resource)

    first = await calls.change_booking(database, change_of(record, action, key=KEY))
    again = await calls.change_booking(database, change_of(record, action, key=KEY))

    assert again.booking == first.booking
    assert again.booking.version == record.booking.version + 1


async def test_a_repetition_shows_the_booking_as_it_is_now(database: Database) -> None:
    resource = await make_resource(database)
    held = await calls.hold(database, hold_of(resource, key=KEY))
    await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))

    again = await calls.hold(database, hold_of(resource, key=KEY))

    assert again.booking.status == "CONFIRMED"


async def test_an_adjustment_that_is_repeated_is_one(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)

    versions = [await calls.adjust(database, adjust_of(resource, capacity=4, key=KEY)) for _ in range(3)]

    assert versions == [1, 1, 1]
    assert await count_of(owner, "adjustment") == 1


async def test_another_request_under_the_key_is_a_conflict(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    held = await calls.hold(database, hold_of(resource, key=KEY, actor="guest:1"))
    other: list[Callable[[], Awaitable[object]]] = [
        lambda: calls.hold(database, hold_of(resource, key=KEY, asks="another", actor="guest:1")),
        lambda: calls.change_booking(database, change_of(held, BookingAction.CONFIRM, key=KEY, asks="confirm")),
        lambda: calls.adjust(database, adjust_of(resource, capacity=9, key=KEY, asks="adjust", actor="guest:1")),
    ]

    for ask in other:
        with pytest.raises(IdempotencyConflict):
            await ask()

    assert await count_of(owner, "idempotency") == await count_of(owner, "booking_event") == 1


async def test_a_key_belongs_to_whoever_uses_it(database: Database, owner: asyncpg.Connection) -> None:
    mine, foreign = await make_resource(database, capacity=5), await make_resource(database, capacity=5)

    for resource, actor in ((mine, "guest:1"), (mine, "guest:2"), (foreign, "guest:1")):
        await calls.hold(database, hold_of(resource, key=KEY, actor=actor, asks=actor))

    assert await count_of(owner, "booking") == 3


async def test_a_refusal_leaves_no_trace(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    booked = await make_booking(database, resource, "2020-01-01 10:00", "2020-01-02 10:00")
    await make_hold(database, resource)
    refused: list[tuple[type[BookingError], Callable[[], Awaitable[object]]]] = [
        (SoldOut, lambda: calls.hold(database, hold_of(resource, key=KEY))),
        (NotCancellable, lambda: calls.change_booking(database, change_of(booked, BookingAction.CANCEL, key=KEY))),
        (CapacityInUse, lambda: calls.adjust(database, adjust_of(resource, "10:00", capacity=0, key=KEY))),
    ]
    tables = ("idempotency", "outbox", "booking", "booking_event", "claim", "adjustment")
    before = [await count_of(owner, table) for table in tables]

    for refusal, ask in refused:
        with pytest.raises(refusal):
            await ask()

    assert [await count_of(owner, table) for table in tables] == before


async def test_a_key_that_was_refused_may_be_used_again(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    in_the_way = await make_hold(database, resource)
    with pytest.raises(SoldOut):
        await calls.hold(database, hold_of(resource, key=KEY))
    await let_run_out(owner, in_the_way)

    held = await calls.hold(database, hold_of(resource, key=KEY))

    assert await status_of(owner, held.booking.id) == "ON_HOLD"


@pytest.mark.parametrize("capacity", [1, 9], ids=["the last place", "places enough"])
async def test_calls_at_the_same_moment_with_one_key_have_one_effect(
    database: Database, owner: asyncpg.Connection, capacity: int
) -> None:
    resource = await make_resource(database, capacity=capacity)

    records = await asyncio.gather(*(calls.hold(database, hold_of(resource, key=KEY)) for _ in range(8)))

    assert len({record.booking.id for record in records}) == 1
    assert await count_of(owner, "booking") == await count_of(owner, "claim") == 1


async def test_one_key_for_two_resources_at_the_same_moment(database: Database, owner: asyncpg.Connection) -> None:
    """No lock is common to the two: the primary key of `idempotency` decides."""
    resources = [await make_resource(database)]
    resources += [await make_resource(database, beside=resources[0]) for _ in range(7)]

    async def ask(resource: Resource) -> object:
        return await calls.hold(database, hold_of(resource, key=KEY, asks=resource.slug))

    outcomes = await asyncio.gather(*(ask(resource) for resource in resources), return_exceptions=True)

    assert sum(isinstance(outcome, IdempotencyConflict) for outcome in outcomes) == 7
    assert await count_of(owner, "booking") == await count_of(owner, "idempotency") == 1
