"""Whole days: what is the best that can be had on each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from engine.asked_prices import AskedPrices
from engine.availability import Wish, answer_to, check_quantity, hull, night_of, request_of
from engine.facts import ResourceFacts
from engine.reading import NOBODY, CountsLoader, Reading, TimelineLoader, read
from engine.rules import limits
from engine.rules.base import GuestCount, Refusal, RuleRequest
from engine.vacancies import AvailabilityStatus, Vacancies
from models import civil
from models.errors import InvalidInput, InvalidTime
from models.interval import Interval
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
    offered = [_offered_on(facts, day, wish) for day in civil.days(first, last)]
    slots = [slot for each in offered for slot in each.slots]
    if not slots:
        return [_nothing_on(each.day) for each in offered]
    reading = await read(facts, hull(slots), load=load, counts=counts, now=now)
    return [_best_of(reading, each) for each in offered]


class _Offered(NamedTuple):
    """What is offered on a day, in order of time; a wish for one of the slots, of a stay with its nights."""

    day: date
    wish: Wish
    slots: Sequence[Interval] = ()


def _best_of(reading: Reading, offered: _Offered) -> DayAnswer:
    """The day as its best slot: bookable before not, then the most vacancies; what has begun only if all has.

    Rules are asked of the emptiest slot first, and of no more once one can be booked: a year has ten thousand.
    """
    day, wish, slots = offered
    coming = [slot for slot in slots if slot.starts_at >= reading.rule_facts.now] or slots
    if not coming:
        return _nothing_on(day)
    best = None
    for request, left in _emptiest_first(reading, wish, coming):
        if best is not None and left.vacancies < request.quantity:
            break
        answer = answer_to(reading, request, left)
        best = answer if best is None or answer.bookable else best
        if best.bookable:
            break
    assert best is not None
    nights = None if wish.stay is None else (wish.stay[1] - wish.stay[0]).days
    return DayAnswer(day, best.capacity, best.vacancies, best.status, best.refusals, nights, best.prices)


def _emptiest_first(reading: Reading, wish: Wish, slots: Sequence[Interval]) -> Iterator[tuple[RuleRequest, Vacancies]]:
    """The wish for each of the slots, with what is left of it: most first, and of as much the earliest first.

    A slot that has all that is free at any time of the day has the most. On most days that is the first or the second
    that is looked at, and of the others nobody wants to know.
    """
    most = reading.free_at_most(hull(slots))
    others = []
    for slot in slots:
        request = request_of(wish, slot)
        left = reading.left(request)
        if left.vacancies >= most:
            yield request, left
        else:
            others.append((request, left))
    yield from sorted(others, key=lambda other: -other[1].vacancies)


def _nothing_on(day: date) -> DayAnswer:
    closed = Refusal("CLOSED", "Nothing is offered on this day.")
    return DayAnswer(day, 0, 0, AvailabilityStatus.CLOSED, (closed,))


def _offered_on(facts: ResourceFacts, day: date, wish: Wish) -> _Offered:
    """What is offered on this day; nothing on a day, or for a check-in or check-out, that the clocks skip."""
    try:
        if facts.resource.availability_type == AvailabilityType.NIGHTLY:
            stay = (day, day + timedelta(days=facts.rules.shortest_stay(day) or 1))
            return _Offered(day, replace(wish, stay=stay), [night_of(facts, *stay)])
        window = civil.civil_day(day, facts.zone)
    except InvalidTime:
        return _Offered(day, wish)
    return _Offered(day, wish, facts.rules.slots(window, None, facts.zone))
