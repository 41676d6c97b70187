"""Query.node and Query.nodes: anything by its id."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, TypeAlias, TypeVar

import strawberry

from engine.bookings import may_see
from engine.waitlist import may_see_entry
from models import price as rows
from models.base import CreatedRow
from models.errors import InvalidInput
from models.keys import BookingKey, EntryKey, PriceKey, QuoteKey, ResourceKey, RuleKey, VenueKey
from resolvers.access import query
from schema.access import Access
from schema.booking import Booking
from schema.booking_rule import BookingRule
from schema.cancellation import CancellationPolicy
from schema.context import Context, Info
from schema.global_id import GlobalId, GlobalKind, decode
from schema.node import Node
from schema.organization import Organization
from schema.price import PriceRule, PromoCode, RatePlan
from schema.quote import Quote
from schema.resource import Resource
from schema.tax import TaxRule
from schema.venue import Venue
from schema.visibility import may_see_organization, may_see_quote, may_see_rule, may_see_setting, may_see_venue
from schema.waitlist import WaitlistEntry

IDS_MAX = 100

OneId = Annotated[strawberry.ID, strawberry.argument(description="As the object's `id`.")]
Finder: TypeAlias = Callable[[Context, GlobalId], Awaitable[Node | None]]
ManyIds = Annotated[list[strawberry.ID], strawberry.argument(description="At most 100; else INVALID_INPUT.")]


@query(
    Access.PUBLIC,
    description=(
        "Anything by its id, if the viewer may see it. Null for an unknown, foreign or malformed id: no difference is "
        "shown. Finds Organization, Venue, Resource, BookingRule and, for who made them and for staff, Booking, "
        "Quote and WaitlistEntry; for staff RatePlan, PriceRule, TaxRule, CancellationPolicy and PromoCode, and of all "
        "rules removed ones too."
    ),
)
async def node(info: Info, id: OneId) -> Node | None:
    """One object."""
    return await _find(info.context, id)


@query(Access.PUBLIC, description="As `node`, for each of these ids, in their order; null where there is nothing.")
async def nodes(info: Info, ids: ManyIds) -> list[Node | None]:
    """Many objects, in as many statements as there are kinds."""
    if len(ids) > IDS_MAX:
        raise InvalidInput(f"At most {IDS_MAX} ids can be asked for.", path=("ids",))
    return list(await asyncio.gather(*(_find(info.context, id) for id in ids)))


async def _find(context: Context, id: str) -> Node | None:
    decoded = decode(id)
    if decoded is None or decoded.kind not in _FINDERS:
        return None
    return await _FINDERS[decoded.kind](context, decoded)


async def _organization(context: Context, id: GlobalId) -> Node | None:
    found = await context.loaders.organizations.load(id.id)
    if found is None or id.organization_id != id.id or not may_see_organization(context.viewer, *found):
        return None
    return Organization.of(found[0])


async def _venue(context: Context, id: GlobalId) -> Node | None:
    found = await context.loaders.venues.load(VenueKey(id.organization_id, id.id))
    return Venue.of(found) if found is not None and may_see_venue(context.viewer, found) else None


async def _resource(context: Context, id: GlobalId) -> Node | None:
    facts = await context.loaders.facts.load(ResourceKey(id.organization_id, id.id))
    return Resource.of_facts(facts) if facts is not None and may_see_venue(context.viewer, facts.venue) else None


async def _booking_rule(context: Context, id: GlobalId) -> Node | None:
    found = await context.loaders.rules.load(RuleKey(id.organization_id, id.id))
    return BookingRule.of(found[0]) if found is not None and may_see_rule(context.viewer, *found) else None


async def _booking(context: Context, id: GlobalId) -> Node | None:
    record = await context.loaders.bookings.load(BookingKey(id.organization_id, id.id))
    return Booking.of(record) if record is not None and may_see(context.viewer, record.booking, None) else None


async def _waitlist_entry(context: Context, id: GlobalId) -> Node | None:
    entry = await context.loaders.entries.load(EntryKey(id.organization_id, id.id))
    return WaitlistEntry.of(entry) if entry is not None and may_see_entry(context.viewer, entry, None) else None


async def _quote(context: Context, id: GlobalId) -> Node | None:
    row = await context.loaders.quotes.load(QuoteKey(id.organization_id, id.id))
    return Quote.of(row, context.clock()) if row is not None and may_see_quote(context.viewer, row) else None


Shown = TypeVar("Shown", bound=CreatedRow)


def _setting(model: type[Shown], show: Callable[[Shown], Node]) -> Finder:
    """How what is set of prices is found by its id, and shown."""

    async def find(context: Context, id: GlobalId) -> Node | None:
        if not may_see_setting(context.viewer, id.organization_id):
            return None
        row = await context.loaders.settings.load((model, PriceKey(id.organization_id, id.id)))
        assert row is None or isinstance(row, model), "the loader reads of this kind"
        return None if row is None else show(row)

    return find


_FINDERS: Mapping[GlobalKind, Finder] = {
    GlobalKind.ORGANIZATION: _organization,
    GlobalKind.QUOTE: _quote,
    GlobalKind.VENUE: _venue,
    GlobalKind.RESOURCE: _resource,
    GlobalKind.BOOKING: _booking,
    GlobalKind.BOOKING_RULE: _booking_rule,
    GlobalKind.WAITLIST_ENTRY: _waitlist_entry,
    GlobalKind.RATE_PLAN: _setting(rows.RatePlan, RatePlan.of),
    GlobalKind.PRICE_RULE: _setting(rows.PriceRule, PriceRule.of),
    GlobalKind.TAX_RULE: _setting(rows.TaxRule, TaxRule.of),
    GlobalKind.CANCELLATION_POLICY: _setting(rows.CancellationPolicy, CancellationPolicy.of),
    GlobalKind.PROMO_CODE: _setting(rows.PromoCode, PromoCode.of),
}
