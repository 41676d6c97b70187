"""What an example is made of."""

import hashlib
import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from engine.cancellation.policy import Policy
from engine.holds import REFERENCE_ALPHABET, REFERENCE_SYMBOLS
from engine.pricing.base import PriceRule
from engine.pricing.plans import RatePlan
from engine.rules.base import Rule
from engine.taxes.base import Tax
from models import civil
from models.interval import Interval
from models.ledger.requests import BookingAction, Contact
from models.resource import AvailabilityType, Sharing

NAMESPACE = uuid.UUID("8f0c1f5e-6d0b-5c2a-9a55-0f6f1c6f5a10")
"""Of every id below: an example has the same ids on every machine, so that what is written of it can name them."""

ACTOR = "example-data"
"""Who did all this, in the history of a booking."""

# Longer than any example looks ahead, so that an example booking never seems made after one that a person made.
MADE_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class ExampleVenue:
    """The one venue of an example."""

    slug: str
    name: str
    description: str
    time_zone: str
    currency: str
    country: str
    check_in_time: time | None = None
    check_out_time: time | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A booking also takes `per_unit × quantity + per_booking` of the resource with this slug."""

    slug: str
    per_unit: int = 0
    per_booking: int = 0


@dataclass(frozen=True, slots=True)
class ExamplePlan:
    """A rate plan of a resource, or of the venue."""

    code: str
    name: str
    plan: RatePlan


@dataclass(frozen=True, slots=True)
class ExamplePriceRule:
    """A price rule of the venue, as guests read its name. `key` tells apart those of one kind."""

    name: str
    rule: PriceRule
    key: str = ""


@dataclass(frozen=True, slots=True)
class ExampleResource:
    """What can be booked. Resources that others need come before those that need them."""

    slug: str
    name: str
    description: str
    availability_type: AvailabilityType
    capacity: int
    sharing: Sharing = Sharing.SHARED
    rules: tuple[Rule, ...] = ()
    needs: tuple[Need, ...] = ()
    plans: tuple[ExamplePlan, ...] = ()


@dataclass(frozen=True, slots=True)
class ExampleTax:
    """A tax of the venue, as guests read its name; on [valid_from, valid_until)."""

    name: str
    tax: Tax
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class ExamplePolicy:
    """A cancellation policy of the venue."""

    code: str
    name: str
    policy: Policy


class Outcome(Enum):
    """What became of a booking."""

    ON_HOLD = "ON_HOLD"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"

    @property
    def actions(self) -> tuple[BookingAction, ...]:
        """What was done to it after it was held, in order."""
        done = {
            Outcome.ON_HOLD: (),
            Outcome.CONFIRMED: (BookingAction.CONFIRM,),
            Outcome.CANCELLED: (BookingAction.CONFIRM, BookingAction.CANCEL),
        }
        return done[self]


@dataclass(frozen=True, slots=True)
class ExampleBooking:
    """One booking of one resource. `name` tells it apart from every other one of all examples, for good."""

    name: str
    resource: str
    interval: Interval
    quantity: int
    contact: Contact
    outcome: Outcome = Outcome.CONFIRMED
    activity: str | None = None
    customer_id: str | None = None

    @property
    def id(self) -> uuid.UUID:
        """A UUIDv7 (RFC 9562) whose time is some weeks before the booking begins, and whose rest is of the name.

        Bookings are listed in the order of their ids: whatever people book comes after these.
        """
        made_ms = int((self.interval.starts_at - MADE_BEFORE).timestamp() * 1000)
        rest = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:10], "big")
        return uuid.UUID(int=made_ms << 80 | 7 << 76 | (rest >> 64 & 0xFFF) << 64 | 2 << 62 | rest & (1 << 62) - 1)

    @property
    def reference(self) -> str:
        """In the form of `engine.holds.new_reference`. Not a secret, as a guest's is: these guests do not exist."""
        symbols = random.Random(f"reference {self.name}").choices(REFERENCE_ALPHABET, k=REFERENCE_SYMBOLS)
        return "-".join("".join(symbols[n : n + 4]) for n in range(0, REFERENCE_SYMBOLS, 4))


@dataclass(frozen=True, slots=True)
class ExampleAdjustment:
    """Capacity, or closed, over an interval; one of the two is set."""

    resource: str
    interval: Interval
    reason: str
    capacity: int | None = None
    closed: bool | None = None


def nothing_on(day: date) -> Iterable[ExampleAdjustment]:
    """No adjustments, ever."""
    return ()


@dataclass(frozen=True)
class Example:
    """An organization with one venue. `bookings(day)` are those that begin on a civil day of the venue, or are laid out
    from it on; `adjustments(day)` those that begin on it. Over all days, all of them fit.
    """

    slug: str
    name: str
    venue: ExampleVenue
    resources: tuple[ExampleResource, ...]
    bookings: Callable[[date], Iterable[ExampleBooking]]
    adjustments: Callable[[date], Iterable[ExampleAdjustment]] = field(default=nothing_on)
    taxes: tuple[ExampleTax, ...] = ()
    policies: tuple[ExamplePolicy, ...] = ()
    plans: tuple[ExamplePlan, ...] = ()
    price_rules: tuple[ExamplePriceRule, ...] = ()

    @property
    def id(self) -> uuid.UUID:
        return uuid.uuid5(NAMESPACE, self.slug)

    @property
    def venue_id(self) -> uuid.UUID:
        return uuid.uuid5(NAMESPACE, f"{self.slug}/{self.venue.slug}")

    def resource_id(self, slug: str) -> uuid.UUID:
        return uuid.uuid5(NAMESPACE, f"{self.slug}/{self.venue.slug}/{slug}")

    @property
    def zone(self) -> ZoneInfo:
        return civil.zone(self.venue.time_zone)

    def today(self, now: datetime) -> date:
        """The civil day that it is at the venue."""
        return civil.local_day(now, self.zone)
