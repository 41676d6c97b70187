"""Putting an example's bookings, closures and seasons into the ledger, by the ledger's own calls."""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import col, select

from models.booking import Booking
from models.database import Database
from models.errors import ActivityConflict, BookingError, CapacityInUse, Closed, HoldExpired, InvalidState, SoldOut
from models.ledger import calls
from models.ledger.requests import Adjust, BookingAction, ChangeBooking, Command, Hold, HoldItem, hash_request
from models.ledger.tables import Adjustment
from server.examples.kinds import ACTOR, Example, ExampleAdjustment, ExampleBooking

AT_ONCE: Final = 6
"""Bookings that are placed at the same time: fewer than connections, since more would only wait for one another."""

# What an example meets where people have been there first.
STAYS_OUT: Final[tuple[type[BookingError], ...]] = (
    ActivityConflict,
    CapacityInUse,
    Closed,
    HoldExpired,
    InvalidState,
    SoldOut,
)


class _Seen(NamedTuple):
    version: int
    last_actor: str


async def book_all(database: Database, example: Example, bookings: Sequence[ExampleBooking]) -> int:
    """Make the bookings that are not there yet, and return how many that were.

    One that an interrupted run has left half done is done; one that anybody else has touched is left alone.
    """
    seen = await _seen(database, example, [booking.id for booking in bookings])
    waiting = iter(bookings)
    added = 0

    async def place_one_by_one() -> None:
        nonlocal added
        for booking in waiting:
            is_new = await _place(database, example, booking, seen.get(booking.id))
            added += is_new

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(place_one_by_one())
    except* BookingError as errors:
        raise errors.exceptions[0] from None
    return added


async def adjust_all(database: Database, example: Example, adjustments: Iterable[ExampleAdjustment]) -> None:
    """Make the closures and seasons that are not there yet, except where staff have made some themselves."""
    async with database.reading(example.id) as session:
        there = (await session.exec(select(Adjustment).where(Adjustment.organization_id == example.id))).all()
    for adjustment in adjustments:
        resource_id = example.resource_id(adjustment.resource)
        if not any(row.resource_id == resource_id and _overlap(row, adjustment) for row in there):
            await _adjust(database, example, adjustment)


async def _seen(database: Database, example: Example, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Seen]:
    async with database.reading(example.id) as session:
        rows = await session.exec(
            select(Booking.id, Booking.version, Booking.last_actor).where(
                Booking.organization_id == example.id, col(Booking.id).in_(ids)
            )
        )
        return {id_: _Seen(version, actor) for id_, version, actor in rows}


async def _place(database: Database, example: Example, booking: ExampleBooking, seen: _Seen | None) -> bool:
    """Hold it and do with it what was done with it; whether it is new."""
    if seen is not None and seen.last_actor != ACTOR:
        return False
    try:
        if seen is None:
            await calls.hold(database, _hold(example, booking))
        # A booking's version counts what was done with it, the hold first.
        for action in booking.outcome.actions[seen.version - 1 if seen else 0 :]:
            await calls.change_booking(database, _change(example, booking, action))
    except STAYS_OUT:
        return False
    return seen is None


def _hold(example: Example, booking: ExampleBooking) -> Hold:
    resource_id = example.resource_id(booking.resource)
    return Hold(
        command=_command(example, f"seed-{booking.id}-HOLD"),
        booking_id=booking.id,
        reference=booking.reference,
        items=(HoldItem(resource_id, booking.interval, booking.quantity, booking.activity),),
        customer_id=booking.customer_id,
        contact=booking.contact,
    )


def _change(example: Example, booking: ExampleBooking, action: BookingAction) -> ChangeBooking:
    return ChangeBooking(
        command=_command(example, f"seed-{booking.id}-{action}"),
        booking_id=booking.id,
        action=action,
        reason="The guest can not come." if action is BookingAction.CANCEL else None,
        until_start=False,
    )


async def _adjust(database: Database, example: Example, adjustment: ExampleAdjustment) -> None:
    interval = adjustment.interval
    await calls.adjust(
        database,
        Adjust(
            command=_command(example, f"seed-{adjustment.resource}-{interval.starts_at:%Y-%m-%dT%H:%MZ}"),
            resource_id=example.resource_id(adjustment.resource),
            starts_at=interval.starts_at,
            ends_at=interval.ends_at,
            capacity=adjustment.capacity,
            closed=adjustment.closed,
            reason=adjustment.reason,
        ),
    )


def _overlap(row: Adjustment, adjustment: ExampleAdjustment) -> bool:
    """Also the same adjustment of an earlier run: adjustments of one example never overlap."""
    ends_at: datetime = row.ends_at or adjustment.interval.ends_at
    return row.starts_at < adjustment.interval.ends_at and adjustment.interval.starts_at < ends_at


def _command(example: Example, key: str) -> Command:
    return Command(example.id, ACTOR, key, hash_request(key, {}))
