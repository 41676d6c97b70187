"""What the ledger is asked, as values."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.interval import Interval


@dataclass(frozen=True, slots=True)
class Command:
    """Who asks, and under which idempotency key.

    `actor` scopes the key within the organization. `request_hash` is of the operation and all of its input
    (`hash_request`): the same key with another hash is a conflict.
    """

    organization_id: uuid.UUID
    actor: str
    key: str
    request_hash: bytes


def hash_request(operation: str, payload: Mapping[str, Any]) -> bytes:
    """SHA-256 of an operation's name and its input, in a form that does not depend on the order of keys."""
    text = json.dumps([operation, payload], sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach the guest. Never in a log, a trace, an error or Redis; hence not in the repr either."""

    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


NO_CONTACT = Contact()


@dataclass(frozen=True, slots=True)
class HoldCondition:
    """A number that is at most `max` when the item is held; kinds and arguments are in ledger/sql/35_conditions.sql."""

    kind: str
    arguments: Mapping[str, Any]
    max: int


@dataclass(frozen=True, slots=True)
class HoldItem:
    """One resource, interval and quantity to hold.

    `guests`: as in `models.booking.BookingItem`. `catalog_version`: of the resource, when it was decided that this may
    be held; None: that depends on nothing. `claim`: what it takes, if that is longer than `interval`; `shared_as`: by
    what parties share there, if not by the activity.
    """

    resource_id: uuid.UUID
    interval: Interval
    quantity: int
    activity: str | None = None
    guests: Sequence[Mapping[str, Any]] | None = None
    catalog_version: int | None = None
    claim: Interval | None = None
    shared_as: str | None = None
    conditions: tuple[HoldCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """To which entry of a waitlist a hold is offered, and the how manyth offer to it this is, from 1."""

    entry_id: uuid.UUID
    number: int


@dataclass(frozen=True, slots=True)
class Price:
    """The quote that a hold is made by. `quote`: its row, as JSON, if it is new, and kept with the booking."""

    quote_id: uuid.UUID
    promo_code_id: uuid.UUID | None = None
    quote: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """All items, or none. `expected` maps resource ids to the version that the caller looked at.

    `approval_seconds`: when it is confirmed the venue has so long to approve; None: confirmed is confirmed.
    `looks_at`: around all that conditions look at of the timelines of what is booked.
    `series_id`, `series_position`: of a booking of a series (`models.ledger.series`).
    `offer`: it is held as long as the resource lets any hold last, and the entry is OFFERED it in the same transaction;
    if that does not wait for it any more, the booking that comes back is CANCELLED.
    `price`: what it costs; None: nothing of it has a price.
    """

    command: Command
    booking_id: uuid.UUID
    reference: str
    items: tuple[HoldItem, ...]
    customer_id: str | None = None
    contact: Contact = NO_CONTACT
    approval_seconds: int | None = None
    expected: Mapping[uuid.UUID, int] = field(default_factory=dict)
    looks_at: Interval | None = None
    series_id: uuid.UUID | None = None
    series_position: int | None = None
    offer: Offer | None = None
    price: Price | None = None


class BookingAction(StrEnum):
    """What may be done to a booking after it was held."""

    EXTEND = "EXTEND"
    CONFIRM = "CONFIRM"
    RELEASE = "RELEASE"
    CANCEL = "CANCEL"
    APPROVE = "APPROVE"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class ChangeBooking:
    """`until_start`: a CANCEL is refused once the first item has begun.

    `collects`: a CONFIRM is refused while something is due now that is not paid.
    """

    command: Command
    booking_id: uuid.UUID
    action: BookingAction
    reason: str | None = None
    expected_version: int | None = None
    until_start: bool = True
    collects: bool = False


@dataclass(frozen=True, slots=True)
class Rebook:
    """Other items for a booking. `hold` is what would be held if it was new: of its items, customer and price.

    `read_version`: the version of the booking by which this was decided; None: that depends on nothing. `until_start`:
    it is refused once the first item has begun.
    """

    hold: Hold
    read_version: int | None = None
    expected_version: int | None = None
    until_start: bool = True


@dataclass(frozen=True, slots=True)
class CancelItem:
    """So many units of the item at this position; `guests` are who is left of it, None: not told.

    `price`: what the rest costs. The other fields as in `Rebook`.
    """

    command: Command
    booking_id: uuid.UUID
    position: int
    quantity: int
    guests: Sequence[Mapping[str, Any]] | None = None
    price: Price | None = None
    read_version: int | None = None
    expected_version: int | None = None
    until_start: bool = True


@dataclass(frozen=True, slots=True)
class Adjust:
    """Capacity, or closed, over [starts_at, ends_at); no start: from now; no end: from then on. One is set."""

    command: Command
    resource_id: uuid.UUID
    starts_at: datetime | None
    ends_at: datetime | None
    capacity: int | None = None
    closed: bool | None = None
    reason: str | None = None
    expected_version: int | None = None
