"""A booking, what it is of, and its history, as clients see them. Only who may see a booking ever gets one."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry

from engine.cancellation.terms import Terms
from engine.cancelling import cancelled_at
from engine.quote_rows import terms_of
from engine.rules.base import GuestCount as GuestCountValue
from engine.rules.guests import guests_from_stored
from engine.viewer import Role
from models.booking import BookingEvent as BookingEventRow
from models.civil import local_text, zone
from models.keys import BookingKey, QuoteKey, ResourceKey
from models.ledger.records import BookingRecord, ItemSnapshot
from models.ledger.requests import Contact as ContactValue
from models.price import Quote as QuoteRow
from models.queries.bookings import EventPage
from schema.cancellation import CancellationTerms
from schema.connections import After, Connection, First, connection, number_from_cursor, page_size
from schema.context import Info
from schema.enums import BookingEventKind, BookingStatus
from schema.fields import field
from schema.global_id import GlobalKind, encode, encode_item
from schema.node import Node
from schema.payment import Payment
from schema.quote import Quote
from schema.resource import Resource
from schema.scalars import LONG_MAX, Long


@strawberry.type(description="How to reach somebody.")
class Contact:
    """Shown with what it belongs to."""

    name: str | None = strawberry.field(description="Name.")
    email: str | None = strawberry.field(description="Email address; nobody has checked that it works.")
    phone: str | None = strawberry.field(description="Phone number, as it was typed.")

    @classmethod
    def of(cls, contact: ContactValue) -> "Contact | None":
        """The contact, or None if nothing is known."""
        if not (contact.name or contact.email or contact.phone):
            return None
        return cls(name=contact.name, email=contact.email, phone=contact.phone)


@strawberry.type(description="So many guests of one type.")
class GuestCount:
    """Part of a party."""

    type: str = strawberry.field(description="Such as ADULT.")
    count: int = strawberry.field(description="How many.")
    ages: list[int] | None = strawberry.field(description="In whole years, one for each of them; null: not told.")

    @classmethod
    def of(cls, guests: GuestCountValue) -> "GuestCount":
        """The engine's value, for clients."""
        return cls(type=guests.type, count=guests.count, ages=None if guests.ages is None else list(guests.ages))


@strawberry.type(
    description="One resource, time and quantity of a booking, as it was asked for; it stays when the booking ends."
)
class BookingItem:
    """One item."""

    id: strawberry.ID = strawberry.field(description="Opaque. `node` does not find it: it is found with its booking.")
    quantity: int = strawberry.field(description="Units.")
    activity: str | None = strawberry.field(description="What for.")
    guests: list[GuestCount] | None = strawberry.field(description="Who comes, by type; null: not told.")
    starts_at: datetime = strawberry.field(description="First instant; of a stay, check-in.")
    ends_at: datetime = strawberry.field(description="First instant after it; of a stay, check-out.")
    key: strawberry.Private[ResourceKey]
    chosen_ids: strawberry.Private[Sequence[uuid.UUID]]

    @classmethod
    def of(cls, row: ItemSnapshot) -> "BookingItem":
        """The row, for clients."""
        guests = guests_from_stored(row.guests)
        return cls(
            id=encode_item(BookingKey(row.organization_id, row.booking_id), row.position),
            quantity=row.quantity,
            activity=row.activity,
            guests=None if guests is None else [GuestCount.of(one) for one in guests],
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            key=ResourceKey(row.organization_id, row.resource_id),
            chosen_ids=row.chosen or (),
        )

    @field("What is booked.")
    async def resource(self, info: Info) -> Resource:
        """Shown to who may see the booking, even if its venue is not published any more."""
        info.context.loaders.open(self.key.organization_id)
        return await Resource.load(info.context, self.key)

    @field("What was chosen, if the resource chooses from others: one for each unit. It stays when the booking ends.")
    async def chosen(self, info: Info) -> list[Resource]:
        """Shown as the resource is."""
        info.context.loaders.open(self.key.organization_id)
        keys = [ResourceKey(self.key.organization_id, id_) for id_ in self.chosen_ids]
        return list(await asyncio.gather(*(Resource.load(info.context, key) for key in keys)))

    @field('startsAt as the venue\'s clocks show it, ISO 8601 with the offset: "2026-11-22T18:00:00+01:00".')
    async def local_start(self, info: Info) -> str:
        """In the venue's zone."""
        return await self._local(info, self.starts_at)

    @field("endsAt as the venue's clocks show it.")
    async def local_end(self, info: Info) -> str:
        """In the venue's zone."""
        return await self._local(info, self.ends_at)

    async def _local(self, info: Info, instant: datetime) -> str:
        info.context.loaders.open(self.key.organization_id)
        resource = await Resource.load(info.context, self.key)
        venue = await info.context.loaders.venues.load(resource.venue_key)
        assert venue is not None, "a resource has a venue"
        return local_text(instant, zone(venue.time_zone))


@strawberry.type(description="One change of a booking: written with the change, never altered.")
class BookingEvent:
    """One line of the history."""

    version: Long = strawberry.field(description="The booking's version that this change made: 1, 2, 3, without gaps.")
    kind: BookingEventKind = strawberry.field(description="What happened.")
    status: BookingStatus = strawberry.field(description="The status after it.")
    actor: str = strawberry.field(
        description='Who did it: "guest", "customer", "staff", "system"…; staff see the name as well: "staff:ada".'
    )
    reason: str | None = strawberry.field(description="Why, if somebody said so. For staff; null for others.")
    items_before: list[BookingItem] | None = strawberry.field(
        description="What the booking was of before. Null unless it was CHANGED or an ITEM_CANCELLED."
    )
    created_at: datetime = strawberry.field(description="When, by the database's clock.")

    @classmethod
    def of(cls, row: BookingEventRow, *, for_staff: bool) -> "BookingEvent":
        """The row, for clients; who of the staff it was, and their reason, is for staff."""
        return cls(
            version=Long(row.version),
            kind=BookingEventKind(row.kind),
            status=BookingStatus(row.status),
            actor=row.actor if for_staff else row.actor.partition(":")[0],
            reason=row.reason if for_staff else None,
            items_before=None if row.details is None else _items(row.details["items"]["before"]),
            created_at=row.created_at,
        )


