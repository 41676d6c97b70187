"""Three kinds of resources on which every kind of rule is set that has a say on them, and what is booked of them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import asyncpg

from benchmarks.claims import load_at
from engine.rules.base import GuestCount
from engine.rules.registry import BUILT_IN
from engine.viewer import Role, Viewer
from models import civil
from models.database import Database
from models.interval import Interval
from models.resource import AvailabilityType, BookingRule, Resource
from models.venue import Venue
from tests.support.factories import make_venue, random_slug

RESOURCES: Final = 100
BOOKINGS_OF_EACH: Final = 40  # in the month that is asked for
BOOKINGS_OF_CUSTOMER: Final = 20
MONTH_DAYS: Final = 31
AHEAD_DAYS: Final = 2
CAPACITY: Final = 40
CUSTOMER: Final = "ada"
"""The subject of the customer who asks."""

GUESTS: Final = (GuestCount("ADULT", 2), GuestCount("CHILD", 1, (7,)))
ACTIVITY: Final = "laps"
ZONE: Final = civil.zone("Europe/Lisbon")
CHECK_IN, CHECK_OUT = time(15), time(11)

EVERY_DAY: Final = range(1, 8)
SESSION_STARTS: Final = ("08:00", "10:00", "12:00", "16:00", "18:00", "20:00")
NEVER: Final = {"dates": ["2020-01-01"]}
_PAST: Final = {"from": "2020-01-01", "until": "2020-01-03"}
PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "OPENING_HOURS": {
        "weekly": [{"weekday": day, "opens": "08:00", "closes": "22:00"} for day in EVERY_DAY],
        "exceptions": [{"date": f"20{year}-12-25", "hours": []} for year in range(26, 36)],
    },
    "START_GRID": {"minutes": 30},
    "SESSION_TIMES": {
        "weekly": [
            {"weekday": day, "starts": starts, "durationMinutes": 90} for day in EVERY_DAY for starts in SESSION_STARTS
        ]
    },
    "BLACKOUT": _PAST,
    "STOP_SELL": NEVER,
    "NOTICE": {"minDays": 1, "cutOffTime": "18:00", "maxDays": 365},
    "DURATION": {"minMinutes": 60, "maxMinutes": 240, "stepMinutes": 30},
    "PARTY_SIZE": {"min": 1, "max": 12},
    "GUEST_TYPES": {
        "types": [
            {"type": "ADULT", "min": 1, "minAge": 16, "isAdult": True},
            {"type": "CHILD", "minAge": 3, "maxAge": 15, "agesRequired": True},
        ],
        "childrenPerAdult": 3,
    },
    "ACTIVITIES": {"activities": [{"name": ACTIVITY, "group": "quiet"}, {"name": "polo"}], "required": True},
    "STAY_LENGTH": {"minNights": 2, "maxNights": 60},
    "STAY_THROUGH": {"minNights": 2},
    "CLOSED_TO_ARRIVAL": NEVER,
    "CLOSED_TO_DEPARTURE": NEVER,
    "CUSTOMER_LIMIT": {"max": 100, "scope": "ORGANIZATION"},
    "NO_OVERLAP": {"scope": "ORGANIZATION"},
    "PACING": {"minutes": 30, "max": 30, "of": "GUESTS"},
    "CAPACITY_SHARE": {"percent": 50},
    "GAP": {"nights": 2},
    "BUFFERS": {"beforeMinutes": 10, "afterMinutes": 15},
    "APPROVAL_REQUIRED": {"withinHours": 24},
}
"""Of every built-in kind, else its example is taken. They let the requests pass: then each rule is asked in full."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A hundred halls by the hour, a hundred rooms by the night, and a class, with the month that is asked for."""

    halls: Sequence[Resource]
    rooms: Sequence[Resource]
    yoga: Resource
    customer: Viewer
    first: date
    last: date

    @property
    def stay(self) -> tuple[date, date]:
        """As many nights as the month has."""
        return self.first, self.last


async def ruled(database: Database, owner: "asyncpg.Connection") -> Ruled:
    """The resources, with their bookings; and the customer, who has others in the month after."""
    venue = await make_venue(
        database, time_zone=ZONE.key, currency="EUR", country="PT", check_in_time=CHECK_IN, check_out_time=CHECK_OUT
    )
    first = datetime.now(UTC).date() + timedelta(days=AHEAD_DAYS)
    [yoga] = await _made(database, venue, AvailabilityType.START_TIME, 1)
    found = Ruled(
        halls=await _made(database, venue, AvailabilityType.OPENING_HOURS, RESOURCES),
        rooms=await _made(database, venue, AvailabilityType.NIGHTLY, RESOURCES),
        yoga=yoga,
        customer=Viewer(Role.CUSTOMER, venue.organization_id, CUSTOMER),
        first=first,
        last=first + timedelta(days=MONTH_DAYS),
    )
    for each in (*found.halls, found.yoga):
        await load_at(owner, each, [_some_hours(first) for _ in range(BOOKINGS_OF_EACH)])
    for each in found.rooms:
        await load_at(owner, each, [_some_nights(first) for _ in range(BOOKINGS_OF_EACH)])
    [elsewhere] = await _made(database, venue, AvailabilityType.OPENING_HOURS, 1)
    await load_at(owner, elsewhere, [_some_hours(found.last) for _ in range(BOOKINGS_OF_CUSTOMER)])
    await _booked_by(owner, found.customer, elsewhere)
    await owner.execute("VACUUM ANALYZE timeline, claim, booking, booking_item")
    return found


async def _made(database: Database, venue: Venue, kind: AvailabilityType, count: int) -> list[Resource]:
    """So many resources, alike, with every kind of rule, in one transaction."""
    rules = {type_: PARAMETERS.get(type_, rule.example) for type_, rule in BUILT_IN.items() if kind in rule.applies_to}
    made = [
        Resource(
            organization_id=venue.organization_id,
            venue_id=venue.id,
            slug=random_slug("ruled"),
            name="Ruled",
            capacity=CAPACITY,
            availability_type=kind,
        )
        for _ in range(count)
    ]
    async with database.writing(venue.organization_id) as session:
        session.add_all(made)
        await session.flush()
        session.add_all(
            BookingRule(organization_id=each.organization_id, resource_id=each.id, type=type_, parameters=dict(given))
            for each in made
            for type_, given in rules.items()
        )
    return made


async def _booked_by(owner: "asyncpg.Connection", customer: Viewer, resource: Resource) -> None:
    """All of its bookings become the customer's: rules count each of them, whatever is asked."""
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE booking SET customer_id = $1 WHERE organization_id = $2 AND id IN ("
            " SELECT booking_id FROM booking_item WHERE organization_id = $2 AND resource_id = $3)",
            customer.actor,
            resource.organization_id,
            resource.id,
        )


def _some_hours(first: date) -> Interval:
    day = first + timedelta(days=random.randrange(MONTH_DAYS))
    starts_at = civil.instant(day, time(8 + random.randrange(12), random.choice((0, 30))), ZONE)
    return Interval(starts_at, starts_at + timedelta(hours=2))


def _some_nights(first: date) -> Interval:
    arrival = first + timedelta(days=random.randrange(MONTH_DAYS))
    return civil.night(arrival, arrival + timedelta(days=random.randrange(2, 8)), CHECK_IN, CHECK_OUT, ZONE)
