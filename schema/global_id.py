"""Opaque ids (Relay global object identification): what a row is, and whose.

An id is base64url of one byte for the kind, the organization's UUID and the row's UUID: 44 characters, no padding.
It carries the organization, so that any node is found on one shard; it proves nothing: whoever asks must be allowed.
"""

import base64
import re
import uuid
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import strawberry

from models.errors import NotFound
from models.keys import BookingKey, EntryKey, PriceKey, QuoteKey, ResourceKey, RuleKey, SeriesKey, VenueKey

_FORM = re.compile(r"[A-Za-z0-9_-]{44}")
_POSITION = re.compile(r"[0-9]{1,2}")


class GlobalKind(IntEnum):
    """The first byte of an id. A number never changes its meaning."""

    ORGANIZATION = 1
    VENUE = 2
    RESOURCE = 3
    BOOKING = 4
    BOOKING_RULE = 5
    WAITLIST_ENTRY = 6
    SERIES = 8
    RATE_PLAN = 20
    PRICE_RULE = 21
    PROMO_CODE = 22
    QUOTE = 23
    TAX_RULE = 24
    CANCELLATION_POLICY = 25


class GlobalId(NamedTuple):
    """What an id says. Of an organization, both UUIDs are its own."""

    kind: GlobalKind
    organization_id: uuid.UUID
    id: uuid.UUID


def encode(kind: GlobalKind, organization_id: uuid.UUID, id: uuid.UUID) -> strawberry.ID:
    """The id that clients know this row by."""
    return strawberry.ID(base64.urlsafe_b64encode(bytes([kind]) + organization_id.bytes + id.bytes).decode())


def decode(text: str) -> GlobalId | None:
    """What the id says, or None if it is no id of ours. Never raises."""
    if not _FORM.fullmatch(text):
        return None
    raw = base64.urlsafe_b64decode(text)
    try:
        kind = GlobalKind(raw[0])
    except ValueError:
        return None
    return GlobalId(kind, uuid.UUID(bytes=raw[1:17]), uuid.UUID(bytes=raw[17:]))


def resource_key(text: str, path: Sequence[str]) -> ResourceKey:
    """The key of a resource's id; NotFound, with the input's `path`, for anything else."""
    return ResourceKey(*_of_kind(GlobalKind.RESOURCE, text, path, "There is no such resource."))


def venue_key(text: str, path: Sequence[str]) -> VenueKey:
    """The key of a venue's id; NotFound, with the input's `path`, for anything else."""
    return VenueKey(*_of_kind(GlobalKind.VENUE, text, path, "There is no such venue."))


def booking_key(text: str, path: Sequence[str]) -> BookingKey:
    """The key of a booking's id; NotFound, with the input's `path`, for anything else."""
    return BookingKey(*_of_kind(GlobalKind.BOOKING, text, path, "There is no such booking."))


def rule_key(text: str, path: Sequence[str]) -> RuleKey:
    """The key of a booking rule's id; NotFound, with the input's `path`, for anything else."""
    return RuleKey(*_of_kind(GlobalKind.BOOKING_RULE, text, path, "There is no such rule."))


def entry_key(text: str, path: Sequence[str]) -> EntryKey:
    """The key of the id of a waitlist's entry; NotFound, with the input's `path`, for anything else."""
    return EntryKey(*_of_kind(GlobalKind.WAITLIST_ENTRY, text, path, "There is no such entry."))


def series_key(text: str, path: Sequence[str]) -> SeriesKey:
    """The key of a series' id; NotFound, with the input's `path`, for anything else."""
    return SeriesKey(*_of_kind(GlobalKind.SERIES, text, path, "There is no such series."))


def price_key(kind: GlobalKind, text: str, path: Sequence[str]) -> PriceKey:
    """The key of the id of something of this kind that was set; NotFound, with the input's `path`, for others."""
    return PriceKey(*_of_kind(kind, text, path, f"There is no such {kind.name.lower().replace('_', ' ')}."))


def quote_key(text: str, path: Sequence[str]) -> QuoteKey:
    """The key of a quote's id; NotFound, with the input's `path`, for anything else."""
    return QuoteKey(*_of_kind(GlobalKind.QUOTE, text, path, "There is no such quote."))


def encode_item(booking: BookingKey, position: int) -> strawberry.ID:
    """The id of an item of a booking: the booking's, and which one it is."""
    return strawberry.ID(f"{encode(GlobalKind.BOOKING, *booking)}.{position}")


def item_position(text: str, booking: BookingKey) -> int | None:
    """Which item of the booking this id is of; None: none."""
    of, _, position = text.partition(".")
    if of != encode(GlobalKind.BOOKING, *booking) or not _POSITION.fullmatch(position):
        return None
    return int(position)


def _of_kind(kind: GlobalKind, text: str, path: Sequence[str], message: str) -> tuple[uuid.UUID, uuid.UUID]:
    found = decode(text)
    if found is None or found.kind is not kind:
        raise NotFound(message, path=path)
    return found.organization_id, found.id
