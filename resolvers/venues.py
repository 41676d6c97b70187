"""Query.venue and Query.venues: the catalog's front door."""

import uuid
from collections.abc import Collection
from typing import Annotated

import strawberry

from engine.viewer import Role, Viewer
from models.database import EVERYWHERE, Everywhere
from models.queries.catalog import find_venue, page_of_venues
from resolvers.access import query
from schema.access import Access
from schema.connections import After, First, connection, from_cursor, page_size
from schema.context import Info
from schema.text import is_plain
from schema.venue import Venue, VenueConnection
from schema.visibility import may_see_venue

SLUG_LENGTH_MAX = 100

Slug = Annotated[str, strawberry.argument(description="The venue's public name, as in Venue.slug.")]


@query(Access.PUBLIC, description="A venue by its public name. Null if there is none that the viewer may see.")
async def venue(info: Info, slug: Slug) -> Venue | None:
    """One venue."""
    if len(slug) > SLUG_LENGTH_MAX or not is_plain(slug):
        return None
    viewer = info.context.viewer
    async with info.context.database.reading(catalogs=_catalogs(viewer)) as session:
        found = await find_venue(session, slug)
    return Venue.of(found) if found is not None and may_see_venue(viewer, found) else None


@query(
    Access.PUBLIC,
    description="Venues by slug: all that are published, and for staff those of their organization that are not.",
)
async def venues(info: Info, first: First = 20, after: After = None) -> VenueConnection:
    """A page of venues."""
    context = info.context
    size = page_size(first)
    sees_unpublished = context.viewer.role.at_least(Role.STAFF)
    catalogs = _catalogs(context.viewer)
    async with context.database.reading(catalogs=catalogs) as session:
        rows = await page_of_venues(
            session,
            own=context.viewer.organization_id if sees_unpublished else None,
            everything=catalogs == EVERYWHERE,
            after=from_cursor(after),
            limit=size + 1,
        )
    return connection(
        VenueConnection,
        rows,
        size=size,
        is_first=after is None,
        position=lambda row: row.slug,
        node=Venue.of,
        budget=context.loaders.budget,
    )


def _catalogs(viewer: Viewer) -> Collection[uuid.UUID] | Everywhere:
    """The organizations whose unpublished venues are looked for, which `may_see_venue` then decides on."""
    if viewer.organization_id is not None:
        return [viewer.organization_id]
    return EVERYWHERE if viewer.role is Role.OPERATOR else ()
