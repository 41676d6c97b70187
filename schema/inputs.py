"""Inputs that several fields share, and how they become the engine's values."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

import strawberry

from engine.availability import Wish
from engine.rules import limits
from engine.rules.base import GuestCount, violation
from engine.rules.guests import checked_guests
from models.errors import InvalidInput
from models.interval import Interval
from models.ledger.requests import Contact
from models.resource import AvailabilityType
from schema.enums import BookingStatus
from schema.scalars import Long
from schema.text import bounded

ACTIVITY_LENGTH_MAX = 100
NAME_LENGTH_MAX = 200
EMAIL_LENGTH_MAX = 254
PHONE_LENGTH_MAX = 40
STATUSES_MAX = 20
CUSTOMER_LENGTH_MAX = 300

GUESTS_DESCRIPTION = (
    "Who comes, by type: 1 to 20 types, each once, 1 to 10,000 guests and at most 1,000 ages in all; else "
    "INVALID_INPUT. Not given: rules about guests go by the quantity, or refuse with GUESTS_REQUIRED."
)

Path = tuple[str, ...]


@strawberry.input(description="Half-open [startsAt, endsAt): the end is not included. At most 366 days.")
class WindowInput:
    """Two instants."""

    starts_at: datetime = strawberry.field(description="The first instant.")
    ends_at: datetime = strawberry.field(
        description="The first instant after it; INVALID_INPUT unless it is later than startsAt."
    )

    def interval(self, path: Path) -> Interval:
        """The window as a value; InvalidInput if it is empty or inverted."""
        if self.ends_at <= self.starts_at:
            raise InvalidInput("A window ends after it starts.", path=(*path, "endsAt"))
        return Interval(self.starts_at, self.ends_at)


@strawberry.input(description="Nights, [arrival, departure), in the venue's civil days. At most 366 nights.")
class StayInput:
    """Two civil days."""

    arrival: date = strawberry.field(description="The day of arrival, from the venue's check-in time.")
    departure: date = strawberry.field(
        description="The day of departure, until the venue's check-out time; INVALID_INPUT unless later than arrival."
    )


@strawberry.input(description="So many guests of one type.")
class GuestCountInput:
    """Part of a party."""

    type: str = strawberry.field(
        description=(
            "Such as ADULT or CHILD: 1 to 40 of A to Z, 0 to 9 and _, a letter first; else INVALID_INPUT. The venue's "
            "rules say which may come."
        )
    )
    count: int = strawberry.field(description="How many: 0 to 10,000; else INVALID_INPUT.")
    ages: list[int] | None = strawberry.field(
        default=None,
        description="In whole years, 0 to 150: one for each of them, or not at all; else INVALID_INPUT.",
    )


@strawberry.input(
    description="How to reach the guest. Shown to nobody but who may see the booking or the waitlist entry."
)
class ContactInput:
    """Every part may be left out."""

    name: str | None = strawberry.field(default=None, description="At most 200 characters.")
    email: str | None = strawberry.field(
        default=None, description="At most 254 characters, with one @; INVALID_INPUT otherwise."
    )
    phone: str | None = strawberry.field(default=None, description="At most 40 characters.")


@strawberry.input(description="What the caller has seen: refuse with VERSION_CONFLICT if the timeline moved since.")
class ExpectedVersionInput:
    """A resource and the version of its timeline."""

    resource_id: strawberry.ID = strawberry.field(description="Id of the resource; NOT_FOUND if there is none.")
    version: Long = strawberry.field(description="The resource's version when the caller looked.")


@strawberry.input(description="Which resources to list; conditions that are not given do not count.")
class ResourceFilter:
    """All conditions must hold."""

    availability_type: AvailabilityType | None = strawberry.field(default=None, description="Of this kind only.")
    capacity_min: int | None = strawberry.field(default=None, description="With at least this base capacity.")


@strawberry.input(description="Which bookings to list; conditions that are not given do not count.")
class BookingFilter:
    """All conditions must hold; resource, venue and window must hold for one and the same item."""

    status: list[BookingStatus] | None = strawberry.field(
        default=None, description="In one of these statuses; at most 20 are named."
    )
    resource_id: strawberry.ID | None = strawberry.field(default=None, description="With an item of this resource.")
    venue_id: strawberry.ID | None = strawberry.field(default=None, description="With an item of this venue.")
    window: WindowInput | None = strawberry.field(default=None, description="With an item that touches this window.")
    customer: str | None = strawberry.field(
        default=None, description="Made by this customer or partner, as in Booking.customer. For staff."
    )
    series_id: strawberry.ID | None = strawberry.field(default=None, description="Made in this series.")


class WishInput(Protocol):
    """What the inputs that wish for something have in common."""

    window: WindowInput | None
    stay: StayInput | None
    quantity: int
    activity: str | None
    guests: list[GuestCountInput] | None


def wish_of(input: WishInput, path: Path) -> Wish:
    """What is wished for; checked before anything is loaded, for what is asked must make sense by itself.

    InvalidInput unless there is exactly one of window and stay, and for a bad quantity, activity or party.
    """
    if (input.window is None) == (input.stay is None):
        raise InvalidInput("Give a window or a stay: exactly one of the two.", path=(*path, "window"))
    if not limits.QUANTITY_MIN <= input.quantity <= limits.QUANTITY_MAX:
        message = f"The quantity must be from {limits.QUANTITY_MIN} to {limits.QUANTITY_MAX:,}."
        raise InvalidInput(message, path=(*path, "quantity"))
    return Wish(
        window=None if input.window is None else input.window.interval((*path, "window")),
        stay=None if input.stay is None else (input.stay.arrival, input.stay.departure),
        quantity=input.quantity,
        activity=activity_of(input.activity, (*path, "activity")),
        guests=guests_of(input.guests, (*path, "guests")),
    )


def activity_of(activity: str | None, path: Path) -> str | None:
    """The activity as it is compared; InvalidInput if it is blank, too long, or begins with #."""
    if activity is None:
        return None
    text = bounded(activity, length_max=ACTIVITY_LENGTH_MAX, path=path, noun="activity")
    if not text or text.startswith("#"):  # "#" begins the ledger's own keys, of parties that are alone
        raise InvalidInput("An activity is not blank, and does not begin with #.", path=path)
    return text


