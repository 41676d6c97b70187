"""Enumerations of the contract, with what each value means to who reads the schema."""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TypeVar

import strawberry

from engine.taxes.base import TaxCollection
from engine.vacancies import AvailabilityStatus
from engine.viewer import Role
from models.booking import BookingEventKind, BookingStatus
from models.payment import PaymentEventKind, PaymentOutcome
from models.resource import AvailabilityType, BookingRule, Sharing
from models.waitlist import WaitlistStatus
from schema.error_codes import MEANINGS, ErrorCode

__all__ = [
    "AvailabilityStatus",
    "AvailabilityType",
    "BookingEventKind",
    "BookingRuleScope",
    "BookingStatus",
    "ErrorCode",
    "PaymentEventKind",
    "PaymentOutcome",
    "PaymentStatus",
    "Role",
    "Sharing",
    "TaxCollection",
    "WaitlistStatus",
]


class BookingRuleScope(StrEnum):
    """What a rule is of."""

    RESOURCE = "RESOURCE"
    VENUE = "VENUE"

    @classmethod
    def of(cls, rule: BookingRule) -> "BookingRuleScope":
        """The scope of a stored rule."""
        return cls.VENUE if rule.venue_id else cls.RESOURCE


class PaymentStatus(StrEnum):
    """How far paying a booking is, all of its payments together."""

    NONE = "NONE"
    REQUIRES_PAYMENT = "REQUIRES_PAYMENT"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"
    FAILED = "FAILED"


EnumClass = TypeVar("EnumClass", bound=type[Enum])


def described(enum: EnumClass, *, description: str, values: Mapping[str, str]) -> EnumClass:
    """Publish a Python enumeration as it is, with a description for each value. KeyError if one has none."""
    published = strawberry.enum(enum, description=description)
    for value in published.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]
    return published


described(
    ErrorCode,
    description="Why something was refused, for programs. Codes may be added; a code never changes its meaning.",
    values=MEANINGS,
)

described(
    AvailabilityType,
    description="How the bookable times of a resource come about.",
    values={
        "OPENING_HOURS": "Any interval within the opening hours that starts on the grid: a desk hall, a pool.",
        "START_TIME": "Fixed departures or sessions: a tour, a class.",
        "NIGHTLY": "Nights, [arrival, departure): a room.",
    },
)

described(
    Sharing,
    description="Whether parties may be there at the same time.",
    values={
        "SHARED": "Parties overlap, up to capacity.",
        "SAME_ACTIVITY": "Parties overlap only when they name the same activity; who names none is alone.",
        "EXCLUSIVE": "One party at a time, whatever its size, up to capacity.",
    },
)

described(
    AvailabilityStatus,
    description="How much is left, in one word.",
    values={
        "AVAILABLE": "At least half of capacity is left.",
        "LIMITED": "Something is left, but less than half of capacity.",
        "SOLD_OUT": "Nothing is left.",
        "CLOSED": "Closed by the venue: nothing new is taken, what is booked stays.",
    },
)

described(
    BookingStatus,
    description="Where a booking stands. EXPIRED, CANCELLED, REJECTED, COMPLETED and NO_SHOW are final.",
    values={
        "ON_HOLD": "The places are kept until holdExpiresAt, and wait to be confirmed.",
        "PENDING": "Waits for the venue's approval until holdExpiresAt; the places are kept.",
        "CONFIRMED": "The places are the guest's.",
        "EXPIRED": "It ended by itself, unconfirmed or unapproved; the places are given back.",
        "CANCELLED": "Released or cancelled; the places are given back.",
        "REJECTED": "The venue did not approve; the places are given back.",
        "REDEEMED": "The guest has come.",
        "COMPLETED": "The guest has been there.",
        "NO_SHOW": "The guest did not come.",
    },
)

described(
    BookingEventKind,
    description="What happened to a booking.",
    values={
        "HELD": "It was made, and its places are kept.",
        "EXTENDED": "The end of the hold was moved.",
        "CHECKOUT": "Its guest began to pay, and has time to.",
        "SUBMITTED": "It was confirmed by the guest, and waits for the venue's approval.",
        "CONFIRMED": "It was confirmed.",
        "CONFIRMED_LATE": "It was paid when its hold had ended, and its places were still free.",
        "APPROVED": "The venue approved.",
        "REJECTED": "The venue did not approve.",
        "RELEASED": "The hold was given up.",
        "CANCELLED": "It was cancelled.",
        "EXPIRED": "The hold ended by itself, or the venue did not approve in time.",
        "CHANGED": "It is of something else now.",
        "ITEM_CANCELLED": "A part of it was cancelled.",
    },
)

described(
    PaymentStatus,
    description="How far paying a booking online is.",
    values={
        "NONE": "Nobody has begun to pay.",
        "REQUIRES_PAYMENT": "Begun, and not paid; or the payment provider is still at it.",
        "REQUIRES_ACTION": "The guest's bank wants them to authenticate.",
        "AUTHORIZED": "The money is held, and not taken yet.",
        "CAPTURED": "The money was taken.",
        "PARTIALLY_REFUNDED": "A part of what was taken was given back.",
        "REFUNDED": "All that was taken was given back.",
        "VOIDED": "What was begun has ended; nothing was taken.",
        "FAILED": "The last attempt has failed; another may be made.",
    },
)

described(
    PaymentEventKind,
    description="What was asked of the payment provider, or came from it.",
    values={
        "AUTHORIZE": "To hold the guest's money; or to take it at once, where the way to pay can not hold it.",
        "CAPTURE": "To take what is held.",
        "VOID": "To let go of what is held, or to end what was begun.",
        "REFUND": "To give back what was taken.",
        "DISPUTE": (
            "The guest's bank wants it back: REQUESTED, that is open; SUCCEEDED, it is gone; FAILED, it is the "
            "venue's again."
        ),
    },
)

described(
    PaymentOutcome,
    description="What came of it.",
    values={"REQUESTED": "It is to be done.", "SUCCEEDED": "It is done.", "FAILED": "It could not be done."},
)

described(
    WaitlistStatus,
    description="Where an entry of a waitlist stands. ACCEPTED, LEFT, EXPIRED and LAPSED are final.",
    values={
        "WAITING": "Nothing is offered to it now.",
        "OFFERED": "A booking is ON_HOLD for it, and waits to be confirmed.",
        "ACCEPTED": "That booking was confirmed.",
        "LEFT": "It waits no more: somebody said so, or gave up what was offered.",
        "EXPIRED": "It has let as many offers run out as are made.",
        "LAPSED": "The time that was waited for has come, without an offer.",
    },
)

described(
    BookingRuleScope,
    description="What a rule, rate plan, price rule, tax or cancellation policy is set for.",
    values={
        "RESOURCE": "One resource; it goes before what is set for its venue.",
        "VENUE": "All resources of the venue; a rule, all that its type has a say on.",
    },
)

described(
    TaxCollection,
    description="When a tax is paid.",
    values={"NOW": "With the booking.", "AT_VENUE": "By the guest, at the venue."},
)

described(
    Role,
    description="What somebody may do, from least to most, within their organization.",
    values={
        "GUEST": "No account: what is public, and what a booking's token opens.",
        "CUSTOMER": "Their own bookings.",
        "PARTNER": "The bookings that they made.",
        "STAFF": "All bookings of the organization, its capacity and closings, and what is not published yet.",
        "MANAGER": "Its venues, resources, rules, prices, taxes and cancellation policies as well.",
        "OPERATOR": "The platform's own people: any organization.",
    },
)
