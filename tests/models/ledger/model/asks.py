"""What oracle and ledger are asked. An instant is a number of slots since the model's dawn; a booking is a number."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from models.ledger.requests import BookingAction

DAWN = datetime(2030, 6, 1, tzinfo=UTC)
SLOT = timedelta(minutes=5)
SLOTS = 12
"""The model's calendar; what has no end goes on past the last of them."""

Answer = tuple[str, object]
"""DONE with what there is now, or the code of a refusal; of several bookings REFUSED, with the code of each."""


@dataclass(frozen=True)
class Item:
    """Quantity of a resource, by its name, in the slots from `start` up to `end`."""

    resource: str
    start: int
    end: int
    quantity: int
    activity: str | None


@dataclass(frozen=True)
class Hold:
    """A new booking under the number `booking`; `expected` is the version of the first item's resource.

    `approval`: for how many slots the venue may think about it. `offer`: to which entry, and the how manyth to it.
    """

    key: str
    booking: int
    items: tuple[Item, ...]
    expected: int | None = None
    approval: int | None = None
    offer: tuple[int, int] | None = None


@dataclass(frozen=True)
class Series:
    """New bookings of an item each, all or what can be had; `is_refused`: rules refuse another date of the series."""

    key: str
    bookings: tuple[int, ...]
    dates: tuple[Item, ...]
    all_or_none: bool
    is_refused: bool

    def holds(self) -> list[Hold]:
        """Each as a hold of its own."""
        return [Hold(self.key, number, (item,)) for number, item in zip(self.bookings, self.dates, strict=True)]


@dataclass(frozen=True)
class Change:
    """Something done to a booking."""

    key: str
    booking: int
    action: BookingAction
    expected: int | None


@dataclass(frozen=True)
class ChangeAll:
    """The same done to several bookings, each with its own outcome."""

    key: str
    bookings: tuple[int, ...]
    action: BookingAction


@dataclass(frozen=True)
class Rebook:
    """Other items for a booking."""

    key: str
    booking: int
    items: tuple[Item, ...]
    expected: int | None


@dataclass(frozen=True)
class Part:
    """So much of an item of a booking cancelled, of which something is left."""

    key: str
    booking: int
    position: int
    quantity: int


@dataclass(frozen=True)
class Adjust:
    """Capacity, or closed, from `start` (None: now) up to `end` (None: from then on)."""

    key: str
    resource: str
    start: int | None
    end: int | None
    capacity: int | None
    closed: bool | None
    expected: int | None


Ask = Hold | Series | Change | ChangeAll | Rebook | Part | Adjust


def content(ask: Ask) -> Ask:
    """What makes two requests the same: all but the key, and but the ids that each attempt of a hold brings anew."""
    match ask:
        case Hold():
            return replace(ask, key="", booking=0)
        case Series():
            return replace(ask, key="", bookings=())
    return replace(ask, key="")


def instant(slot: int) -> datetime:
    """When a slot begins."""
    return DAWN + slot * SLOT


def slot_of(at: datetime) -> int:
    """The slot that begins at this instant; there must be one."""
    slot, rest = divmod(at - DAWN, SLOT)
    assert not rest, f"{at} is between two slots"
    return slot