def _items(rows: Sequence[Mapping[str, Any]]) -> list[BookingItem]:
    return [BookingItem.of(ItemSnapshot.from_history(row)) for row in rows]


@strawberry.type(description="One page of a booking's history, oldest first.")
class BookingEventConnection(Connection[BookingEvent]):
    """Events of one booking."""


@strawberry.type(
    description=(
        "The contract between a guest and a venue. While ON_HOLD its places are kept and it ends by itself; it is "
        "seen by who shows its token, who made it, and the organization's staff."
    )
)
class Booking(Node):
    """A booking as it was read at one instant of the database's clock."""

    key: strawberry.Private[BookingKey]
    record: strawberry.Private[BookingRecord]

    reference: str = strawberry.field(
        description="For people to read out: four groups of four letters and digits, 80 random bits."
    )
    status: BookingStatus = strawberry.field(description="Where it stands.")
    version: Long = strawberry.field(description="Grows by exactly one with every change.")
    contact: Contact | None = strawberry.field(description="How to reach the guest; null if nothing was given.")
    customer: str | None = strawberry.field(
        description='Who made it, if they had an account: role and subject, "customer:ada". Null: a guest, or staff.'
    )
    hold_expires_at: datetime | None = strawberry.field(
        description="When it ends by itself, by the database's clock. Null unless ON_HOLD or PENDING."
    )
    series: strawberry.ID | None = strawberry.field(
        description="The series that it was made in, as Series.id; `BookingFilter.seriesId` finds the others. Or null."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it changed last.")

    @classmethod
    def of(cls, record: BookingRecord) -> "Booking":
        """The record, for clients."""
        row = record.booking
        return cls(
            id=encode(GlobalKind.BOOKING, row.organization_id, row.id),
            key=BookingKey(row.organization_id, row.id),
            record=record,
            reference=row.reference,
            status=BookingStatus(row.status),
            version=Long(row.version),
            contact=Contact.of(ContactValue(row.contact_name, row.contact_email, row.contact_phone)),
            customer=row.customer_id,
            hold_expires_at=row.hold_expires_at,
            series=None if row.series_id is None else encode(GlobalKind.SERIES, row.organization_id, row.series_id),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @field("What it costs, as it was when it was held, or changed; never altered. Null: nothing of it had a price.")
    async def quote(self, info: Info) -> Quote | None:
        """The snapshot."""
        row = await self._quote_row(info)
        return None if row is None else Quote.of(row, self.record.now)

    @field(
        "What comes back if it is cancelled, as it was promised when it was held or changed; once it was, what came "
        "back. Null: nothing of it had a price, or it has ended otherwise."
    )
    async def cancellation(self, info: Info) -> CancellationTerms | None:
        """Of the snapshot, at the instant at which the booking was read."""
        terms, at = await self.terms(info), cancelled_at(self.record)
        if terms is None or at is None:
            return None
        is_over = self.record.booking.status == BookingStatus.CANCELLED
        return CancellationTerms.done(terms, at) if is_over else CancellationTerms.of(terms, at)

    async def terms(self, info: Info) -> Terms | None:
        """The terms that were agreed on; None: nothing of it had a price."""
        row = await self._quote_row(info)
        return None if row is None else terms_of(row)

    async def _quote_row(self, info: Info) -> QuoteRow | None:
        row = self.record.booking
        if row.quote_id is None:
            return None
        found = await info.context.loaders.quotes.load(QuoteKey(row.organization_id, row.quote_id))
        assert found is not None, "a quote stays as long as its booking"
        return found

    @field("What is paid of it online. Null: nothing of it had a price.")
    async def payment(self, info: Info) -> Payment | None:
        """All payments together."""
        quote = await self._quote_row(info)
        if quote is None:
            return None
        return Payment.of(self.key, quote, await info.context.loaders.payments.load(self.key))

    @field("What is booked, 1 to 20, in the order in which it was asked for.")
    def items(self) -> list[BookingItem]:
        """Read with the booking."""
        return [BookingItem.of(item) for item in self.record.items]

    @field(
        "Whole seconds until holdExpiresAt, by the database's clock when this was read; never negative. At 0 it "
        "may still be confirmed or approved while nobody has needed its place. Null unless ON_HOLD or PENDING."
    )
    def hold_seconds_left(self) -> int | None:
        """Rounded down."""
        if self.hold_expires_at is None:
            return None
        return max(0, int((self.hold_expires_at - self.record.now).total_seconds()))

    @field("Its history, append-only, oldest first.")
    async def events(self, info: Info, first: First = 20, after: After = None) -> BookingEventConnection:
        """A page of it."""
        size = page_size(first)
        page = EventPage(self.key, size + 1, number_from_cursor(after, maximum=LONG_MAX))
        for_staff = info.context.viewer.may(Role.STAFF, self.key.organization_id)
        return connection(
            BookingEventConnection,
            await info.context.loaders.event_pages.load(page),
            size=size,
            is_first=after is None,
            position=lambda row: str(row.version),
            node=lambda row: BookingEvent.of(row, for_staff=for_staff),
            budget=info.context.loaders.budget,
        )


@strawberry.type(description="One page of bookings, newest first.")
class BookingConnection(Connection[Booking]):
    """Bookings that the viewer may see."""
