"""The questions about availability, each over one resource: how its capacity goes, and what can be booked when.

Every function takes `load`, which reads timelines: a caller with many resources hands in one that gathers what all ask
for, so that they share a statement. `now` is what rules take for the present.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.facts import ResourceFacts
from engine.rules import limits
from engine.rules.base import Refusal, RuleFacts, RuleRequest, violation
from engine.rules.registry import evaluate
from engine.rules.slots import slot_intervals
from engine.vacancies import (
    AvailabilityStatus,
    EffectiveStep,
    EffectiveTimeline,
    Vacancies,
    effective_timeline,
    vacancies_over,
    views_needed,
)
from models import civil
from models.errors import BookingError, InvalidInput, InvalidTime
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import TimelineView
from models.resource import AvailabilityType

TimelineLoader = Callable[[Sequence[tuple[ResourceKey, Interval]]], Awaitable[Sequence[TimelineView]]]

ALTERNATIVES_MAX = 10
NIGHTS_AROUND = 14
SESSION_DAYS_AROUND = 14
OPENING_DAYS_AROUND = 3

__all__ = [
    "AvailabilityAnswer",
    "AvailabilityStatus",
    "DayAnswer",
    "EffectiveStep",
    "EffectiveTimeline",
    "SlotAnswer",
    "TimelineLoader",
    "Wish",
    "alternatives",
    "availability",
    "calendar",
    "effective_timeline",
    "interval_of",
    "refusals_of",
    "slots",
    "timeline",
    "views_needed",
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody would book of a resource: a window, or the nights of a stay [arrival, departure)."""

    window: Interval | None = None
    stay: tuple[date, date] | None = None
    quantity: int = 1
    activity: str | None = None


