"""An entry of a waitlist, as clients see it. Only who may see an entry ever gets one."""

from datetime import datetime

import strawberry

from engine.bookings import find_booking
from engine.rules.guests import guests_from_stored
from models.civil import local_text, zone
from models.keys import BookingKey, EntryKey, ResourceKey
from models.ledger.requests import Contact as ContactValue
from models.waitlist import WaitlistEntry as WaitlistEntryRow
from schema.booking import Booking, Contact, GuestCount
from schema.connections import Connection
from schema.context import Info
from schema.enums import WaitlistStatus
from schema.fields import field
from schema.global_id import GlobalKind, encode
from schema.node import Node
from schema.resource import Resource
from schema.scalars import Long


@strawberry.type(
    description=(
        "A party that waits for places that are taken. Nothing is kept free for it: what becomes free may be booked by "
        "anybody until it is offered, fewest offers first and then first come, first served, to those whom it is "
        "enough for. An offer is a booking ON_HOLD, of all that is waited for. An entry is seen by who shows its "
        "token, who made it, and the organization's staff."
    )
)
class WaitlistEntry(Node):
    """An entry as it was read at one instant."""

    key: strawberry.Private[EntryKey]
    row: strawberry.Private[WaitlistEntryRow]
    is_opened: strawberry.Private[bool]

    status: WaitlistStatus = strawberry.field(description="Where it stands.")
    version: Long = strawberry.field(description="Grows by exactly one with every change.")
    quantity: int = strawberry.field(description="Units, all of them together: a party is never split.")
    activity: str | None = strawberry.field(description="What for.")
    guests: list[GuestCount] | None = strawberry.field(description="Who comes, by type; null: not told.")
    starts_at: datetime = strawberry.field(description="First instant that is waited for; of a stay, check-in.")
    ends_at: datetime = strawberry.field(description="First instant after it; of a stay, check-out.")
    flexible_from: datetime | None = strawberry.field(
        description="Another time of the same length will do as well, from here to flexibleUntil. Null: exactly this."
    )
    flexible_until: datetime | None = strawberry.field(description="Until when such a time must end.")
    offers: int = strawberry.field(description="How many offers it has had, at most 2.")
    contact: Contact | None = strawberry.field(
        description="How to reach the guest; null if nothing was given, and erased when the entry has ended."
    )
    customer: str | None = strawberry.field(
        description='Who made it, if they had an account: role and subject, "customer:ada". Null: a guest, or staff.'
    )
    created_at: datetime = strawberry.field(description="When it was made: its place among those with as many offers.")
    updated_at: datetime = strawberry.field(description="When it changed last.")

    @classmethod
    def of(cls, row: WaitlistEntryRow, opened_by_token: EntryKey | None = None) -> "WaitlistEntry":
        """The row, for clients; with the booking's token for who has shown the entry's."""
        key = EntryKey(row.organization_id, row.id)
        guests = guests_from_stored(row.guests)
        return cls(
            id=encode(GlobalKind.WAITLIST_ENTRY, row.organization_id, row.id),
            key=key,
            row=row,
            is_opened=opened_by_token == key,
            status=WaitlistStatus(row.status),
            version=Long(row.version),
            quantity=row.quantity,
            activity=row.activity,
            guests=None if guests is None else [GuestCount.of(one) for one in guests],
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            flexible_from=row.earliest_at,
            flexible_until=row.latest_at,
            offers=row.offers,
            contact=Contact.of(ContactValue(row.contact_name, row.contact_email, row.contact_phone)),
            customer=row.customer_id,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @field("What is waited for.")
    async def resource(self, info: Info) -> Resource:
        """Shown to who may see the entry, even if its venue is not published any more."""
        info.context.loaders.open(self.row.organization_id)
        return await Resource.load(info.context, ResourceKey(self.row.organization_id, self.row.resource_id))

    @field('startsAt as the venue\'s clocks show it, ISO 8601 with the offset: "2026-11-22T18:00:00+01:00".')
    async def local_start(self, info: Info) -> str:
        """In the venue's zone."""
        resource = await self.resource(info)
        venue = await info.context.loaders.venues.load(resource.venue_key)
        assert venue is not None, "a resource has a venue"
        return local_text(self.starts_at, zone(venue.time_zone))

    @field(
        "The booking of the offer: while OFFERED it is ON_HOLD until its holdExpiresAt, and bookingConfirm makes it "
        "theirs. Null unless OFFERED or ACCEPTED."
    )
    async def booking(self, info: Info) -> Booking | None:
        """As it is now."""
        key = self._booking_key()
        if key is None:
            return None
        if self.is_opened:  # to who shows the entry's token the booking is open too, as to who shows its own
            context = info.context
            record = await find_booking(context.database, context.viewer, key=key, opened_by_token=key)
        else:
            record = await info.context.loaders.bookings.load(key)
        return None if record is None else Booking.of(record)

    @field("The token that opens that booking, for who has shown the token of the entry; null for others.")
    def booking_token(self, info: Info) -> str | None:
        """Issued anew, and the same each time."""
        key = self._booking_key()
        return info.context.tokens.issue(key) if key is not None and self.is_opened else None

    def _booking_key(self) -> BookingKey | None:
        return None if self.row.booking_id is None else BookingKey(self.row.organization_id, self.row.booking_id)


@strawberry.type(description="One page of entries of waitlists, newest first.")
class WaitlistEntryConnection(Connection[WaitlistEntry]):
    """Entries that the viewer may see."""