def guests_of(guests: Sequence[GuestCountInput] | None, path: Path) -> tuple[GuestCount, ...] | None:
    """Who comes, if that is told; InvalidInput as `checked_guests`."""
    if guests is None:
        return None
    told = [GuestCount(one.type, one.count, None if one.ages is None else tuple(one.ages)) for one in guests]
    return checked_guests(told, path)


def contact_of(contact: ContactInput | None, path: Path) -> Contact:
    """The contact, blanks as nothing; InvalidInput for what is too long or can not be an address."""
    if contact is None:
        return Contact()
    email = _part(contact.email, EMAIL_LENGTH_MAX, (*path, "email"), "email address")
    if email is not None and not _looks_like_email(email):
        raise InvalidInput("This is no email address.", path=(*path, "email"))
    return Contact(
        name=_part(contact.name, NAME_LENGTH_MAX, (*path, "name"), "name"),
        email=email,
        phone=_part(contact.phone, PHONE_LENGTH_MAX, (*path, "phone"), "phone number"),
    )


def looked_at(window: WindowInput, path: Path) -> Interval:
    """A window to look at; InvalidInput if it is empty, inverted, or longer than 366 days."""
    interval = window.interval(path)
    refusal = limits.window(interval)
    if refusal is not None:
        raise violation(refusal, path=path)
    return interval


def _part(text: str | None, length_max: int, path: Path, noun: str) -> str | None:
    return None if text is None else bounded(text, length_max=length_max, path=path, noun=noun) or None


def _looks_like_email(email: str) -> bool:
    local, at, domain = email.partition("@")
    return bool(local and at and domain) and "@" not in domain and not any(c.isspace() for c in email)
