"""What an item costs: the one function by which search results, quotes and holds are priced.

In this order, and each step a line that says why:

1. the rate plan charges for each night, or for the time: `base_of`;
2. on each day, price rules move what it costs so far, kind after kind in the order of their steps, never below 0;
3. the plan's floor and ceiling hold what the day costs in between, in proportion to its amount;
4. a derived plan takes its part off each day, or puts it on;
5. the minimum fills up what the whole item costs;
6. the plan's fees come on top.

Each line is rounded by itself, half a minor unit away from zero, so that the lines sum to the total exactly.
"""

from collections.abc import Iterator
from datetime import date

from engine.money import AMOUNT_MAX, quotient
from engine.pricing.base import Asked, DaySum
from engine.pricing.book import PriceBook, SetPlan
from engine.pricing.charges import Charge, ChargeKind, PricedItem, PriceFacts, PriceRequest
from engine.pricing.plan_charges import DayBase, base_of, charged_days, fees_of
from models import civil
from models.errors import InvalidInput, NotPriced

PLAN_PATH = ("ratePlan",)


def price_item(
    book: PriceBook, request: PriceRequest, facts: PriceFacts, *, plan: str | None = None, item: int = 0
) -> PricedItem | None:
    """What the request costs by the plan of this code, or by the one that holds if none is named. Pure.

    None: it has no price, and costs nothing. Raises InvalidInput for a plan that is not to be had, and for an amount
    that can not be charged; NotPriced where what was set can not be read, and where there are rate plans but none for
    that day: a season that nobody has priced is not for nothing. The request is within the platform's limits: at most
    366 nights.
    """
    start = request.stay[0] if request.stay is not None else civil.local_day(request.interval.starts_at, facts.zone)
    chosen = _chosen(book, start, plan)
    if chosen is None:
        return None
    lines = _lines(book, chosen, request, facts, start, item)
    priced = PricedItem.of(lines, chosen.code)
    if priced.subtotal > AMOUNT_MAX or any(abs(line.amount) > AMOUNT_MAX for line in priced.charges):
        raise InvalidInput("This costs more than can be charged.")
    return priced


def _chosen(book: PriceBook, start: date, code: str | None) -> SetPlan | None:
    plans = book.plans_on(start)
    if not plans and not book.is_empty:
        raise NotPriced("There is no rate plan for this day.")
    if code is None:
        return plans[0] if plans else None
    found = next((plan for plan in plans if plan.code == code), None)
    if found is None:
        raise InvalidInput("There is no such rate plan then.", path=PLAN_PATH)
    return found


def _lines(
    book: PriceBook, chosen: SetPlan, request: PriceRequest, facts: PriceFacts, start: date, item: int
) -> list[Charge]:
    source = book.source_of(chosen, start)
    codes = (chosen.code, source.code)
    lines: list[Charge] = []
    base = base_of(source.plan, source.name, request, start, item)
    days = charged_days(source.plan, request, start)
    for day in days:
        asked = Asked(request, facts, day, codes)
        lines += _day(book, source, chosen, base.on(day), asked, item)
    total = sum(line.amount for line in lines)
    minimum = chosen.plan.minimum or source.plan.minimum
    if total < minimum:
        lines.append(_moved(item, start, ChargeKind.MINIMUM, minimum - total, "Minimum charge"))
    lines += fees_of(source.plan, request, days, item)
    return lines


def _day(book: PriceBook, source: SetPlan, chosen: SetPlan, base: DayBase, asked: Asked, item: int) -> Iterator[Charge]:
    """The lines of one day."""
    yield from base.charges
    assert source.plan.amount is not None, "what is derived from has an amount"
    alone = total = sum(line.amount for line in base.charges)
    for found in book.rules_for(asked):
        change = found.rule.change(DaySum(source.plan.amount, base.count, alone, total))
        line = _moved(item, base.day, ChargeKind.ADJUSTMENT, max(change, -total), found.name, found.rule.type)
        if line.amount:
            yield line
            total += line.amount
    for line in _bounds(source, base.day, alone, total, item):
        yield line
        total += line.amount
    if chosen is not source:
        change = max(_derived(chosen, base, total), -total)
        if change:
            yield _moved(item, base.day, ChargeKind.ADJUSTMENT, change, chosen.name)


def _bounds(source: SetPlan, day: date, alone: int, total: int, item: int) -> Iterator[Charge]:
    """The line that brings the day's price back between floor and ceiling, if it is beyond one of them."""
    plan = source.plan
    if not plan.amount:
        return
    floor = None if plan.floor is None else quotient(alone * plan.floor, plan.amount)
    ceiling = None if plan.ceiling is None else quotient(alone * plan.ceiling, plan.amount)
    if floor is not None and total < floor:
        yield _moved(item, day, ChargeKind.FLOOR, floor - total, "Lowest price")
    elif ceiling is not None and total > ceiling:
        yield _moved(item, day, ChargeKind.CEILING, ceiling - total, "Highest price")


def _derived(chosen: SetPlan, base: DayBase, total: int) -> int:
    """How much a derived plan is away from the one that it is derived from, on one day."""
    plan = chosen.plan
    if plan.percent is not None:
        return plan.percent.whole_of(total)
    assert plan.change is not None, "a derived plan has a percent or a change"
    return plan.change * base.count


def _moved(item: int, day: date, kind: ChargeKind, amount: int, label: str, rule: str | None = None) -> Charge:
    return Charge(item, day, kind, 1, amount, amount, label, rule)
