"""The questions about availability, each over one resource: how its capacity goes, and what can be booked when.

Every function takes `load`, which reads timelines, and those whose rules may count something `counts`: a caller with
many resources hands in such that gather what all ask for, so that they share a statement. What is asked of `load` at
once must be of one snapshot. `now` is what rules take for the present. All raise FactsMoved if the facts are not those
of the timelines' version any more: `engine.current.while_current` reads both again.

Whole days are in `engine.calendar`, what else could be booked in `engine.alternatives`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from engine.asked_prices import AskedPrices
from engine.facts import ResourceFacts
from engine.reading import NOBODY, CountsLoader, Reading, TimelineLoader, current_views, read, rule_facts
from engine.rules import limits
from engine.rules.base import GuestCount, Refusal, RuleRequest, violation
from engine.rules.guests import guests_from_stored
from engine.timeline import EffectiveTimeline, effective_timeline
from engine.vacancies import AvailabilityStatus, Vacancies
from models import civil
from models.booking import BookingItem
from models.errors import InvalidInput
from models.interval import Interval
from models.ledger.records import ItemSnapshot
from models.resource import AvailabilityType


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody would book of a resource: a window, or the nights of a stay [arrival, departure).

    `guests`: who comes, where that was told.
    """

    window: Interval | None = None
    stay: tuple[date, date] | None = None
    quantity: int = 1
    activity: str | None = None
    guests: tuple[GuestCount, ...] | None = None


@dataclass(frozen=True, slots=True)
class SlotAnswer:
    """A time that can be offered, what is left over all of it, and every reason why it can not be booked."""

    interval: Interval
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    refusals: tuple[Refusal, ...]
    prices: AskedPrices | None = field(default=None, repr=False, compare=False)

    @property
    def bookable(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, slots=True)
class AvailabilityAnswer:
    """Whether a wish can be booked, by the rules and the timeline as they were at `version` of the resource.

    `prices`: None of what is over the platform's limits.
    """

    interval: Interval
    capacity: int
    vacancies: int
    status: AvailabilityStatus
    refusals: tuple[Refusal, ...]
    version: int
    prices: AskedPrices | None = field(default=None, repr=False, compare=False)

    @property
    def bookable(self) -> bool:
        return not self.refusals


def interval_of(facts: ResourceFacts, wish: Wish) -> Interval:
    """What the wish takes. Raises InvalidInput if it is of the wrong kind, InvalidTime if the clocks skip its time."""
    if facts.resource.availability_type == AvailabilityType.NIGHTLY:
        if wish.stay is None or wish.window is not None:
            raise InvalidInput("This is sold by the night: give a stay, and no window.", path=("stay",))
        return night_of(facts, *wish.stay)
    if wish.window is None or wish.stay is not None:
        raise InvalidInput("This is not sold by the night: give a window, and no stay.", path=("window",))
    return wish.window


def wish_of(facts: ResourceFacts, item: BookingItem | ItemSnapshot) -> Wish:
    """What was asked for: of a stay, the days on which it begins and ends by the venue's clocks."""
    wish = Wish(quantity=item.quantity, activity=item.activity, guests=guests_from_stored(item.guests))
    if facts.resource.availability_type == AvailabilityType.NIGHTLY:
        stay = (civil.local_day(item.starts_at, facts.zone), civil.local_day(item.ends_at, facts.zone))
        return replace(wish, stay=stay)
    return replace(wish, window=Interval(item.starts_at, item.ends_at))


def refusals_of(facts: ResourceFacts, wish: Wish, interval: Interval, *, now: datetime) -> list[Refusal]:
    """Every reason of the platform's limits and of the rules that decide; what is taken is not looked at."""
    return facts.rules.refusals(request_of(wish, interval), rule_facts(facts, now))


def request_of(wish: Wish, interval: Interval) -> RuleRequest:
    """The wish as rules are asked about it; `interval` is what it takes."""
    return RuleRequest(interval, wish.stay, wish.quantity, wish.activity, wish.guests)


async def timeline(facts: ResourceFacts, window: Interval, *, load: TimelineLoader) -> EffectiveTimeline:
    """How capacity goes over the window, as of one version. Raises InvalidInput for a window that is too long."""
    _check_window(window)
    return effective_timeline(facts, await current_views(facts, window, load), window)


