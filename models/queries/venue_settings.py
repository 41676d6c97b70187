"""Reading what is set for a venue as a whole, and so for all its resources: rules, taxes, cancellation policies."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import not_, tuple_
from sqlalchemy.orm import Mapped
from sqlmodel import col, select

from models.database import ReadSession
from models.keys import VenueKey
from models.price import CancellationPolicy, TaxRule
from models.resource import BookingRule

Setting = TypeVar("Setting", BookingRule, TaxRule, CancellationPolicy)


async def read_set_for_venues(
    session: ReadSession, model: type[Setting], venues: Sequence[VenueKey], *, by: Mapped[Any]
) -> dict[VenueKey, list[Setting]]:
    """Of each venue what is set for it and not removed, in the order of the column `by`, then of age. One statement."""
    rows = await session.exec(
        select(model)
        .where(tuple_(model.organization_id, model.venue_id).in_(venues), not_(col(model.is_removed)))
        .order_by(by, col(model.id))
    )
    found: dict[VenueKey, list[Setting]] = defaultdict(list)
    for row in rows:
        assert row.venue_id is not None
        found[VenueKey(row.organization_id, row.venue_id)].append(row)
    return found
