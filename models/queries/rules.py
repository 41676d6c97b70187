"""Reading booking rules, their history, and the bookings that they meet. What the asker may see is the caller's."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, or_
from sqlmodel import col, select

from models.booking import Booking, BookingItem, BookingStatus
from models.database import ReadSession
from models.keys import RuleKey, VenueKey
from models.queries.history import VersionRange, read_history
from models.queries.venue_settings import read_set_for_venues
from models.resource import BookingRule, BookingRuleChange, Resource
from models.venue import Venue

_LIVE = (BookingStatus.ON_HOLD, BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.REDEEMED)


class RuleScope(NamedTuple):
    """What a rule is of: a venue, or one resource. One of the two is None."""

    organization_id: uuid.UUID
    venue_id: uuid.UUID | None
    resource_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class RuleChangePage:
    """Which changes of one rule: up to `limit`, oldest first, those after version `after`."""

    rule: RuleKey
    limit: int
    after: int = 0


@dataclass(frozen=True, slots=True)
class Touched:
    """What a rule of a scope has a say on: how many resources, the first of them by slug, and their venue."""

    venue: Venue
    resource_ids: tuple[uuid.UUID, ...]
    count: int


class ItemToCome(NamedTuple):
    """An item of a live booking that begins in the future, and when and as what that booking was made."""

    item: BookingItem
    booked_at: datetime
    reference: str


async def read_venue_rules(session: ReadSession, venues: Sequence[VenueKey]) -> dict[VenueKey, list[BookingRule]]:
    """Of each venue the rules that are set for it as a whole, by type and age. One statement."""
    return await read_set_for_venues(session, BookingRule, venues, by=col(BookingRule.type))


async def read_rule_change_pages(
    session: ReadSession, pages: Sequence[RuleChangePage]
) -> list[list[BookingRuleChange]]:
    """The changes of each page, in the order of the pages. One statement."""
    ranges = [VersionRange(*page.rule, page.after, page.limit) for page in pages]
    return await read_history(session, BookingRuleChange, "rule_id", ranges)


async def read_touched(session: ReadSession, scope: RuleScope, *, limit: int) -> Touched:
    """The resources of a scope that exists, named up to `limit`. Two statements."""
    resources = select(Resource.id, func.count().over(), Resource.venue_id).where(*_in_scope(scope))
    rows = (await session.exec(resources.order_by(col(Resource.slug)).limit(limit))).all()
    venue_id = scope.venue_id or rows[0][2]
    venue = await session.get_one(Venue, (scope.organization_id, venue_id))
    return Touched(venue, tuple(id_ for id_, _, _ in rows), rows[0][1] if rows else 0)


async def read_items_to_come(session: ReadSession, scope: RuleScope, *, now: datetime, limit: int) -> list[ItemToCome]:
    """The next `limit` items of live bookings on the resources of the scope that begin after `now`, in order.

    Holds that are over by the database's clock count as gone. One statement.
    """
    rows = await session.exec(
        select(BookingItem, Booking.created_at, Booking.reference)
        .join(
            Booking,
            and_(
                col(Booking.organization_id) == col(BookingItem.organization_id),
                col(Booking.id) == col(BookingItem.booking_id),
            ),
        )
        .where(
            BookingItem.organization_id == scope.organization_id,
            col(BookingItem.resource_id).in_(select(Resource.id).where(*_in_scope(scope))),
            BookingItem.starts_at > now,
            col(Booking.status).in_(_LIVE),
            or_(col(Booking.hold_expires_at).is_(None), col(Booking.hold_expires_at) > func.clock_timestamp()),
        )
        .order_by(col(BookingItem.starts_at), col(BookingItem.booking_id), col(BookingItem.position))
        .limit(limit)
    )
    return [ItemToCome(*row) for row in rows]


def _in_scope(scope: RuleScope) -> tuple[bool, bool]:
    of_scope = Resource.venue_id == scope.venue_id if scope.venue_id else Resource.id == scope.resource_id
    return Resource.organization_id == scope.organization_id, of_scope
