"""A place, as clients see it."""

from collections.abc import Callable
from datetime import time
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.dataloader import DataLoader

from engine.viewer import Role
from models.keys import VenueKey
from models.queries.catalog import ResourcePage
from models.venue import Venue as VenueRow
from schema.booking_rule import BookingRule
from schema.cancellation import CancellationPolicy
from schema.connections import After, Connection, First, connection, from_cursor, page_size
from schema.context import Info
from schema.fields import Row, Shown, field, shown
from schema.global_id import GlobalKind, encode
from schema.inputs import ResourceFilter
from schema.node import Node
from schema.organization import Organization
from schema.price import PromoCode
from schema.tax import TaxRule
from schema.visibility import may_see_venue

if TYPE_CHECKING:
    from schema.resource import ResourceConnection

Filter = Annotated[ResourceFilter | None, strawberry.argument(description="Only these.")]


@strawberry.type(description="A place with one clock and one currency, whose resources can be booked.")
class Venue(Node):
    """Shown if it is published, or to the organization's staff, or with a booking there."""

    key: strawberry.Private[VenueKey]
    row: strawberry.Private[VenueRow]

    slug: str = strawberry.field(description="Public name, unique over all venues: `venue(slug)` finds it.")
    name: str = strawberry.field(description="Name for people.")
    description: str | None = strawberry.field(description="A few words for people.")
    time_zone: str = strawberry.field(
        description='IANA zone of its clocks: "Africa/Algiers". All civil times are in it.'
    )
    currency: str = strawberry.field(description='ISO 4217 code: "DZD".')
    country: str = strawberry.field(description='ISO 3166-1 alpha-2 code: "DZ".')
    check_in_time: time | None = strawberry.field(
        description="When nights begin, on the day of arrival. Null: no nights."
    )
    check_out_time: time | None = strawberry.field(
        description="When nights end, on the day of departure. Null: no nights."
    )
    is_published: bool = strawberry.field(
        description="Whether everybody may see it; if not, its organization's staff alone."
    )

    @classmethod
    def of(cls, row: VenueRow) -> "Venue":
        """The row, for clients."""
        return cls(
            id=encode(GlobalKind.VENUE, row.organization_id, row.id),
            key=VenueKey(row.organization_id, row.id),
            row=row,
            slug=row.slug,
            name=row.name,
            description=row.description,
            time_zone=row.time_zone,
            currency=row.currency,
            country=row.country,
            check_in_time=row.check_in_time,
            check_out_time=row.check_out_time,
            is_published=row.is_published,
        )

    @field("Who runs it.")
    async def organization(self, info: Info) -> Organization:
        """Of a venue that is shown, whether it has others that are published or not."""
        found = await info.context.loaders.organizations.load(self.key.organization_id)
        assert found is not None, "a venue has an organization"
        return Organization.of(found[0])

    @field("What can be booked here, by slug. Empty where the venue is not published.")
    async def resources(
        self, info: Info, first: First = 20, after: After = None, filter: Filter = None
    ) -> Annotated["ResourceConnection", strawberry.lazy("schema.resource")]:
        """A page of them."""
        # Resource knows Venue by import, so Venue must look Resource up later.
        from schema.resource import Resource, ResourceConnection

        size = page_size(first)
        asked = filter or ResourceFilter()
        page = ResourcePage(self.key, size + 1, from_cursor(after), asked.availability_type, asked.capacity_min)
        is_shown = may_see_venue(info.context.viewer, self.row)
        return connection(
            ResourceConnection,
            await info.context.loaders.resource_pages.load(page) if is_shown else [],
            size=size,
            is_first=after is None,
            position=lambda row: row.slug,
            node=Resource.of,
            budget=info.context.loaders.budget,
        )

    @field("Its promo codes, by code, at most 1,000. For the organization's staff; null for others.")
    async def promo_codes(self, info: Info) -> list[PromoCode] | None:
        """Also those that do not hold any more."""
        if not info.context.viewer.may(Role.STAFF, self.key.organization_id):
            return None
        return shown(info, await info.context.loaders.promo_codes.load(self.key), PromoCode.of)

    @field(
        "The rules that are set for all of its resources, by type; at most 200. Empty where it is not published. "
        "What is set for one resource is in Resource.rules."
    )
    async def rules(self, info: Info) -> list[BookingRule]:
        """The stored rules of the venue as a whole."""
        return await self._set_here(info, info.context.loaders.venue_rules, BookingRule.of)

    @field(
        "The taxes that are set for all of its resources, by kind; at most 100. Empty where it is not published. What "
        "is set for one resource is in Resource.taxRules."
    )
    async def tax_rules(self, info: Info) -> list[TaxRule]:
        """The stored taxes of the venue as a whole."""
        return await self._set_here(info, info.context.loaders.venue_taxes, TaxRule.of)

    @field(
        "The cancellation policies that are set for all of its resources, by code; at most 100. Empty where it is not "
        "published. What is set for one resource is in Resource.cancellationPolicies."
    )
    async def cancellation_policies(self, info: Info) -> list[CancellationPolicy]:
        """The stored policies of the venue as a whole."""
        return await self._set_here(info, info.context.loaders.venue_policies, CancellationPolicy.of)

    async def _set_here(
        self, info: Info, loader: DataLoader[VenueKey, list[Row] | None], show: Callable[[Row], Shown]
    ) -> list[Shown]:
        """What is set for the venue as a whole; nothing where the viewer may not see that."""
        if not may_see_venue(info.context.viewer, self.row):
            return []
        return shown(info, await loader.load(self.key) or (), show)


@strawberry.type(description="One page of venues, by slug.")
class VenueConnection(Connection[Venue]):
    """Venues that the viewer may see."""
