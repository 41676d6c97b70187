"""Reading the history of prices, promo codes and how often they are used, and quotes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, not_, tuple_
from sqlmodel import col, select

from models.base import CreatedRow
from models.booking import Booking, BookingStatus
from models.database import ReadSession
from models.keys import PriceKey, QuoteKey, VenueKey
from models.price import CancellationPolicy, PriceChange, PromoCode, Quote, TaxRule
from models.queries.history import VersionRange, read_history
from models.queries.venue_settings import read_set_for_venues

Row = TypeVar("Row", bound=CreatedRow)

GIVEN_BACK = (BookingStatus.EXPIRED, BookingStatus.CANCELLED, BookingStatus.REJECTED)
"""A booking in one of these gives its use of a promo code back; ledger/sql/42_quotes.sql says the same."""


@dataclass(frozen=True, slots=True)
class PriceChangePage:
    """Which changes of one setting: up to `limit`, oldest first, those after version `after`."""

    setting: PriceKey
    limit: int
    after: int = 0


async def read_settings(session: ReadSession, model: type[Row], keys: Sequence[PriceKey]) -> dict[PriceKey, Row]:
    """These rate plans, price rules, promo codes, taxes or policies, removed ones too; unknown keys are absent."""
    rows = await session.exec(select(model).where(tuple_(model.organization_id, model.id).in_(keys)))
    return {PriceKey(row.organization_id, row.id): row for row in rows}


async def read_price_change_pages(session: ReadSession, pages: Sequence[PriceChangePage]) -> list[list[PriceChange]]:
    """The changes of each page, in the order of the pages. One statement."""
    ranges = [VersionRange(*page.setting, page.after, page.limit) for page in pages]
    return await read_history(session, PriceChange, "setting_id", ranges)


async def read_venue_taxes(session: ReadSession, venues: Sequence[VenueKey]) -> dict[VenueKey, list[TaxRule]]:
    """Of each venue the taxes that are set for it as a whole, by kind and age. One statement."""
    return await read_set_for_venues(session, TaxRule, venues, by=col(TaxRule.type))


async def read_venue_policies(
    session: ReadSession, venues: Sequence[VenueKey]
) -> dict[VenueKey, list[CancellationPolicy]]:
    """Of each venue the cancellation policies that are set for it as a whole, by code and age. One statement."""
    return await read_set_for_venues(session, CancellationPolicy, venues, by=col(CancellationPolicy.code))


async def read_promo_codes(session: ReadSession, venues: Sequence[VenueKey], limit: int) -> list[PromoCode]:
    """The promo codes of these venues, by code; at most `limit` in all."""
    rows = await session.exec(
        select(PromoCode)
        .where(tuple_(PromoCode.organization_id, PromoCode.venue_id).in_(venues), not_(col(PromoCode.is_removed)))
        .order_by(col(PromoCode.code), col(PromoCode.id))
        .limit(limit)
    )
    return list(rows)


async def read_uses(session: ReadSession, codes: Sequence[PriceKey]) -> dict[PriceKey, int]:
    """How many bookings use each of these promo codes now; absent: none."""
    rows = await session.exec(
        select(Booking.organization_id, Booking.promo_code_id, func.count())
        .where(
            tuple_(Booking.organization_id, Booking.promo_code_id).in_(codes), col(Booking.status).not_in(GIVEN_BACK)
        )
        .group_by(col(Booking.organization_id), col(Booking.promo_code_id))
    )
    return {PriceKey(organization_id, code_id): uses for organization_id, code_id, uses in rows if code_id is not None}


async def read_promo_code(
    session: ReadSession, organization_id: uuid.UUID, venue_id: uuid.UUID, code: str
) -> PromoCode | None:
    """The promo code of a venue, or None."""
    rows = await session.exec(
        select(PromoCode).where(
            PromoCode.organization_id == organization_id,
            PromoCode.venue_id == venue_id,
            PromoCode.code == code,
            not_(col(PromoCode.is_removed)),
        )
    )
    return rows.one_or_none()


async def read_quotes(session: ReadSession, keys: Sequence[QuoteKey]) -> dict[QuoteKey, Quote]:
    """These quotes; unknown keys are absent."""
    rows = await session.exec(select(Quote).where(tuple_(Quote.organization_id, Quote.id).in_(keys)))
    return {QuoteKey(row.organization_id, row.id): row for row in rows}
