"""Reading organizations, venues and resources. What the asker may see is the caller's to decide, where it says so."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Uuid, and_, bindparam, exists, func, or_, text, tuple_
from sqlmodel import col, select

from models.database import Database, ReadSession
from models.keys import ResourceKey, RuleKey, VenueKey
from models.resource import AvailabilityType, BookingRule, Resource
from models.venue import Directory, DirectoryKind, Organization, Venue


class Versions(NamedTuple):
    """Of a resource: of what is kept beside its timeline, and of the two together (`models.resource.Resource`).

    `state` is the same only where the timeline is the same, whatever the version says. `is_published`: anybody may see
    it. `is_over`: some hold of it is over, so that its timeline has as taken what counts as gone.
    """

    catalog: int
    timeline: int
    state: str
    is_published: bool
    is_over: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Versions":
        """What `ledger_versions` tells of one resource."""
        return cls(row["catalog_version"], row["version"], row["state"], row["is_published"], row["is_over"])


async def read_organizations(
    session: ReadSession, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[Organization, bool]]:
    """Each organization, and whether it has a published venue; unknown ones are absent. One statement."""
    has_published = exists().where(col(Venue.organization_id) == col(Organization.id), col(Venue.is_published))
    rows = await session.exec(select(Organization, has_published).where(col(Organization.id).in_(ids)))
    return {organization.id: (organization, published) for organization, published in rows}


async def read_venues(session: ReadSession, keys: Sequence[VenueKey]) -> dict[VenueKey, Venue]:
    """The venues under these keys; unknown ones are absent. One statement."""
    rows = await session.exec(select(Venue).where(tuple_(Venue.organization_id, Venue.id).in_(keys)))
    return {VenueKey(venue.organization_id, venue.id): venue for venue in rows}


async def read_rules(session: ReadSession, keys: Sequence[RuleKey]) -> dict[RuleKey, tuple[BookingRule, Venue]]:
    """Rules, removed ones too, each with its venue or that of its resource; unknown ones are absent. One statement."""
    rows = await session.exec(
        select(BookingRule, Venue)
        .outerjoin(
            Resource,
            and_(
                col(Resource.organization_id) == col(BookingRule.organization_id),
                col(Resource.id) == col(BookingRule.resource_id),
            ),
        )
        .join(
            Venue,
            and_(
                col(Venue.organization_id) == col(BookingRule.organization_id),
                col(Venue.id) == func.coalesce(col(BookingRule.venue_id), col(Resource.venue_id)),
            ),
        )
        .where(tuple_(BookingRule.organization_id, BookingRule.id).in_(keys))
    )
    return {RuleKey(rule.organization_id, rule.id): (rule, venue) for rule, venue in rows}


async def read_versions(database: Database, keys: Sequence[ResourceKey]) -> dict[ResourceKey, Versions]:
    """What is so of each resource now; unknown ones are absent. One statement, so that all are of one instant."""
    if not keys:
        return {}
    rows = await database.ledger.fetch(
        "SELECT * FROM ledger_versions($1, $2)",
        [key.organization_id for key in keys],
        [key.id for key in keys],
    )
    return {ResourceKey(row["organization_id"], row["id"]): Versions.of(row) for row in rows}


async def find_venue(session: ReadSession, slug: str) -> Venue | None:
    """The venue with this public name, published or not."""
    entry = await session.get(Directory, (DirectoryKind.VENUE, slug))
    if entry is None or entry.venue_id is None:
        return None
    return await session.get(Venue, (entry.organization_id, entry.venue_id))


async def page_of_venues(
    session: ReadSession, *, own: uuid.UUID | None, everything: bool, after: str | None, limit: int
) -> list[Venue]:
    """Up to `limit` venues by slug, those after the slug `after`: the published ones, and all of organization `own`.

    `everything`: unpublished ones of any organization too.
    """
    entries = select(Directory).where(Directory.kind == DirectoryKind.VENUE)
    if not everything:
        visible = col(Directory.is_published)
        entries = entries.where(visible if own is None else or_(visible, col(Directory.organization_id) == own))
    if after is not None:
        entries = entries.where(Directory.slug > after)
    found = (await session.exec(entries.order_by(Directory.slug).limit(limit))).all()
    keys = [VenueKey(entry.organization_id, entry.venue_id) for entry in found if entry.venue_id is not None]
    venues = await read_venues(session, keys) if keys else {}
    return [venues[key] for key in keys if key in venues]


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """Which resources of one venue: up to `limit` by slug, those after the slug `after`, that fit the filter."""

    venue: VenueKey
    limit: int
    after: str | None = None
    availability_type: AvailabilityType | None = None
    capacity_min: int | None = None


_RESOURCES = (
    text(
        """
        SELECT r.* FROM unnest(:organization_ids, :venue_ids) AS v (organization_id, venue_id)
         CROSS JOIN LATERAL (
            SELECT * FROM resource
             WHERE organization_id = v.organization_id AND venue_id = v.venue_id AND slug > :after
               AND (:availability_type = '' OR availability_type = :availability_type) AND capacity >= :capacity_min
             ORDER BY slug
             LIMIT :limit
         ) r
         ORDER BY r.slug
        """
    )
    .bindparams(bindparam("organization_ids", type_=ARRAY(Uuid)), bindparam("venue_ids", type_=ARRAY(Uuid)))
    .columns(*Resource.__table__.columns)  # type: ignore[attr-defined]
)


async def read_resource_pages(session: ReadSession, pages: Sequence[ResourcePage]) -> list[list[Resource]]:
    """The resources of each page, in the order of the pages. One statement for all that differ in the venue only."""
    alike: dict[ResourcePage, list[VenueKey]] = defaultdict(list)
    nowhere = VenueKey(uuid.UUID(int=0), uuid.UUID(int=0))
    for page in pages:
        alike[_at(page, nowhere)].append(page.venue)
    found: dict[ResourcePage, list[Resource]] = {page: [] for page in pages}
    for shape, venues in alike.items():
        rows = await session.exec(
            select(Resource).from_statement(_RESOURCES),  # type: ignore[call-overload]
            params={
                "organization_ids": [venue.organization_id for venue in venues],
                "venue_ids": [venue.id for venue in venues],
                "after": shape.after or "",
                "availability_type": shape.availability_type or "",
                "capacity_min": shape.capacity_min or 0,
                "limit": shape.limit,
            },
        )
        for resource in rows.scalars():
            found[_at(shape, VenueKey(resource.organization_id, resource.venue_id))].append(resource)
    return [found[page] for page in pages]


def _at(page: ResourcePage, venue: VenueKey) -> ResourcePage:
    return ResourcePage(venue, page.limit, page.after, page.availability_type, page.capacity_min)
