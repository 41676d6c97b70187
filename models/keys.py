"""Keys of rows: an id is never used without the organization that it belongs to."""

import uuid
from typing import NamedTuple


class VenueKey(NamedTuple):
    """A venue of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID


class ResourceKey(NamedTuple):
    """A resource of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID


class RuleKey(NamedTuple):
    """A booking rule of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID


class PriceKey(NamedTuple):
    """A rate plan, price rule, promo code, tax or cancellation policy of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID


class QuoteKey(NamedTuple):
    """A quote of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID


class EntryKey(NamedTuple):
    """An entry of a waitlist of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID


class SeriesKey(NamedTuple):
    """A series of bookings of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID


class BookingKey(NamedTuple):
    """A booking of an organization."""

    organization_id: uuid.UUID
    id: uuid.UUID
