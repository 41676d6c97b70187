"""Reading bookings and their history, many at a time. What the asker may see is the caller's to decide."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, tuple_
from sqlmodel import col, select

from models.booking import Booking, BookingEvent, BookingItem, BookingStatus
from models.database import ReadSession
from models.interval import Interval
from models.keys import BookingKey, ResourceKey, SeriesKey, VenueKey
from models.ledger.records import BookingRecord, BookingSnapshot, ItemSnapshot
from models.ledger.tables import Claim
from models.queries.history import VersionRange, read_history
from models.resource import Resource

_CLOCK = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class BookingPage:
    """Which bookings of one organization: the newest `limit`, those made before the booking `before`.

    `customer_id`: of that customer only; `series_id`: of that series only. `window`: with an item that touches it;
    items are also matched with `resource` and `venue`, all three on one item.
    """

    organization_id: uuid.UUID
    limit: int
    before: uuid.UUID | None = None
    customer_id: str | None = None
    statuses: tuple[BookingStatus, ...] = ()
    resource: ResourceKey | None = None
    venue: VenueKey | None = None
    window: Interval | None = None
    series_id: uuid.UUID | None = None


async def read_bookings(session: ReadSession, keys: Sequence[BookingKey]) -> dict[BookingKey, BookingRecord]:
    """The bookings under these keys, with their items; unknown ones are absent. Two statements."""
    rows = await session.exec(select(Booking, _CLOCK).where(tuple_(Booking.organization_id, Booking.id).in_(keys)))
    records = await _with_items(session, rows.all())
    return {BookingKey(record.booking.organization_id, record.booking.id): record for record in records}


async def read_claims(session: ReadSession, key: BookingKey) -> list[Claim]:
    """What a booking takes now. One statement."""
    its = (Claim.organization_id == key.organization_id, Claim.booking_id == key.id)
    return list((await session.exec(select(Claim).where(*its))).all())


async def read_series(session: ReadSession, key: SeriesKey, *, limit: int) -> list[BookingSnapshot]:
    """The bookings of a series in the order of their dates, without their items. One statement."""
    its = (Booking.organization_id == key.organization_id, Booking.series_id == key.id)
    rows = await session.exec(select(Booking).where(*its).order_by(col(Booking.series_position)).limit(limit))
    return [BookingSnapshot.of(row) for row in rows]


async def page_of_bookings(session: ReadSession, page: BookingPage) -> list[BookingRecord]:
    """The page, newest first: ids are made in the order of time. Two statements."""
    query = select(Booking, _CLOCK).where(Booking.organization_id == page.organization_id)
    if page.before is not None:
        query = query.where(Booking.id < page.before)
    if page.customer_id is not None:
        query = query.where(Booking.customer_id == page.customer_id)
    if page.series_id is not None:
        query = query.where(Booking.series_id == page.series_id)
    if page.statuses:
        query = query.where(col(Booking.status).in_(page.statuses))
    if page.resource is not None or page.venue is not None or page.window is not None:
        query = query.where(_has_item(page))
    rows = await session.exec(query.order_by(col(Booking.id).desc()).limit(page.limit))
    return await _with_items(session, rows.all())


@dataclass(frozen=True, slots=True)
class EventPage:
    """Which events of one booking: up to `limit`, oldest first, those after version `after`."""

    booking: BookingKey
    limit: int
    after: int = 0


async def read_event_pages(session: ReadSession, pages: Sequence[EventPage]) -> list[list[BookingEvent]]:
    """The events of each page, in the order of the pages. One statement."""
    ranges = [VersionRange(*page.booking, page.after, page.limit) for page in pages]
    return await read_history(session, BookingEvent, "booking_id", ranges)


def _has_item(page: BookingPage) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [
        col(BookingItem.organization_id) == page.organization_id,
        col(BookingItem.booking_id) == col(Booking.id),
    ]
    if page.resource is not None:
        conditions.append(col(BookingItem.resource_id) == page.resource.id)
    if page.venue is not None:
        conditions += [
            col(Resource.organization_id) == page.organization_id,
            col(Resource.id) == col(BookingItem.resource_id),
            col(Resource.venue_id) == page.venue.id,
        ]
    if page.window is not None:
        conditions += [
            col(BookingItem.starts_at) < page.window.ends_at,
            col(BookingItem.ends_at) > page.window.starts_at,
        ]
    return exists().where(*conditions)


async def _with_items(session: ReadSession, rows: Sequence[tuple[Booking, datetime]]) -> list[BookingRecord]:
    if not rows:
        return []
    keys = [(booking.organization_id, booking.id) for booking, _ in rows]
    found = await session.exec(
        select(BookingItem)
        .where(tuple_(BookingItem.organization_id, BookingItem.booking_id).in_(keys))
        .order_by(col(BookingItem.position))
    )
    items: dict[uuid.UUID, list[ItemSnapshot]] = defaultdict(list)
    for item in found:
        items[item.booking_id].append(ItemSnapshot.of(item))
    return [BookingRecord(BookingSnapshot.of(booking), tuple(items[booking.id]), now) for booking, now in rows]
