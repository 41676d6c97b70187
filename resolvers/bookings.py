"""Query.booking and Query.bookings."""

import uuid
from dataclasses import dataclass
from typing import Annotated

import strawberry

from engine.bookings import find_booking
from engine.viewer import Role, Viewer
from models.errors import InvalidInput
from models.keys import BookingKey, ResourceKey, VenueKey
from models.queries.bookings import BookingPage, page_of_bookings
from resolvers.access import query
from schema.access import Access
from schema.booking import Booking, BookingConnection
from schema.connections import After, First, connection, page_size, uuid_from_cursor
from schema.context import Info
from schema.global_id import GlobalId, GlobalKind, decode
from schema.inputs import CUSTOMER_LENGTH_MAX, STATUSES_MAX, BookingFilter, looked_at
from schema.text import bounded, is_plain

REFERENCE_LENGTH_MAX = 40

Id = Annotated[strawberry.ID | None, strawberry.argument(description="As Booking.id.")]
Reference = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "As Booking.reference; case, hyphens and blanks do not matter. Looked up in the organization of the token, "
            "or of who is signed in."
        )
    ),
]
Token = Annotated[str | None, strawberry.argument(description="As given by bookingHold; opens its one booking.")]
Filter = Annotated[BookingFilter | None, strawberry.argument(description="Only these.")]


@query(
    Access.BOOKING_HOLDER,
    description=(
        "A booking by its id, its reference or its token; where several are given they must agree. INVALID_INPUT if "
        "none is. Null for an unknown, foreign or malformed one, and for one that the viewer may not see."
    ),
)
async def booking(info: Info, id: Id = None, reference: Reference = None, token: Token = None) -> Booking | None:
    """One booking."""
    context = info.context
    if id is None and reference is None and token is None:
        raise InvalidInput("Give an id, a reference or a token.")
    decoded = None if id is None else decode(id)
    if id is not None and (decoded is None or decoded.kind is not GlobalKind.BOOKING):
        return None
    if reference is not None and (len(reference) > REFERENCE_LENGTH_MAX or not is_plain(reference)):
        return None
    record = await find_booking(
        context.database,
        context.viewer,
        key=None if decoded is None else BookingKey(decoded.organization_id, decoded.id),
        reference=reference,
        opened_by_token=context.opened_by(token),
    )
    return None if record is None else Booking.of(record)


@query(
    Access.CUSTOMER,
    description=(
        "Bookings, newest first: for staff all of their organization, for customers and partners those that they made."
    ),
)
async def bookings(info: Info, first: First = 20, after: After = None, filter: Filter = None) -> BookingConnection:
    """A page of bookings."""
    context = info.context
    size = page_size(first)
    page = _page(context.viewer, size + 1, uuid_from_cursor(after), filter or BookingFilter())
    rows = []
    if page is not None:
        async with context.database.reading(page.organization_id) as session:
            rows = await page_of_bookings(session, page)
    return connection(
        BookingConnection,
        rows,
        size=size,
        is_first=after is None,
        position=lambda record: str(record.booking.id),
        node=Booking.of,
        budget=context.loaders.budget,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """What the filter's ids name. None: nothing of that kind was asked for."""

    resource: ResourceKey | None
    venue: VenueKey | None
    series: GlobalId | None

    def organizations(self) -> set[uuid.UUID]:
        return {key.organization_id for key in (self.resource, self.venue, self.series) if key is not None}


def _page(viewer: Viewer, limit: int, before: uuid.UUID | None, filter: BookingFilter) -> BookingPage | None:
    """What to ask the database; None where nothing can match, as for an id that is foreign or malformed."""
    statuses = tuple(filter.status or ())
    if len(statuses) > STATUSES_MAX:
        raise InvalidInput(f"At most {STATUSES_MAX} statuses can be named.", path=("filter", "status"))
    window = None if filter.window is None else looked_at(filter.window, ("filter", "window"))
    place = _place(filter)
    organization_id = viewer.organization_id
    if organization_id is None and place is not None:
        organization_id = next(iter(place.organizations()), None)
        if organization_id is None:
            raise InvalidInput("Name a venue, a resource or a series: you are of no organization.", path=("filter",))
    if place is None or organization_id is None or not place.organizations() <= {organization_id}:
        return None
    customer = filter.customer
    if customer is not None:
        customer = bounded(customer, length_max=CUSTOMER_LENGTH_MAX, path=("filter", "customer"), noun="customer")
    if not viewer.may(Role.STAFF, organization_id):
        if customer not in (None, viewer.actor):
            return None
        customer = viewer.actor
    return BookingPage(
        organization_id,
        limit,
        before,
        customer,
        statuses,
        place.resource,
        place.venue,
        window,
        None if place.series is None else place.series.id,
    )


def _place(filter: BookingFilter) -> _Place | None:
    """What the filter's ids name; None if one is malformed, or of another kind."""
    resource = None if filter.resource_id is None else decode(filter.resource_id)
    venue = None if filter.venue_id is None else decode(filter.venue_id)
    series = None if filter.series_id is None else decode(filter.series_id)
    if filter.series_id is not None and (series is None or series.kind is not GlobalKind.SERIES):
        return None
    if filter.resource_id is not None and (resource is None or resource.kind is not GlobalKind.RESOURCE):
        return None
    if filter.venue_id is not None and (venue is None or venue.kind is not GlobalKind.VENUE):
        return None
    return _Place(
        resource=None if resource is None else ResourceKey(resource.organization_id, resource.id),
        venue=None if venue is None else VenueKey(venue.organization_id, venue.id),
        series=series,
    )
