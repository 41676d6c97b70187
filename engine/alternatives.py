"""What else could be booked, when a wish can not."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

from engine.availability import SlotAnswer, Wish, answer_to, hull, interval_of, night_of, request_of
from engine.facts import ResourceFacts
from engine.reading import NOBODY, CountsLoader, TimelineLoader, read
from models import civil
from models.errors import BookingError
from models.interval import Interval
from models.resource import AvailabilityType

ALTERNATIVES_MAX = 10
NIGHTS_AROUND = 14
SESSION_DAYS_AROUND = 14
OPENING_DAYS_AROUND = 3


async def alternatives(
    facts: ResourceFacts,
    wish: Wish,
    *,
    first: int = 3,
    load: TimelineLoader,
    counts: CountsLoader = NOBODY,
    now: datetime,
) -> list[SlotAnswer]:
    """The bookable times of the same resource and length that begin nearest to the wish, nearest first, at most ten.

    Looked for within 14 days on either side (3 where any time of the opening hours will do).
    """
    interval = interval_of(facts, wish)
    around = [(interval_of(facts, other), other) for other in _wishes_around(facts, wish, interval, now)]
    requests = [request_of(other, at) for at, other in around if at != interval]
    if not requests:
        return []
    requests.sort(key=lambda other: (abs(other.interval.starts_at - interval.starts_at), other.interval))
    reading = await read(facts, hull([each.interval for each in requests]), load=load, counts=counts, now=now)
    # One by one: what is nearest can mostly be booked, and there may be two thousand.
    answers = (answer_to(reading, request, reading.left(request)) for request in requests)
    return list(islice((answer for answer in answers if answer.bookable), max(0, min(first, ALTERNATIVES_MAX))))


def _wishes_around(facts: ResourceFacts, wish: Wish, interval: Interval, now: datetime) -> list[Wish]:
    if wish.stay is not None:
        return _stays_around(facts, wish, wish.stay, now)
    kind = facts.resource.availability_type
    around = timedelta(days=SESSION_DAYS_AROUND if kind == AvailabilityType.START_TIME else OPENING_DAYS_AROUND)
    starts_at, ends_at = max(now, interval.starts_at - around), interval.starts_at + around
    if starts_at >= ends_at:
        return []
    minutes = -(interval.duration // -timedelta(minutes=1)) if kind == AvailabilityType.OPENING_HOURS else None
    try:
        found = facts.rules.slots(Interval(starts_at, ends_at), minutes, facts.zone)
    except BookingError:  # what was asked for is out of any bound, and so is all around it
        return []
    return [replace(wish, window=other) for other in found]


def _stays_around(facts: ResourceFacts, wish: Wish, stay: tuple[date, date], now: datetime) -> list[Wish]:
    arrival, nights = stay[0], (stay[1] - stay[0]).days
    today = civil.local_day(now, facts.zone)
    found = []
    for days in range(-NIGHTS_AROUND, NIGHTS_AROUND + 1):
        other = arrival + timedelta(days=days)
        if other < today:
            continue
        try:
            night_of(facts, other, other + timedelta(days=nights))
        except BookingError:  # the clocks skip check-in or check-out on that day
            continue
        found.append(replace(wish, stay=(other, other + timedelta(days=nights))))
    return found
