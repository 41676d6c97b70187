"""Reading histories that the database writes: of bookings, rules and prices, a range of versions of each at a time."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import and_, or_
from sqlmodel import col, select

from models.booking import BookingEvent
from models.database import ReadSession
from models.price import PriceChange
from models.resource import BookingRuleChange

Change = TypeVar("Change", BookingEvent, BookingRuleChange, PriceChange)


class VersionRange(NamedTuple):
    """Of the entity `id` of an organization up to `limit` versions, those after `after`."""

    organization_id: uuid.UUID
    id: uuid.UUID
    after: int
    limit: int


async def read_history(
    session: ReadSession, model: type[Change], of: str, ranges: Sequence[VersionRange]
) -> list[list[Change]]:
    """The changes of each range, oldest first, in the order of the ranges; `of` names the column of what has changed.

    One statement. It takes as given that versions of an entity count without gaps from 1.
    """
    wanted = [
        and_(
            col(model.organization_id) == each.organization_id,
            getattr(model, of) == each.id,
            col(model.version).between(each.after + 1, each.after + each.limit),
        )
        for each in ranges
    ]
    rows = await session.exec(select(model).where(or_(*wanted)).order_by(col(model.version)))
    found: dict[tuple[uuid.UUID, uuid.UUID], list[Change]] = defaultdict(list)
    for change in rows:
        found[change.organization_id, getattr(change, of)].append(change)
    return [
        [
            change
            for change in found[each.organization_id, each.id]
            if each.after < change.version <= each.after + each.limit
        ]
        for each in ranges
    ]
