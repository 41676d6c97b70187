"""The tenant, as clients see it."""

import strawberry

from models.venue import Organization as OrganizationRow
from schema.global_id import GlobalKind, encode
from schema.node import Node


@strawberry.type(description="Who runs venues. Everything belongs to exactly one organization.")
class Organization(Node):
    """Shown if it has a published venue, or to those who belong to it."""

    slug: str = strawberry.field(description="Public name, unique over all organizations.")
    name: str = strawberry.field(description="Name for people.")

    @classmethod
    def of(cls, row: OrganizationRow) -> "Organization":
        """The row, for clients."""
        return cls(id=encode(GlobalKind.ORGANIZATION, row.id, row.id), slug=row.slug, name=row.name)
