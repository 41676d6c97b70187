"""Error codes, and what each means. A code that is published keeps its meaning for good."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why something was refused, for programs."""

    SOLD_OUT = "SOLD_OUT"
    CLOSED = "CLOSED"
    RULE_VIOLATION = "RULE_VIOLATION"
    OUTSIDE_OPENING_HOURS = "OUTSIDE_OPENING_HOURS"
    TOO_SOON = "TOO_SOON"
    TOO_FAR = "TOO_FAR"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    OFF_GRID = "OFF_GRID"
    PARTY_TOO_SMALL = "PARTY_TOO_SMALL"
    PARTY_TOO_LARGE = "PARTY_TOO_LARGE"
    STAY_TOO_SHORT = "STAY_TOO_SHORT"
    STAY_TOO_LONG = "STAY_TOO_LONG"
    CLOSED_TO_ARRIVAL = "CLOSED_TO_ARRIVAL"
    CLOSED_TO_DEPARTURE = "CLOSED_TO_DEPARTURE"
    LENGTH_NOT_OFFERED = "LENGTH_NOT_OFFERED"
    GUESTS_REQUIRED = "GUESTS_REQUIRED"
    GUESTS_NOT_ALLOWED = "GUESTS_NOT_ALLOWED"
    ACTIVITY_CONFLICT = "ACTIVITY_CONFLICT"
    CUSTOMER_OVERLAP = "CUSTOMER_OVERLAP"
    CUSTOMER_LIMIT = "CUSTOMER_LIMIT"
    PACING_LIMIT = "PACING_LIMIT"
    GAP_LEFT = "GAP_LEFT"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    HOLD_LIMIT = "HOLD_LIMIT"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    INVALID_INPUT = "INVALID_INPUT"
    INVALID_TIME = "INVALID_TIME"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    BUSY = "BUSY"
    RATE_LIMITED = "RATE_LIMITED"
    PRICE_CHANGED = "PRICE_CHANGED"
    PRICE_UNAVAILABLE = "PRICE_UNAVAILABLE"
    PROMO_CODE_INVALID = "PROMO_CODE_INVALID"
    TAX_UNAVAILABLE = "TAX_UNAVAILABLE"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PAYMENT_REQUIRED = "PAYMENT_REQUIRED"
    PAYMENT_UNAVAILABLE = "PAYMENT_UNAVAILABLE"
    NOTHING_DUE = "NOTHING_DUE"
    NOT_CANCELLABLE = "NOT_CANCELLABLE"
    INVALID_STATE = "INVALID_STATE"
    CAPACITY_IN_USE = "CAPACITY_IN_USE"
    WAITLIST_FULL = "WAITLIST_FULL"
    SLOW_CONSUMER = "SLOW_CONSUMER"
    INTERNAL = "INTERNAL"


MEANINGS: dict[str, str] = {
    "SOLD_OUT": "Less than the asked quantity is left at some instant of the interval.",
    "CLOSED": "The resource is closed at some instant of the interval: it takes no new bookings there.",
    "RULE_VIOLATION": "A rule of the venue refuses, one that has no code of its own.",
    "OUTSIDE_OPENING_HOURS": "Not within the opening hours from the first to the last instant.",
    "TOO_SOON": "Begins in the past, or sooner than is allowed.",
    "TOO_FAR": "Begins later than can be booked yet; never more than 730 days ahead.",
    "TOO_SHORT": "Shorter than is allowed.",
    "TOO_LONG": "Longer than is allowed; never more than 366 days.",
    "OFF_GRID": "Does not start at one of the times at which bookings start, or is no session.",
    "PARTY_TOO_SMALL": "Fewer people than are allowed.",
    "PARTY_TOO_LARGE": "More people than are allowed.",
    "STAY_TOO_SHORT": "Fewer nights than are allowed.",
    "STAY_TOO_LONG": "More nights than are allowed.",
    "CLOSED_TO_ARRIVAL": "No arrivals on this day.",
    "CLOSED_TO_DEPARTURE": "No departures on this day.",
    "LENGTH_NOT_OFFERED": "Neither too short nor too long, but not one of the lengths that can be booked.",
    "GUESTS_REQUIRED": "The guests, or the ages of some, are to be told.",
    "GUESTS_NOT_ALLOWED": "Guests of a type or age that may not come, or children without enough adults.",
    "ACTIVITY_CONFLICT": "Another party is there, and may not be joined.",
    "CUSTOMER_OVERLAP": "The customer has another booking at that time.",
    "CUSTOMER_LIMIT": "The customer has as many bookings as are allowed.",
    "PACING_LIMIT": "As many arrive at about that time as are allowed, though there is room.",
    "GAP_LEFT": "It would leave free nights beside it that are too few to be booked.",
    "HOLD_EXPIRED": "The hold is over, and its place may be somebody else's: hold again.",
    "HOLD_LIMIT": "The hold can not be extended any further.",
    "VERSION_CONFLICT": "It changed since the version that was expected: look again, and decide again.",
    "IDEMPOTENCY_CONFLICT": "The idempotency key was used before for another request: take a fresh one.",
    "INVALID_INPUT": "The request makes no sense as it stands; the message says what to mend.",
    "INVALID_TIME": "A local time that does not exist on that day in the venue's zone.",
    "NOT_FOUND": "Nothing under this id that the caller may see. Unknown, foreign and malformed ids look alike.",
    "FORBIDDEN": "Somebody is signed in, but may not do this.",
    "UNAUTHENTICATED": "Needs an account, or the token of the booking, series or waitlist entry.",
    "BUSY": (
        "Too much at once, or no answer in time: it may have been done or not. Repeat the same call with the same key: "
        "it has one effect."
    ),
    "RATE_LIMITED": "Too many calls: wait a little.",
    "PRICE_CHANGED": "The price is not the one that was expected, or its quote is over.",
    "PRICE_UNAVAILABLE": "What it costs can not be told: no price is set for that day, or what is set can not be read.",
    "PROMO_CODE_INVALID": "There is no such promo code, it is not valid now, or it was used as often as it may be.",
    "TAX_UNAVAILABLE": "The tax provider does not answer just now, and no price is told without its tax: ask again.",
    "PAYMENT_DECLINED": "The last attempt to pay has failed: try another way to pay.",
    "PAYMENT_REQUIRED": "Something is to be paid first: bookingCheckout.",
    "PAYMENT_UNAVAILABLE": "Money can not be collected now, or is not collected online here.",
    "NOTHING_DUE": "Nothing is to be paid now: a hold is confirmed by bookingConfirm.",
    "NOT_CANCELLABLE": "The booking can not be cancelled any more.",
    "INVALID_STATE": "The booking's status does not allow this.",
    "CAPACITY_IN_USE": "Capacity would fall below what is booked; the bookings in the way are named.",
    "WAITLIST_FULL": "Nobody more can wait for this resource, or this party not more often.",
    "SLOW_CONSUMER": "The subscription was ended since its messages were not read in time: subscribe again.",
    "INTERNAL": "A defect on our side. It is logged under the incident that the error names.",
}


def code_of(code: str) -> ErrorCode:
    """The code for clients: a rule of another package may have one that the contract does not know."""
    return ErrorCode(code) if code in MEANINGS else ErrorCode.RULE_VIOLATION
