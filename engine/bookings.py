"""Finding a booking, for those who may see it: its staff, whoever made it, and whoever shows its token."""

import uuid

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.errors import NotFound, VersionConflict
from models.keys import BookingKey, EntryKey, SeriesKey
from models.ledger.calls import read_booking
from models.ledger.records import BookingRecord, BookingSnapshot
from models.ledger.requests import Command
from models.queries.references import booking_id_by_reference


def acting_in(viewer: Viewer, organization_id: uuid.UUID) -> Viewer:
    """Who the viewer is in that organization: elsewhere than in their own, everybody is a guest."""
    return viewer if viewer.may(Role.CUSTOMER, organization_id) else GUEST


def command_on(viewer: Viewer, what: BookingKey | EntryKey | SeriesKey, key: str, request_hash: bytes) -> Command:
    """What the viewer asks to be done to it, under this key. Guests are told apart by what it is done to: two of them
    may use one key.
    """
    acting = acting_in(viewer, what.organization_id)
    actor = f"guest:{what.id}" if acting.role is Role.GUEST else acting.actor
    return Command(what.organization_id, actor, key, request_hash)


def customer_in(viewer: Viewer, organization_id: uuid.UUID) -> str | None:
    """The customer that rules about a customer's own bookings are about; None for everybody who is none there.

    A guest can not be told from another; partners and staff book for others.
    """
    acting = acting_in(viewer, organization_id)
    return acting.actor if acting.role is Role.CUSTOMER else None


def partner_in(viewer: Viewer, organization_id: uuid.UUID) -> str | None:
    """The partner that prices of partners are about: role and subject; None for everybody who is none there."""
    acting = acting_in(viewer, organization_id)
    return acting.actor if acting.role is Role.PARTNER else None


def customer_of(booking: BookingSnapshot) -> str | None:
    """The customer whose booking it is, as of `customer_in`: None where a guest, a partner or staff have made it."""
    customer = booking.customer_id
    return customer if customer is not None and customer.startswith(f"{Role.CUSTOMER.lower()}:") else None


def may_see(viewer: Viewer, booking: BookingSnapshot, opened_by_token: BookingKey | None) -> bool:
    """Staff see their organization's bookings, customers and partners what they made, a token opens its one booking."""
    if opened_by_token == BookingKey(booking.organization_id, booking.id):
        return True
    if viewer.may(Role.STAFF, booking.organization_id):
        return True
    return booking.customer_id is not None and acting_in(viewer, booking.organization_id).actor == booking.customer_id


async def find_booking(
    database: Database,
    viewer: Viewer,
    *,
    key: BookingKey | None = None,
    reference: str | None = None,
    opened_by_token: BookingKey | None = None,
) -> BookingRecord | None:
    """The booking under a key, a reference or a token, if the viewer may see it.

    None for unknown, foreign and not allowed alike. What is given must agree: a token opens no other booking than its
    own. A reference is looked up in the token's organization, or in the viewer's own.
    """
    if reference is not None:
        organization_id = opened_by_token.organization_id if opened_by_token else viewer.organization_id
        if organization_id is None:
            return None
        async with database.reading(organization_id) as session:
            found = await booking_id_by_reference(session, organization_id, reference)
        if found is None or (key is not None and key != BookingKey(organization_id, found)):
            return None
        key = BookingKey(organization_id, found)
    key = key or opened_by_token
    if key is None:
        return None
    record = await read_booking(database, *key)
    return record if record is not None and may_see(viewer, record.booking, opened_by_token) else None


async def get_booking(
    database: Database, viewer: Viewer, key: BookingKey, opened_by_token: BookingKey | None
) -> BookingRecord:
    """The booking that the viewer names in an input; raises NotFound where `find_booking` finds none."""
    found = await find_booking(database, viewer, key=key, opened_by_token=opened_by_token)
    if found is None:
        raise NotFound("There is no such booking.", path=("input", "bookingId"))
    return found


def check_version(expected: int | None, booking: BookingSnapshot) -> None:
    """Raises VersionConflict where the ledger would: before anything else is said of what has changed."""
    if expected is not None and expected != booking.version:
        raise VersionConflict("It changed since you looked.", current=booking.version)
