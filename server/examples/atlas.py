"""Atlas, shared spaces in Algiers: desks, a pool, meeting rooms, a class. Its weekend is Friday and Saturday."""

from collections.abc import Iterator
from datetime import date

from engine.rules.opening_hours import Hours, OpeningHours
from engine.rules.session_times import Session, SessionTimes
from engine.rules.start_grid import StartGrid
from models import civil
from models.resource import AvailabilityType, Sharing
from server.examples.kinds import (
    Example,
    ExampleAdjustment,
    ExampleBooking,
    ExampleResource,
    ExampleVenue,
    Need,
    Outcome,
)
from server.examples.policies import SPACES
from server.examples.prices import SPACES_RULES, hourly, ticket, whole
from server.examples.sheet import Sheet
from server.examples.taxes import ALGIERS_SPACES

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(1, 8)
WORKING_DAYS = (SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY)

DESKS = 40
LANES = 6
YOGA_PLACES = 14
ROOMS = {"meeting-room-casbah": 8, "meeting-room-djurdjura": 12, "meeting-room-hoggar": 20}
SEATS = sum(ROOMS.values())

# What the pool is for at which time of day, in minutes from midnight. Only who does the same shares it.
POOL_DAY = ((420, 540, "lap swimming"), (540, 720, "swim school"), (720, 840, "lap swimming"),
            (840, 1080, "swim school"), (1080, 1170, "aqua gym"), (1170, 1260, "lap swimming"))  # fmt: skip

YOGA_SESSIONS = (
    Session(weekday=SUNDAY, starts="18:30", duration_minutes=60),
    Session(weekday=TUESDAY, starts="07:30", duration_minutes=60),
    Session(weekday=TUESDAY, starts="18:30", duration_minutes=60),
    Session(weekday=THURSDAY, starts="18:30", duration_minutes=60),
    Session(weekday=SATURDAY, starts="10:00", duration_minutes=90),
)


def _hours(working_day: tuple[str, str], friday: tuple[str, str] | None, saturday: tuple[str, str]) -> OpeningHours:
    weekly = [Hours(weekday=day, opens=working_day[0], closes=working_day[1]) for day in WORKING_DAYS]
    weekly.append(Hours(weekday=SATURDAY, opens=saturday[0], closes=saturday[1]))
    if friday is not None:
        weekly.append(Hours(weekday=FRIDAY, opens=friday[0], closes=friday[1]))
    return OpeningHours(weekly=tuple(weekly))


HALL_HOURS = _hours(("08:00", "22:00"), ("14:00", "20:00"), ("09:00", "20:00"))
POOL_HOURS = _hours(("07:00", "21:00"), ("14:00", "20:00"), ("09:00", "20:00"))
ROOM_HOURS = _hours(("08:00", "20:00"), None, ("09:00", "18:00"))


def _bookings(day: date) -> Iterator[ExampleBooking]:
    yield from _desk_hall(day)
    yield from _pool(day)
    yield from _yoga(day)
    if _is_offsite(day):
        yield from _whole_floor(day)
    else:
        for slug, seats in ROOMS.items():
            yield from _meeting_room(day, slug, seats)


def _adjustments(day: date) -> Iterator[ExampleAdjustment]:
    if _is_pool_day_off(day):
        whole_day = civil.civil_day(day, EXAMPLE.zone)
        yield ExampleAdjustment("pool-lanes", whole_day, "Closed for the change of water.", closed=True)


def _desk_hall(day: date) -> Sheet:
    """Small parties by day, larger ones in the evening; on Tuesdays a study group takes all that is left of it."""
    sheet = _sheet("desk-hall", day, DESKS)
    opens, closes = _open_minutes(day, (480, 1320), (840, 1200), (540, 1200))
    for _ in range(2):
        starts = sheet.chance.randrange(opens, closes - 240, 30)
        sheet.enter(starts, starts + sheet.chance.choice((120, 180, 240)), sheet.chance.randint(2, 9))
    starts = sheet.chance.choice((1020, 1050, 1080))
    sheet.enter(starts, 1200, sheet.chance.randint(8, 24))
    if day.isoweekday() == TUESDAY:
        sheet.fill(1080, 1200, 12)
    elif sheet.chance.random() < 0.1:
        sheet.enter(opens, opens + 120, 1, outcome=Outcome.ON_HOLD)
    return sheet


def _pool(day: date) -> Sheet:
    """Each time of day has its activity; Monday's and Wednesday's last swim is sold out."""
    sheet = _sheet("pool-lanes", day, LANES)
    if _is_pool_day_off(day):
        return sheet
    opens, closes = _open_minutes(day, (420, 1260), (840, 1200), (540, 1200))
    for starts, ends, activity in POOL_DAY:
        starts, ends = max(starts, opens), min(ends, closes)
        if ends - starts < 60 or sheet.chance.random() < 0.5:
            continue
        if day.isoweekday() in (MONDAY, WEDNESDAY) and starts >= 1170:
            sheet.fill(starts, ends, 3, activity=activity)
        else:
            sheet.enter(starts, starts + 60, sheet.chance.randint(1, 4), activity=activity)
    return sheet


