"""Casa do Mirante, a guesthouse in Lisbon: four kinds of rooms by the night, and the whole house."""

import random
from collections.abc import Iterator
from datetime import date, time, timedelta

from models import civil
from models.interval import Interval
from models.resource import AvailabilityType
from server.examples.guests import guest
from server.examples.kinds import Example, ExampleBooking, ExampleResource, ExampleVenue, Need, Outcome
from server.examples.policies import GUESTHOUSE
from server.examples.prices import GUESTHOUSE_RULES, NON_REFUNDABLE, nightly
from server.examples.sheet import CANCELLED_SHARE
from server.examples.taxes import LISBON_GUESTHOUSE

MONDAY, TUESDAY, FRIDAY, SATURDAY = 1, 2, 5, 6

ROOMS = {"double-room": 4, "twin-room": 2, "family-room": 2, "single-room": 3}
HOUSE = "whole-house"

STRETCH_NIGHTS = 7
STAY_NIGHTS_MAX = 4
TAKEN_SHARE = 0.55
TAKEN_SHARE_WEEKEND = 0.85


def _bookings(day: date) -> Iterator[ExampleBooking]:
    if _is_party(day):
        yield _booking(HOUSE, 0, day, nights=2, outcome=Outcome.CONFIRMED)
    for slug, rooms in ROOMS.items():
        for room in range(rooms):
            yield from _stretch(slug, room, day)


def _stretch(slug: str, room: int, day: date) -> Iterator[ExampleBooking]:
    """The stays in one room over the seven nights from `day` on, if it is the room's day on which they are laid out.

    Stretches of a room meet and never overlap, so a room has one party a night however many days are asked for; the
    rooms take turns, so that the house is never empty on one day.
    """
    turn = sum(map(ord, slug)) + room
    if (day.toordinal() + turn) % STRETCH_NIGHTS:
        return
    chance = random.Random(f"{EXAMPLE.slug} {slug} {room} {day}")
    arrival, end = day, day + timedelta(days=STRETCH_NIGHTS)
    while arrival < end:
        nights = _free_nights(arrival, min(end, arrival + timedelta(days=chance.randint(1, STAY_NIGHTS_MAX))))
        weekend = arrival.isoweekday() in (FRIDAY, SATURDAY)
        taken = chance.random() < (TAKEN_SHARE_WEEKEND if weekend else TAKEN_SHARE)
        if taken and nights:
            outcome = Outcome.CANCELLED if chance.random() < CANCELLED_SHARE else Outcome.CONFIRMED
            yield _booking(slug, room, arrival, nights=nights, outcome=outcome)
        arrival += timedelta(days=nights if taken and nights else 1)


def _free_nights(arrival: date, departure: date) -> int:
    """The nights from arrival on, up to departure, before one on which no single room is taken."""
    nights = 0
    while (night := arrival + timedelta(days=nights)) < departure and not (_is_party_night(night) or _is_quiet(night)):
        nights += 1
    return nights


def _is_party(day: date) -> bool:
    """Every fourth Friday somebody has taken the whole house for the weekend."""
    return day.isoweekday() == FRIDAY and day.toordinal() // 7 % 4 == 0


def _is_quiet(night: date) -> bool:
    """Every second week there is nobody on Monday and Tuesday: the whole house can be had."""
    return night.isoweekday() in (MONDAY, TUESDAY) and night.toordinal() // 7 % 2 == 1


def _is_party_night(night: date) -> bool:
    return _is_party(night) or _is_party(night - timedelta(days=1))


def _booking(slug: str, room: int, arrival: date, *, nights: int, outcome: Outcome) -> ExampleBooking:
    name = f"{EXAMPLE.slug}/{slug}/{arrival}/{room}"
    contact, customer_id = guest(random.Random(f"guest {name}"))
    return ExampleBooking(
        name=name,
        resource=slug,
        interval=_nights(arrival, nights),
        quantity=1,
        contact=contact,
        outcome=outcome,
        customer_id=customer_id,
    )


def _nights(arrival: date, nights: int) -> Interval:
    venue = EXAMPLE.venue
    assert venue.check_in_time is not None
    assert venue.check_out_time is not None
    departure = arrival + timedelta(days=nights)
    return civil.night(arrival, departure, venue.check_in_time, venue.check_out_time, EXAMPLE.zone)


# Of a night, and for how many guests.
PRICES = {
    "double-room": (95_00, 2),
    "twin-room": (88_00, 2),
    "family-room": (135_00, 4),
    "single-room": (62_00, 1),
}


def _room(slug: str, name: str, description: str) -> ExampleResource:
    return ExampleResource(
        slug=slug,
        name=name,
        description=description,
        availability_type=AvailabilityType.NIGHTLY,
        capacity=ROOMS[slug],
        plans=nightly(*PRICES[slug]),
    )


EXAMPLE = Example(
    slug="mirante",
    name="Casa do Mirante",
    venue=ExampleVenue(
        slug="casa-do-mirante",
        name="Casa do Mirante",
        description="A guesthouse of eleven rooms in Graça, with the river at the end of the street.",
        time_zone="Europe/Lisbon",
        currency="EUR",
        country="PT",
        check_in_time=time(15),
        check_out_time=time(11),
    ),
    resources=(
        _room("double-room", "Double room", "One wide bed and a window on the garden. There are four."),
        _room("twin-room", "Twin room", "Two beds under the roof. There are two."),
        _room("family-room", "Family room", "A double bed, two small ones, and a balcony. There are two."),
        _room("single-room", "Single room", "One bed, one desk, quiet. There are three."),
        ExampleResource(
            slug=HOUSE,
            name="Whole house",
            description="All eleven rooms for one party, with the kitchen and the terrace.",
            availability_type=AvailabilityType.NIGHTLY,
            capacity=1,
            needs=tuple(Need(slug, per_booking=rooms) for slug, rooms in ROOMS.items()),
            plans=nightly(980_00, 22),
        ),
    ),
    bookings=_bookings,
    taxes=LISBON_GUESTHOUSE,
    policies=GUESTHOUSE,
    plans=NON_REFUNDABLE,
    price_rules=GUESTHOUSE_RULES,
)
