"""Whole days: what is the best that can be had on each."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from engine.asked_prices import AskedPrices
from engine.availability import Wish, answer_to, check_quantity, hull, night_of, request_of
from engine.facts import ResourceFacts
from engine.reading import NOBODY, CountsLoader, Reading, TimelineLoader, read
from engine.rules import limits
from engine.rules.base import GuestCount, Refusal, RuleRequest
from engine.vacancies import AvailabilityStatus
from models import civil
from models.errors import InvalidInput, InvalidTime
from models.resource import AvailabilityType


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """A civil day, or the shortest stay that may begin on it: the best that can be had of it.

    `nights`: of that stay; None where nothing is sold by the night.
    """

    date: date
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    refusals: tuple[Refusal, ...]
    nights: int | None = None
    prices: AskedPrices | None = field(default=None, repr=False, compare=False)

    @property
    def bookable(self) -> bool:
        return not self.refusals


async def calendar(
    facts: ResourceFacts,
    first: date,
    last: date,
    *,
    quantity: int = 1,
    activity: str | None = None,
    guests: tuple[GuestCount, ...] | None = None,
    load: TimelineLoader,
    counts: CountsLoader = NOBODY,
    now: datetime,
) -> list[DayAnswer]:
    """One answer per civil day of [first, last), at most 366: the best slot of the day, or its shortest stay.

    Slots are as short as the rules allow. Of a day of arrival it is the shortest stay that the rules on the length and
    departure of stays allow from it on; where they allow none it is one night, with their refusals. A day on which
    nothing is offered is CLOSED. Of today, what has begun does not count. Raises InvalidInput for no days or too many,
    and for a bad quantity.
    """
    check_quantity(quantity)
    if not 1 <= (last - first).days <= limits.WINDOW_DAYS_MAX:
        raise InvalidInput(f"Ask for 1 to {limits.WINDOW_DAYS_MAX} days.", path=("to",))
    wish = Wish(quantity=quantity, activity=activity, guests=guests)
    by_day = {day: _requests_of_day(facts, day, wish) for day in civil.days(first, last)}
    offered = [request.interval for requests in by_day.values() for request in requests]
    if not offered:
        return [_nothing_on(day) for day in by_day]
    reading = await read(facts, hull(offered), load=load, counts=counts, now=now)
    return [_best_of(reading, day, requests) for day, requests in by_day.items()]


def _best_of(reading: Reading, day: date, requests: list[RuleRequest]) -> DayAnswer:
    """The day as its best slot: bookable before not, then the most vacancies; what has begun only if all has.

    Rules are asked of the emptiest slot first, and of no more once one can be booked: a year has ten thousand.
    """
    slots = [(request, reading.left(request)) for request in requests]
    coming = [slot for slot in slots if slot[0].interval.starts_at >= reading.rule_facts.now] or slots
    if not coming:
        return _nothing_on(day)
    coming.sort(key=lambda slot: -slot[1].vacancies)
    best = None
    for request, left in coming:
        if best is not None and left.vacancies < request.quantity:
            break
        answer = answer_to(reading, request, left)
        best = answer if best is None or answer.bookable else best
        if best.bookable:
            break
    assert best is not None
    stay = requests[0].stay
    nights = None if stay is None else (stay[1] - stay[0]).days
    return DayAnswer(day, best.capacity, best.vacancies, best.status, best.refusals, nights, best.prices)


def _nothing_on(day: date) -> DayAnswer:
    closed = Refusal("CLOSED", "Nothing is offered on this day.")
    return DayAnswer(day, 0, 0, AvailabilityStatus.CLOSED, (closed,))


def _requests_of_day(facts: ResourceFacts, day: date, wish: Wish) -> list[RuleRequest]:
    """What is offered on this day; nothing on a day, or for a check-in or check-out, that the clocks skip."""
    try:
        if facts.resource.availability_type == AvailabilityType.NIGHTLY:
            stay = (day, day + timedelta(days=facts.rules.shortest_stay(day) or 1))
            return [request_of(replace(wish, stay=stay), night_of(facts, *stay))]
        window = civil.civil_day(day, facts.zone)
    except InvalidTime:
        return []
    found = facts.rules.slots(window, None, facts.zone)
    return [request_of(wish, interval) for interval in found]
