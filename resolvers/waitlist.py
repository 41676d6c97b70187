"""Query.waitlistEntry and Query.waitlistEntries."""

import uuid
from typing import Annotated

import strawberry

from engine.viewer import Role
from engine.waitlist import find_entry
from models.errors import InvalidInput
from models.keys import EntryKey, ResourceKey
from models.queries.waitlist import EntryPage, page_of_entries
from resolvers.access import query
from schema.access import Access
from schema.connections import After, First, connection, page_size, uuid_from_cursor
from schema.context import Context, Info
from schema.enums import WaitlistStatus
from schema.global_id import GlobalKind, decode
from schema.waitlist import WaitlistEntry, WaitlistEntryConnection

STATUSES_MAX = 20

Id = Annotated[strawberry.ID | None, strawberry.argument(description="As WaitlistEntry.id.")]
Token = Annotated[str | None, strawberry.argument(description="As given by waitlistJoin; opens its one entry.")]
OfResource = Annotated[strawberry.ID | None, strawberry.argument(description="Of this resource only.")]
Statuses = Annotated[
    list[WaitlistStatus] | None, strawberry.argument(description="In one of these statuses; at most 20 are named.")
]


@query(
    Access.ENTRY_HOLDER,
    description=(
        "An entry of a waitlist by its id or its token; where both are given they must agree. INVALID_INPUT if none "
        "is. Null for an unknown, foreign or malformed one, and for one that the viewer may not see."
    ),
)
async def waitlist_entry(info: Info, id: Id = None, token: Token = None) -> WaitlistEntry | None:
    """One entry."""
    context = info.context
    if id is None and token is None:
        raise InvalidInput("Give an id or a token.")
    decoded = None if id is None else decode(id)
    if id is not None and (decoded is None or decoded.kind is not GlobalKind.WAITLIST_ENTRY):
        return None
    key = None if decoded is None else EntryKey(decoded.organization_id, decoded.id)
    opened = context.entry_opened_by(token)
    entry = await find_entry(context.database, context.viewer, key=key, opened_by_token=opened)
    return None if entry is None else WaitlistEntry.of(entry, opened)


@query(
    Access.CUSTOMER,
    description=(
        "Entries of waitlists, newest first: for staff all of their organization, for customers and partners those "
        "that they made."
    ),
)
async def waitlist_entries(
    info: Info, first: First = 20, after: After = None, resource_id: OfResource = None, status: Statuses = None
) -> WaitlistEntryConnection:
    """A page of entries."""
    context = info.context
    size = page_size(first)
    page = _page(context, size + 1, uuid_from_cursor(after), resource_id, tuple(status or ()))
    rows = []
    if page is not None:
        async with context.database.reading(page.organization_id) as session:
            rows = await page_of_entries(session, page)
    return connection(
        WaitlistEntryConnection,
        rows,
        size=size,
        is_first=after is None,
        position=lambda row: str(row.id),
        node=WaitlistEntry.of,
        budget=context.loaders.budget,
    )


def _page(
    context: Context,
    limit: int,
    before: uuid.UUID | None,
    resource_id: str | None,
    statuses: tuple[WaitlistStatus, ...],
) -> EntryPage | None:
    """What to ask the database; None where nothing can match, as for an id that is foreign or malformed."""
    if len(statuses) > STATUSES_MAX:
        raise InvalidInput(f"At most {STATUSES_MAX} statuses can be named.", path=("status",))
    viewer = context.viewer
    organization_id, resource = viewer.organization_id, None
    if resource_id is not None:
        decoded = decode(resource_id)
        if decoded is None or decoded.kind is not GlobalKind.RESOURCE:
            return None
        resource = ResourceKey(decoded.organization_id, decoded.id)
        if organization_id not in (None, resource.organization_id):
            return None
        organization_id = resource.organization_id
    if organization_id is None:
        raise InvalidInput("Name a resource: you are of no organization.", path=("resourceId",))
    customer = None if viewer.may(Role.STAFF, organization_id) else viewer.actor
    return EntryPage(organization_id, limit, before, customer, statuses, resource)
