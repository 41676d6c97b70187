"""Plans, rules and requests for tests of prices, each with as few words as it needs."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.pricing import registry
from engine.pricing.book import PriceBook, SetPlan, SetPriceRule
from engine.pricing.charges import PricedItem, PriceFacts, PriceRequest
from engine.rules.base import NIGHTLY, OPENING_HOURS, GuestCount
from models.interval import Interval

LISBON = ZoneInfo("Europe/Lisbon")
MONDAY = date(2027, 3, 1)
NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)


def plan(name: str = "Standard", /, code: str = "STANDARD", priority: int = 0, **parameters: Any) -> SetPlan:
    """A rate plan of the resource, always valid."""
    return SetPlan(code=code, name=name, plan=registry.parse_plan(parameters), priority=priority)


def nightly(amount: int = 100_00, /, **more: Any) -> SetPlan:
    """The plan Standard, by the night."""
    return plan(amount=amount, every="NIGHT", **more)


def rule(
    type_: str, name: str, /, priority: int = 0, of_resource: bool = True, age: int = 0, **more: Any
) -> SetPriceRule:
    """A price rule, always valid."""
    parsed = registry.parse(type_, more)
    return SetPriceRule(name=name, rule=parsed, priority=priority, of_resource=of_resource, age=age)


def season(name: str, first: str, until: str, /, **more: Any) -> SetPriceRule:
    """A season of every year."""
    days: dict[str, Any] = {"from": first, "until": until}
    return rule("SEASON", name, **days, **more)


def guests(*counts: tuple[str, int] | tuple[str, int, tuple[int, ...]]) -> tuple[GuestCount, ...]:
    """A party."""
    return tuple(GuestCount(*one) for one in counts)


def stay(
    nights: int = 1, *, arrival: date = MONDAY, quantity: int = 1, party: tuple[GuestCount, ...] | None = None
) -> PriceRequest:
    """Nights, from 15:00 to 11:00 in Lisbon."""
    departure = arrival + timedelta(days=nights)
    interval = Interval(_at(arrival, 15), _at(departure, 11))
    return PriceRequest(interval, (arrival, departure), quantity, None, party)


def time(
    minutes: int = 60, *, day: date = MONDAY, quantity: int = 1, party: tuple[GuestCount, ...] | None = None
) -> PriceRequest:
    """A time from 10:00 on in Lisbon."""
    starts_at = _at(day, 10)
    return PriceRequest(Interval(starts_at, starts_at + timedelta(minutes=minutes)), None, quantity, None, party)


def book(*entries: SetPlan | SetPriceRule, kind: str = NIGHTLY) -> PriceBook:
    """The price book of these."""
    return PriceBook(
        plans=[one for one in entries if isinstance(one, SetPlan)],
        rules=[one for one in entries if isinstance(one, SetPriceRule)],
        availability_type=kind,
    )


def hourly_book(*entries: SetPlan | SetPriceRule) -> PriceBook:
    """The same of what is not sold by the night."""
    return book(*entries, kind=OPENING_HOURS)


def facts(
    now: datetime = NOW,
    occupancy: Mapping[date, int] | None = None,
    partner: str | None = None,
    promo: str | None = None,
    currency: str = "EUR",
) -> PriceFacts:
    """What is known."""
    return PriceFacts(LISBON, now, currency, occupancy or {}, partner, promo)


def by_label(priced: PricedItem) -> dict[str, int]:
    """What the lines of each label sum to."""
    sums: dict[str, int] = defaultdict(int)
    for line in priced.charges:
        sums[line.label] += line.amount
    return dict(sums)


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=LISBON)