@dataclass(frozen=True, slots=True)
class SlotAnswer:
    """A time that can be offered, what is left over all of it, and every reason why it can not be booked."""

    interval: Interval
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    refusals: tuple[Refusal, ...]

    @property
    def bookable(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """A civil day, or the night that begins on it: the best that can be had of it."""

    date: date
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    refusals: tuple[Refusal, ...]

    @property
    def bookable(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, slots=True)
class AvailabilityAnswer:
    """Whether a wish can be booked, as of `version` of the resource's timeline."""

    interval: Interval
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    refusals: tuple[Refusal, ...]
    version: int

    @property
    def bookable(self) -> bool:
        return not self.refusals


def interval_of(facts: ResourceFacts, wish: Wish) -> Interval:
    """What the wish takes. Raises InvalidInput if it is of the wrong kind, InvalidTime if the clocks skip its time."""
    if facts.resource.availability_type == AvailabilityType.NIGHTLY:
        if wish.stay is None or wish.window is not None:
            raise InvalidInput("This is sold by the night: give a stay, and no window.", path=("stay",))
        return _night(facts, *wish.stay)
    if wish.window is None or wish.stay is not None:
        raise InvalidInput("This is not sold by the night: give a window, and no stay.", path=("window",))
    return wish.window


def refusals_of(facts: ResourceFacts, wish: Wish, interval: Interval, *, now: datetime) -> list[Refusal]:
    """Every reason of the platform's limits and the resource's rules; what is taken is not looked at."""
    request = RuleRequest(interval, wish.stay, wish.quantity, wish.activity)
    return evaluate(facts.rules, request, RuleFacts(facts.zone, now, facts.resource.availability_type))


async def timeline(facts: ResourceFacts, window: Interval, *, load: TimelineLoader) -> EffectiveTimeline:
    """How capacity goes over the window. Raises InvalidInput for a window that is too long."""
    _check_window(window)
    return await _load(facts, window, load)


async def slots(
    facts: ResourceFacts,
    window: Interval,
    *,
    duration_minutes: int | None = None,
    quantity: int = 1,
    activity: str | None = None,
    load: TimelineLoader,
    now: datetime,
) -> list[SlotAnswer]:
    """The times that start in the window and that the rules know, each with what is left and why it is not bookable.

    At most 2,000; raises InvalidInput for more, for a resource that is sold by the night, and for a bad quantity.
    """
    if facts.resource.availability_type == AvailabilityType.NIGHTLY:
        raise InvalidInput("This is sold by the night: ask for its calendar.")
    _check_quantity(quantity)
    intervals = slot_intervals(facts.rules, facts.resource.availability_type, window, duration_minutes, facts.zone)
    wishes = [Wish(window=interval, quantity=quantity, activity=activity) for interval in intervals]
    return await _answers(facts, wishes, load=load, now=now)


async def calendar(
    facts: ResourceFacts,
    first: date,
    last: date,
    *,
    quantity: int = 1,
    activity: str | None = None,
    load: TimelineLoader,
    now: datetime,
) -> list[DayAnswer]:
    """One answer per civil day of [first, last), at most 366: the best slot of the day, or the night that begins on it.

    A day on which nothing is offered is CLOSED. Of today, what has begun does not count. Raises InvalidInput for no
    days or too many, and for a bad quantity.
    """
    _check_quantity(quantity)
    if not 1 <= (last - first).days <= limits.WINDOW_DAYS_MAX:
        raise InvalidInput(f"Ask for 1 to {limits.WINDOW_DAYS_MAX} days.", path=("to",))
    by_day = {day: _wishes_of_day(facts, day, quantity, activity) for day in civil.days(first, last)}
    offered = [interval_of(facts, wish) for wishes in by_day.values() for wish in wishes]
    if not offered:
        return [_nothing_on(day) for day in by_day]
    found = await _load(facts, _hull(offered), load, Wish(activity=activity))
    return [_best_of(facts, day, wishes, found, now) for day, wishes in by_day.items()]


async def availability(facts: ResourceFacts, wish: Wish, *, load: TimelineLoader, now: datetime) -> AvailabilityAnswer:
    """Whether the wish can be booked, what is left, and every reason against it.

    Raises InvalidInput or InvalidTime if the wish makes no sense for this resource. What is over the platform's
    limits is refused without looking at the timeline.
    """
    _check_quantity(wish.quantity)
    interval = interval_of(facts, wish)
    refusals = refusals_of(facts, wish, interval, now=now)
    if interval.duration.days > limits.DURATION_DAYS_MAX:
        return AvailabilityAnswer(
            interval, facts.resource.capacity, 0, AvailabilityStatus.CLOSED, tuple(refusals), facts.resource.version
        )
    found = await _load(facts, interval, load, wish)
    left = vacancies_over(found, interval)
    return AvailabilityAnswer(
        interval, left.capacity, left.vacancies, left.status, _with_capacity(refusals, left, wish), found.version
    )


async def alternatives(
    facts: ResourceFacts, wish: Wish, *, first: int = 3, load: TimelineLoader, now: datetime
) -> list[SlotAnswer]:
    """The bookable times of the same resource and length that begin nearest to the wish, nearest first, at most ten.

    Looked for within 14 days on either side (3 where any time of the opening hours will do).
    """
    interval = interval_of(facts, wish)
    wishes = [other for other in _wishes_around(facts, wish, interval, now) if interval_of(facts, other) != interval]
    found = [answer for answer in await _answers(facts, wishes, load=load, now=now) if answer.bookable]
    found.sort(key=lambda answer: (abs(answer.interval.starts_at - interval.starts_at), answer.interval))
    return found[: max(0, min(first, ALTERNATIVES_MAX))]


async def _load(
    facts: ResourceFacts, window: Interval, load: TimelineLoader, wish: Wish | None = None
) -> EffectiveTimeline:
    keys = views_needed(facts)
    views = await load([(key, window) for key in keys])
    return effective_timeline(
        facts,
        dict(zip(keys, views, strict=True)),
        window,
        activity=wish.activity if wish else None,
        joining=wish is not None,
    )


async def _answers(
    facts: ResourceFacts, wishes: Sequence[Wish], *, load: TimelineLoader, now: datetime
) -> list[SlotAnswer]:
    """One answer per wish; all wishes are of one activity, and share one reading of the timeline."""
    if not wishes:
        return []
    intervals = [interval_of(facts, wish) for wish in wishes]
    found = await _load(facts, _hull(intervals), load, wishes[0])
    return [
        _answer(facts, wish, interval, vacancies_over(found, interval), now)
        for wish, interval in zip(wishes, intervals, strict=True)
    ]


def _answer(facts: ResourceFacts, wish: Wish, interval: Interval, left: Vacancies, now: datetime) -> SlotAnswer:
    refusals = refusals_of(facts, wish, interval, now=now)
    return SlotAnswer(interval, left.capacity, left.vacancies, left.status, _with_capacity(refusals, left, wish))


def _with_capacity(refusals: Iterable[Refusal], left: Vacancies, wish: Wish) -> tuple[Refusal, ...]:
    refusal = left.refusal(wish.quantity)
    return (*refusals, refusal) if refusal else tuple(refusals)


def _best_of(facts: ResourceFacts, day: date, wishes: list[Wish], found: EffectiveTimeline, now: datetime) -> DayAnswer:
    """The day as its best slot: bookable before not, then the most vacancies; what has begun only if all has.

    Rules are asked of the emptiest slot first, and of no more once one can be booked: a year has ten thousand.
    """
    slots = [
        (wish, interval, vacancies_over(found, interval)) for wish in wishes for interval in [interval_of(facts, wish)]
    ]
    coming = [slot for slot in slots if slot[1].starts_at >= now] or slots
    if not coming:
        return _nothing_on(day)
    coming.sort(key=lambda slot: -slot[2].vacancies)
    best = None
    for wish, interval, left in coming:
        if best is not None and left.vacancies < wish.quantity:
            break
        answer = _answer(facts, wish, interval, left, now)
        best = answer if best is None or answer.bookable else best
        if best.bookable:
            break
    assert best is not None
    return DayAnswer(day, best.capacity, best.vacancies, best.status, best.refusals)


def _nothing_on(day: date) -> DayAnswer:
    closed = Refusal("CLOSED", "Nothing is offered on this day.")
    return DayAnswer(day, 0, 0, AvailabilityStatus.CLOSED, (closed,))


def _hull(intervals: Sequence[Interval]) -> Interval:
    return Interval(min(i.starts_at for i in intervals), max(i.ends_at for i in intervals))


def _wishes_of_day(facts: ResourceFacts, day: date, quantity: int, activity: str | None) -> list[Wish]:
    """What is offered on this day; nothing on a day, or for a night, that the clocks skip."""
    try:
        if facts.resource.availability_type == AvailabilityType.NIGHTLY:
            stay = (day, day + timedelta(days=1))
            _night(facts, *stay)
            return [Wish(stay=stay, quantity=quantity, activity=activity)]
        window = civil.civil_day(day, facts.zone)
    except InvalidTime:
        return []
    found = slot_intervals(facts.rules, facts.resource.availability_type, window, None, facts.zone)
    return [Wish(window=interval, quantity=quantity, activity=activity) for interval in found]


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
        found = slot_intervals(facts.rules, kind, Interval(starts_at, ends_at), minutes, facts.zone)
    except BookingError:  # what was asked for is out of any bound, and so is all around it
        return []
    return [Wish(window=other, quantity=wish.quantity, activity=wish.activity) for other in found]


def _stays_around(facts: ResourceFacts, wish: Wish, stay: tuple[date, date], now: datetime) -> list[Wish]:
    arrival, nights = stay[0], (stay[1] - stay[0]).days
    today = civil.local_day(now, facts.zone)
    found = []
    for days in range(-NIGHTS_AROUND, NIGHTS_AROUND + 1):
        other = arrival + timedelta(days=days)
        if other < today:
            continue
        try:
            _night(facts, other, other + timedelta(days=nights))
        except BookingError:  # the clocks skip check-in or check-out on that day
            continue
        found.append(Wish(stay=(other, other + timedelta(days=nights)), quantity=wish.quantity, activity=wish.activity))
    return found


def _night(facts: ResourceFacts, arrival: date, departure: date) -> Interval:
    venue = facts.venue
    if venue.check_in_time is None or venue.check_out_time is None:
        raise InvalidInput("This venue has no check-in and check-out times yet.")
    return civil.night(arrival, departure, venue.check_in_time, venue.check_out_time, facts.zone, path=("stay",))


def _check_window(window: Interval) -> None:
    refusal = limits.window(window)
    if refusal is not None:
        raise violation(refusal, path=("window",))


def _check_quantity(quantity: int) -> None:
    if not limits.QUANTITY_MIN <= quantity <= limits.QUANTITY_MAX:
        message = f"The quantity must be from {limits.QUANTITY_MIN} to {limits.QUANTITY_MAX:,}."
        raise InvalidInput(message, path=("quantity",))