async def slots(
    facts: ResourceFacts,
    window: Interval,
    *,
    duration_minutes: int | None = None,
    quantity: int = 1,
    activity: str | None = None,
    guests: tuple[GuestCount, ...] | None = None,
    load: TimelineLoader,
    counts: CountsLoader = NOBODY,
    now: datetime,
    spend: Callable[[int], None] | None = None,
) -> list[SlotAnswer]:
    """The times that start in the window and that the rules know, each with what is left and why it is not bookable.

    Without `duration_minutes` they are as short as the rules allow. At most 2,000; raises InvalidInput for more, for a
    resource that is sold by the night, and for a bad quantity. `spend` is told how many they are before anything is
    read for them, and may raise: finding them costs little beside answering for them.
    """
    if facts.resource.availability_type == AvailabilityType.NIGHTLY:
        raise InvalidInput("This is sold by the night: ask for its calendar.")
    check_quantity(quantity)
    intervals = facts.rules.slots(window, duration_minutes, facts.zone)
    if spend is not None:
        spend(len(intervals))
    wishes = [Wish(interval, None, quantity, activity, guests) for interval in intervals]
    return await answers(facts, wishes, load=load, counts=counts, now=now)


async def availability(
    facts: ResourceFacts, wish: Wish, *, load: TimelineLoader, counts: CountsLoader = NOBODY, now: datetime
) -> AvailabilityAnswer:
    """Whether the wish can be booked, what is left, and every reason against it.

    Raises InvalidInput or InvalidTime if the wish makes no sense for this resource. What is over the platform's
    limits is refused without looking at the timeline.
    """
    check_quantity(wish.quantity)
    interval = interval_of(facts, wish)
    if interval.duration.days > limits.DURATION_DAYS_MAX:
        refusals = refusals_of(facts, wish, interval, now=now)
        return AvailabilityAnswer(
            interval, facts.resource.capacity, 0, AvailabilityStatus.CLOSED, tuple(refusals), facts.version
        )
    reading = await read(facts, interval, load=load, counts=counts, now=now)
    request = request_of(wish, interval)
    left = reading.left(request)
    return AvailabilityAnswer(
        interval,
        left.capacity,
        left.vacancies,
        left.status,
        reading.refusals(request, left),
        reading.version,
        AskedPrices(reading, request),
    )


async def answers(
    facts: ResourceFacts,
    wishes: Sequence[Wish],
    *,
    load: TimelineLoader,
    counts: CountsLoader = NOBODY,
    now: datetime,
) -> list[SlotAnswer]:
    """One answer per wish; all share one reading."""
    if not wishes:
        return []
    requests = [request_of(wish, interval_of(facts, wish)) for wish in wishes]
    reading = await read(facts, hull([each.interval for each in requests]), load=load, counts=counts, now=now)
    return [answer_to(reading, request, reading.left(request)) for request in requests]


def answer_to(reading: Reading, request: RuleRequest, left: Vacancies) -> SlotAnswer:
    """The answer to a request, for which `left` is left."""
    refusals = reading.refusals(request, left)
    prices = AskedPrices(reading, request)
    return SlotAnswer(request.interval, left.capacity, left.vacancies, left.status, refusals, prices)


def hull(intervals: Sequence[Interval]) -> Interval:
    """The shortest interval that contains them all."""
    return Interval(min(i.starts_at for i in intervals), max(i.ends_at for i in intervals))


def night_of(facts: ResourceFacts, arrival: date, departure: date) -> Interval:
    """The instants of a stay. InvalidInput if the venue has no check-in and check-out times; else as civil.night."""
    venue = facts.venue
    if venue.check_in_time is None or venue.check_out_time is None:
        raise InvalidInput("This venue has no check-in and check-out times yet.")
    return civil.night(arrival, departure, venue.check_in_time, venue.check_out_time, facts.zone, path=("stay",))


def check_quantity(quantity: int) -> None:
    """Raises InvalidInput unless the quantity is from 1 to 10,000."""
    if not limits.QUANTITY_MIN <= quantity <= limits.QUANTITY_MAX:
        message = f"The quantity must be from {limits.QUANTITY_MIN} to {limits.QUANTITY_MAX:,}."
        raise InvalidInput(message, path=("quantity",))


def _check_window(window: Interval) -> None:
    refusal = limits.window(window)
    if refusal is not None:
        raise violation(refusal, path=("window",))