def _meeting_room(day: date, slug: str, seats: int) -> Sheet:
    """One party at a time: some days a morning, some days an afternoon. Closed on Fridays."""
    sheet = _sheet(slug, day, seats, exclusive=True)
    if day.isoweekday() == FRIDAY:
        return sheet
    for first, last in ((540, 660), (780, 900)):
        if sheet.chance.random() < 0.4:
            starts = sheet.chance.randrange(first, last + 1, 30)
            people = sheet.chance.randint(2, seats)
            sheet.enter(starts, starts + sheet.chance.choice((60, 90, 120)), people)
    return sheet


def _whole_floor(day: date) -> Sheet:
    sheet = _sheet("whole-floor", day, SEATS, exclusive=True)
    sheet.enter(540, 1020, 35, outcome=Outcome.CONFIRMED)
    return sheet


def _yoga(day: date) -> Iterator[ExampleBooking]:
    """Saturday's class is sold out; the others are half full."""
    sheet = _sheet("yoga-class", day, YOGA_PLACES)
    for session in YOGA_SESSIONS:
        if session.weekday != day.isoweekday():
            continue
        starts = int(session.starts[:2]) * 60 + int(session.starts[3:])
        ends = starts + session.duration_minutes
        if day.isoweekday() == SATURDAY:
            sheet.fill(starts, ends, 4)
        else:
            for _ in range(sheet.chance.randint(2, 4)):
                sheet.enter(starts, ends, sheet.chance.randint(1, 3))
    yield from sheet


def _sheet(slug: str, day: date, capacity: int, *, exclusive: bool = False) -> Sheet:
    return Sheet(EXAMPLE.slug, slug, day, EXAMPLE.zone, capacity, exclusive)


def _open_minutes(
    day: date, working_day: tuple[int, int], friday: tuple[int, int], saturday: tuple[int, int]
) -> tuple[int, int]:
    return {FRIDAY: friday, SATURDAY: saturday}.get(day.isoweekday(), working_day)


def _is_offsite(day: date) -> bool:
    """Every second Monday one company has the whole floor."""
    return day.isoweekday() == MONDAY and day.toordinal() // 7 % 2 == 0


def _is_pool_day_off(day: date) -> bool:
    """Every fourth Sunday."""
    return day.isoweekday() == SUNDAY and day.toordinal() // 7 % 4 == 0


def _meeting_rooms() -> Iterator[ExampleResource]:
    names = {"meeting-room-casbah": "Casbah", "meeting-room-djurdjura": "Djurdjura", "meeting-room-hoggar": "Hoggar"}
    for slug, seats in ROOMS.items():
        yield ExampleResource(
            slug=slug,
            name=f"Meeting room {names[slug]}",
            description=f"A closed room with {seats} seats and a screen, for one party at a time.",
            availability_type=AvailabilityType.OPENING_HOURS,
            capacity=seats,
            sharing=Sharing.EXCLUSIVE,
            rules=(ROOM_HOURS, StartGrid(minutes=30)),
            plans=whole(250_00 * seats),
        )


EXAMPLE = Example(
    slug="atlas",
    name="Atlas Shared Spaces",
    venue=ExampleVenue(
        slug="atlas-algiers",
        name="Atlas Algiers",
        description="Desks, meeting rooms, a pool and classes above the bay. Closed, or open late, on Fridays.",
        time_zone="Africa/Algiers",
        currency="DZD",
        country="DZ",
    ),
    resources=(
        ExampleResource(
            slug="desk-hall",
            name="Desk hall",
            description="Forty desks in one bright hall. Take as many as you need, for as long as you like.",
            availability_type=AvailabilityType.OPENING_HOURS,
            capacity=DESKS,
            rules=(HALL_HOURS, StartGrid(minutes=30)),
            plans=hourly(150_00, minutes=30),
        ),
        ExampleResource(
            slug="pool-lanes",
            name="Pool lanes",
            description="Six lanes of 25 metres. Say what you come for (lap swimming, aqua gym, swim school): "
            "the pool is shared only by those who do the same.",
            availability_type=AvailabilityType.OPENING_HOURS,
            capacity=LANES,
            sharing=Sharing.SAME_ACTIVITY,
            rules=(POOL_HOURS, StartGrid(minutes=30)),
            plans=hourly(400_00, minutes=30),
        ),
        *_meeting_rooms(),
        ExampleResource(
            slug="yoga-class",
            name="Yoga class",
            description="An hour of yoga for all levels, mats included; on Saturdays an hour and a half.",
            availability_type=AvailabilityType.START_TIME,
            capacity=YOGA_PLACES,
            rules=(SessionTimes(weekly=YOGA_SESSIONS),),
            plans=ticket(900_00),
        ),
        ExampleResource(
            slug="whole-floor",
            name="Whole floor",
            description="All three meeting rooms for one party of up to forty. The desk hall stays open to others.",
            availability_type=AvailabilityType.OPENING_HOURS,
            capacity=SEATS,
            sharing=Sharing.EXCLUSIVE,
            rules=(ROOM_HOURS, StartGrid(minutes=60)),
            needs=tuple(Need(slug, per_booking=seats) for slug, seats in ROOMS.items()),
            plans=whole(9_000_00),
        ),
    ),
    bookings=_bookings,
    taxes=ALGIERS_SPACES,
    policies=SPACES,
    price_rules=SPACES_RULES,
    adjustments=_adjustments,
)
