"""What a rate plan charges by itself, before any rule: for each night, a time, or once; and its fees."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from engine.pricing.charges import Charge, ChargeKind, PriceRequest
from engine.pricing.plans import Every, GuestPrice, Per, RatePlan
from engine.rules.base import GuestCount


@dataclass(frozen=True, slots=True)
class DayBase:
    """What a plan charges for one day, before rules: `count` times its amount, or other amounts in its place."""

    day: date
    charges: tuple[Charge, ...]
    count: int

    def on(self, day: date) -> "DayBase":
        """The same on another day: what a plan charges by itself is the same on all of them."""
        charges = tuple(
            Charge(line.item, day, line.kind, line.quantity, line.unit_amount, line.amount, line.label)
            for line in self.charges
        )
        return DayBase(day, charges, self.count)


def charged_days(plan: RatePlan, request: PriceRequest, start: date) -> tuple[date, ...]:
    """The days that a plan charges for: each night, else the one on which the time or the stay begins."""
    if plan.every is not Every.NIGHT or request.stay is None:
        return (start,)
    arrival, _ = request.stay
    return tuple(arrival + timedelta(days=n) for n in range(request.nights))


def base_of(plan: RatePlan, name: str, request: PriceRequest, day: date, item: int) -> DayBase:
    """What a plan of its own, called `name`, charges for one of these days."""
    times = _times(plan, request)
    lines = [
        Charge(item, day, kind, count * times, amount, amount * count * times, label)
        for kind, label, count, amount in (*_main(plan, name, request), *_extra(plan, request))
    ]
    main = sum(line.quantity for line in lines if line.kind is not ChargeKind.EXTRA_GUEST)
    return DayBase(day, tuple(lines), main)


def fees_of(plan: RatePlan, request: PriceRequest, days: Sequence[date], item: int) -> Iterator[Charge]:
    """What comes on top on these days of the plan, of which the first is that of the start."""
    people = request.quantity if request.guest_count is None else request.guest_count
    counts = {Per.BOOKING: 1, Per.UNIT: request.quantity, Per.PERSON: people}
    for fee in plan.fees:
        count = counts[fee.per]
        for day in days if fee.every is Every.NIGHT else days[:1]:
            if fee.amount:
                yield Charge(item, day, ChargeKind.FEE, count, fee.amount, fee.amount * count, fee.name)


def _times(plan: RatePlan, request: PriceRequest) -> int:
    """How often the amount is charged on one day."""
    if plan.every is not Every.MINUTES:
        return 1
    # In whole microseconds: the quotient of two durations, rounded up, without a float.
    return -(-request.interval.duration // timedelta(minutes=plan.minutes))


def _main(plan: RatePlan, name: str, request: PriceRequest) -> Iterator[tuple[ChargeKind, str, int, int]]:
    assert plan.amount is not None, "a derived plan has no charges of its own"
    if plan.per is not Per.PERSON:
        kind = {Every.NIGHT: ChargeKind.NIGHT, Every.MINUTES: ChargeKind.INTERVAL, Every.ONCE: ChargeKind(plan.per)}
        yield kind[plan.every], name, request.quantity if plan.per is Per.UNIT else 1, plan.amount
        return
    if request.guests is None:
        yield ChargeKind.PERSON, name, request.quantity, plan.amount
        return
    found = Counter(_price_of(plan.guest_prices, type_, age) for type_, age in _each(request.guests))
    if found[None]:
        yield ChargeKind.PERSON, name, found[None], plan.amount
    for position, price in enumerate(plan.guest_prices):
        if found[position]:
            yield ChargeKind.PERSON, price.name, found[position], price.amount


def _extra(plan: RatePlan, request: PriceRequest) -> Iterator[tuple[ChargeKind, str, int, int]]:
    if plan.included_guests is None or request.guests is None:
        return
    included = plan.included_guests * (request.quantity if plan.per is Per.UNIT else 1)
    fees = [_price_of(plan.extra_guests, type_, age) for type_, age in _each(request.guests)]
    amounts = [plan.extra_guest if position is None else plan.extra_guests[position].amount for position in fees]
    # Dearest first, and of equal ones in the order of the plan: whatever the order in which guests were named.
    by_fee = sorted(range(len(fees)), key=lambda n: (-amounts[n], -1 if fees[n] is None else fees[n]))
    for position, count in Counter(fees[n] for n in by_fee[included:]).items():
        label, amount = "Extra guest", plan.extra_guest
        if position is not None:
            label, amount = plan.extra_guests[position].name, plan.extra_guests[position].amount
        if amount:
            yield ChargeKind.EXTRA_GUEST, label, count, amount


def _each(guests: Sequence[GuestCount]) -> Iterator[tuple[str, int | None]]:
    for one in guests:
        for position in range(one.count):
            yield one.type, None if one.ages is None else one.ages[position]


def _price_of(prices: Sequence[GuestPrice], type_: str, age: int | None) -> int | None:
    """The position of the first price that fits the guest; None: the amount for all."""
    return next((position for position, price in enumerate(prices) if price.is_of(type_, age)), None)
