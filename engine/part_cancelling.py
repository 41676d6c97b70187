"""Cancelling a part of a booking: so many units of one item. Of all that is left, it is cancelling the booking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.bookings import check_version, command_on
from engine.hold_prices import price_of
from engine.holds import DECISIONS_MAX
from engine.idempotency import check_key
from engine.price_changes import PriceDelta, delta, delta_of_all, is_owed, quote_of
from engine.rebooking import Opened, check_changeable, is_staff, opened
from engine.repricing import Part, without_part
from engine.viewer import Viewer
from models.database import Database
from models.errors import BookingError, InvalidInput, NotFound, VersionConflict
from models.ledger import calls
from models.ledger.failures import busy
from models.ledger.records import BookingRecord, ItemSnapshot
from models.ledger.requests import BookingAction, CancelItem, ChangeBooking, Command, Price
from models.price import Quote


@dataclass(frozen=True, slots=True)
class PartRequest:
    """Of which item of which booking how much is cancelled.

    `position`: of the item, as in `ItemSnapshot`; None: of none that there is. `guests`: who is left of it, as in
    `models.booking.BookingItem`; None: not told.
    """

    booking: Opened
    position: int | None
    quantity: int
    guests: Sequence[Mapping[str, Any]] | None = None
    expected_version: int | None = None


async def part_quote(database: Database, viewer: Viewer, request: PartRequest) -> tuple[BookingRecord, PriceDelta]:
    """What cancelling the part now would make of the price, by the terms that were agreed on and the database's clock.

    Nothing is written. Raises as `cancel_part`.
    """
    record = await opened(database, viewer, request.booking)
    item = _checked(viewer, record, request)
    before = await quote_of(database, record)
    if _is_all(record, item, request):
        return record, delta_of_all(record, before, record.now)
    return record, delta(record, before, _after(record, item, request, before))


async def cancel_part(
    database: Database, viewer: Viewer, request: PartRequest, *, key: str, request_hash: bytes
) -> BookingRecord:
    """The booking without the part, once per key; its places are free at once. All that is left: it is CANCELLED.

    Rules are not asked: what is left was admitted. What is left costs its share of what all did, whatever it would cost
    now, and of the part the venue keeps what the terms say. Raises NotFound (also for the item), InvalidInput,
    HoldExpired, InvalidState, VersionConflict, IdempotencyConflict, NotPriced, Busy.
    """
    check_key(key)
    for _ in range(DECISIONS_MAX):
        record = await opened(database, viewer, request.booking)
        command = command_on(viewer, request.booking.key, key, request_hash)
        try:
            check_version(request.expected_version, record.booking)
            item = _checked(viewer, record, request)
            before = await quote_of(database, record)
            after = None if _is_all(record, item, request) else _after(record, item, request, before)
        except BookingError:
            # A repetition gets the first answer: what it asks for is gone.
            found = await calls.recall_booking(database, command)
            if found is None:
                raise
            return found
        try:
            if _is_all(record, item, request):
                return await _cancel_all(database, viewer, record, request, command)
            return await calls.cancel_item(database, _asking(viewer, record, request, command, after))
        except calls.Stale:
            continue
        except VersionConflict:
            if request.expected_version is not None:
                raise
    raise busy()


def _checked(viewer: Viewer, record: BookingRecord, request: PartRequest) -> ItemSnapshot:
    check_changeable(viewer, record)
    item = next((one for one in record.items if one.position == request.position), None)
    if item is None:
        raise NotFound("The booking has no such item.", path=("input", "itemId"))
    if not 1 <= request.quantity <= item.quantity:
        raise InvalidInput(f"Of this item 1 to {item.quantity:,} can be cancelled.", path=("input", "quantity"))
    return item


def _is_all(record: BookingRecord, item: ItemSnapshot, request: PartRequest) -> bool:
    return len(record.items) == 1 and request.quantity == item.quantity


def _after(record: BookingRecord, item: ItemSnapshot, request: PartRequest, before: Quote | None) -> Quote | None:
    if before is None:
        return None
    guests = None if request.guests is None else [dict(one) for one in request.guests]
    part = Part(item.position, request.quantity, item.quantity, guests)
    return without_part(before, part, record.now, is_owed=is_owed(record))


def _asking(
    viewer: Viewer, record: BookingRecord, request: PartRequest, command: Command, after: Quote | None
) -> CancelItem:
    assert request.position is not None, "the item has been found"
    price: Price | None = None if after is None else price_of(after)
    return CancelItem(
        command=command,
        booking_id=record.booking.id,
        position=request.position,
        quantity=request.quantity,
        guests=request.guests,
        price=price,
        read_version=record.booking.version,
        expected_version=request.expected_version,
        until_start=not is_staff(viewer, record),
    )


async def _cancel_all(
    database: Database, viewer: Viewer, record: BookingRecord, request: PartRequest, command: Command
) -> BookingRecord:
    """Cancel the booking as it was read: what is added to it meanwhile was not asked to go."""
    version = record.booking.version if request.expected_version is None else request.expected_version
    return await calls.change_booking(
        database,
        ChangeBooking(
            command=command,
            booking_id=record.booking.id,
            action=BookingAction.CANCEL,
            expected_version=version,
            until_start=not is_staff(viewer, record),
        ),
    )
