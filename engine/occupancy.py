"""How much of a resource is taken, where its price depends on that; and the rest that prices may depend on."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from engine.facts import ResourceFacts
from engine.pricing.charges import PriceFacts, PriceRequest
from engine.reading import TimelineLoader
from engine.taken import Taken
from models import civil
from models.interval import Interval

ONE_DAY = timedelta(days=1)


def occupancy(facts: ResourceFacts, request: PriceRequest, taken: Taken) -> dict[date, int]:
    """By the day of each night, or of the start of the time: how much is taken then, in basis points."""
    if request.stay is None:
        return {civil.local_day(request.interval.starts_at, facts.zone): taken.peak(request.interval)}
    arrival, departure = request.stay
    return {day: taken.peak(_night(facts, day)) for day in civil.days(arrival, departure)}


def facts_for_price(
    facts: ResourceFacts,
    request: PriceRequest,
    taken: Taken | None,
    *,
    now: datetime,
    partner: str | None = None,
    promo: str | None = None,
) -> PriceFacts:
    """What the price of the request may depend on. `taken`: needed where the price depends on the occupancy."""
    return PriceFacts(
        zone=facts.zone,
        now=now,
        currency=facts.venue.currency,
        occupancy=occupancy(facts, request, taken) if taken is not None and facts.prices.asks_occupancy else {},
        partner=partner,
        promo=promo,
    )


async def price_facts(
    asked: Sequence[tuple[ResourceFacts, PriceRequest]],
    *,
    load: TimelineLoader,
    now: datetime,
    partner: str | None = None,
    promo: str | None = None,
) -> list[PriceFacts]:
    """The same for many requests: one reading of timelines, and none where no price depends on them."""
    needed = {
        position: (facts.key, request.interval)
        for position, (facts, request) in enumerate(asked)
        if facts.prices.asks_occupancy
    }
    views = dict(zip(needed, await load(list(needed.values())), strict=True)) if needed else {}
    return [
        facts_for_price(
            facts,
            request,
            Taken(views[position]) if position in views else None,
            now=now,
            partner=partner,
            promo=promo,
        )
        for position, (facts, request) in enumerate(asked)
    ]


def _night(facts: ResourceFacts, day: date) -> Interval:
    """From check-in to check-out on the next day, whatever the clocks skip."""
    venue = facts.venue
    assert venue.check_in_time is not None, "a stay has been turned into instants"
    assert venue.check_out_time is not None, "a stay has been turned into instants"
    starts_at = civil.instant_or_next(day, venue.check_in_time, facts.zone)
    return Interval(starts_at, civil.instant_or_next(day + ONE_DAY, venue.check_out_time, facts.zone))
