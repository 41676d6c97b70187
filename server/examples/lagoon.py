"""Lagoon Kayaks, tours on Lord Howe Island, where the clocks change by half an hour."""

from collections.abc import Iterator
from datetime import date

from engine.rules.opening_hours import Hours, OpeningHours
from engine.rules.session_times import Session, SessionTimes
from engine.rules.start_grid import StartGrid
from models import civil
from models.interval import Interval
from models.resource import AvailabilityType
from server.examples.kinds import (
    Example,
    ExampleAdjustment,
    ExampleBooking,
    ExampleResource,
    ExampleVenue,
    Need,
    Outcome,
)
from server.examples.policies import TOURS
from server.examples.prices import TOUR_CHILD, TOURS_RULES, hourly, ticket
from server.examples.sheet import Sheet
from server.examples.taxes import LORD_HOWE_TOURS

TUESDAY, SATURDAY = 2, 6

KAYAKS, KAYAKS_IN_SUMMER = 8, 12
GUIDES = 2
TOUR_PLACES = 12
TOUR_MINUTES = 150
TOUR_STARTS = {"08:30": 510, "14:00": 840}
SUMMER_STARTS, SUMMER_ENDS = (12, 1), (3, 1)


def _bookings(day: date) -> Iterator[ExampleBooking]:
    """Up to one party per guide on each tour; on Saturday mornings every guide is out."""
    if day.isoweekday() == TUESDAY:
        return
    sheet = Sheet(EXAMPLE.slug, "lagoon-tour", day, EXAMPLE.zone, KAYAKS)
    for starts in TOUR_STARTS.values():
        busy = day.isoweekday() == SATURDAY and starts < 720
        for _ in range(GUIDES):
            if busy or sheet.chance.random() < 0.4:
                people = sheet.chance.randint(1, KAYAKS // GUIDES)
                sheet.enter(starts, starts + TOUR_MINUTES, people, outcome=Outcome.CONFIRMED if busy else None)
    yield from sheet


def _adjustments(day: date) -> Iterator[ExampleAdjustment]:
    if (day.month, day.day) == SUMMER_STARTS:
        summer = Interval(
            civil.civil_day(day, EXAMPLE.zone).starts_at,
            civil.civil_day(date(day.year + 1, *SUMMER_ENDS), EXAMPLE.zone).starts_at,
        )
        yield ExampleAdjustment("kayaks", summer, "Four more kayaks for the summer.", capacity=KAYAKS_IN_SUMMER)


DAYLIGHT = OpeningHours(weekly=tuple(Hours(weekday=day, opens="08:00", closes="17:00") for day in range(1, 8)))
SESSIONS = SessionTimes(
    weekly=tuple(
        Session(weekday=day, starts=starts, duration_minutes=TOUR_MINUTES)
        for day in range(1, 8)
        if day != TUESDAY
        for starts in TOUR_STARTS
    )
)

EXAMPLE = Example(
    slug="lagoon",
    name="Lagoon Kayaks",
    venue=ExampleVenue(
        slug="lagoon-kayaks",
        name="Lagoon Kayaks",
        description="Guided tours and kayaks to hire on the lagoon of Lord Howe Island. No tours on Tuesdays.",
        time_zone="Australia/Lord_Howe",
        currency="AUD",
        country="AU",
    ),
    resources=(
        ExampleResource(
            slug="kayaks",
            name="Kayaks",
            description="Single kayaks to hire by the hour; tours take theirs from the same ones.",
            availability_type=AvailabilityType.OPENING_HOURS,
            capacity=KAYAKS,
            rules=(DAYLIGHT, StartGrid(minutes=60)),
            plans=hourly(25_00),
        ),
        ExampleResource(
            slug="guides",
            name="Guides",
            description="A guide of your own, by the hour; every party on a tour has one too.",
            availability_type=AvailabilityType.OPENING_HOURS,
            capacity=GUIDES,
            rules=(DAYLIGHT, StartGrid(minutes=60)),
            plans=hourly(90_00),
        ),
        ExampleResource(
            slug="lagoon-tour",
            name="Lagoon tour",
            description="Two and a half hours over the reef: a guide for your party, and a kayak for each of you.",
            availability_type=AvailabilityType.START_TIME,
            capacity=TOUR_PLACES,
            rules=(SESSIONS,),
            plans=ticket(120_00, TOUR_CHILD),
            needs=(Need("kayaks", per_unit=1), Need("guides", per_booking=1)),
        ),
    ),
    bookings=_bookings,
    taxes=LORD_HOWE_TOURS,
    policies=TOURS,
    price_rules=TOURS_RULES,
    adjustments=_adjustments,
)
