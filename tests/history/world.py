"""What is booked in a run: few places of every kind of sharing, holds of a second or two, a few days."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.database import connect
from models.resource import Sharing
from schema.global_id import GlobalKind, encode
from tests.support.factories import make_choices, make_requirement, make_resource, make_venue

DAYS_AHEAD = 30
DAYS = 2
SLOTS = 6
"""Of each day."""

SLOT = timedelta(hours=1)
APPROVED = {"APPROVAL_REQUIRED": {"withinHours": 1}}


@dataclass(frozen=True, slots=True)
class Place:
    """A resource, as those who book it know it."""

    id: str
    capacity: int
    activities: tuple[str | None, ...] = (None,)
    is_alone: bool = True
    """It requires no other, and takes of no other."""
    is_pool: bool = False
    """Any k of others."""
    is_approved: bool = False
    """The venue has to approve."""


@dataclass(frozen=True, slots=True)
class World:
    """One organization and its resources."""

    organization_id: uuid.UUID
    places: tuple[Place, ...]
    dawn: datetime
    """When the first slot begins."""

    def resource(self, id: str) -> str:
        """The resource's id as clients know it."""
        return encode(GlobalKind.RESOURCE, self.organization_id, uuid.UUID(id))

    def booking(self, id: str) -> str:
        """The booking's id as clients know it."""
        return encode(GlobalKind.BOOKING, self.organization_id, uuid.UUID(id))

    def series(self, id: str) -> str:
        """The series' id as clients know it."""
        return encode(GlobalKind.SERIES, self.organization_id, uuid.UUID(id))

    def entry(self, id: str) -> str:
        """The id of a waitlist's entry as clients know it."""
        return encode(GlobalKind.WAITLIST_ENTRY, self.organization_id, uuid.UUID(id))

    def place(self, id: str) -> Place:
        """The place with this id."""
        return next(place for place in self.places if place.id == id)

    def is_approved(self, id: str) -> bool:
        """Whether the venue has to approve a booking of this resource."""
        return any(place.is_approved for place in self.places if place.id == id)

    @property
    def days(self) -> dict[str, str]:
        """The window of all slots of all days."""
        return {"startsAt": self.window(0, 1)["startsAt"], "endsAt": self.window(0, SLOTS, day=DAYS - 1)["endsAt"]}

    def window(self, first: int, last: int, *, day: int = 0) -> dict[str, str]:
        """From the beginning of one slot of a day to the beginning of another."""
        dawn = self.dawn + timedelta(days=day)
        return {"startsAt": (dawn + first * SLOT).isoformat(), "endsAt": (dawn + last * SLOT).isoformat()}


async def make_world(app_url: str) -> World:
    """Of every kind one: what many share, a tour that takes of two others, what is for a party, or for an activity;
    what the venue approves; and any k of three, one of which is for nothing else.
    """
    database = await connect(app_url, pool_size=1)
    try:
        venue = await make_venue(database, time_zone="UTC")
        hall = await make_resource(database, venue=venue, capacity=3, hold_seconds=2, hold_ceiling_seconds=5)
        guide = await make_resource(database, venue=venue, capacity=2, hold_seconds=1, hold_ceiling_seconds=3)
        tour = await make_resource(database, venue=venue, capacity=4, hold_seconds=1, hold_ceiling_seconds=3)
        await make_requirement(database, tour, hall, per_unit=1)
        await make_requirement(database, tour, guide, per_booking=1)
        room = await make_resource(
            database, venue=venue, capacity=2, sharing=Sharing.EXCLUSIVE, hold_seconds=1, hold_ceiling_seconds=3
        )
        pool = await make_resource(
            database, venue=venue, capacity=3, sharing=Sharing.SAME_ACTIVITY, hold_seconds=2, hold_ceiling_seconds=5
        )
        study = await make_resource(
            database, venue=venue, capacity=2, hold_seconds=1, hold_ceiling_seconds=3, rules=APPROVED
        )
        cabin = await make_resource(database, venue=venue, capacity=1, hold_seconds=1, hold_ceiling_seconds=3)
        lodge = await make_resource(database, venue=venue, capacity=3, hold_seconds=1, hold_ceiling_seconds=3)
        await make_choices(database, lodge, guide, room, cabin)
    finally:
        await database.close()
    places = (
        Place(str(hall.id), hall.capacity),
        Place(str(guide.id), guide.capacity),
        Place(str(tour.id), tour.capacity, is_alone=False),
        Place(str(room.id), room.capacity),
        Place(str(pool.id), pool.capacity, ("yoga", "polo", None)),
        Place(str(study.id), study.capacity, is_approved=True),
        Place(str(lodge.id), lodge.capacity, is_alone=False, is_pool=True),
        Place(str(cabin.id), cabin.capacity),
    )
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return World(venue.organization_id, places, noon + timedelta(days=DAYS_AHEAD))
