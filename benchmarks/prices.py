"""Prices: a stay of a fortnight with ten price rules, counted and asked for; and a search with prices, and without."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

from benchmarks.http import Client, Load, connect, drive
from benchmarks.report import heading, say, table
from benchmarks.requests import global_id, graphql, graphql_data
from benchmarks.stage import Stage
from engine.availability import Wish, interval_of, request_of
from engine.costs import CostItem, cost_of
from engine.facts import ResourceFacts, load_facts
from engine.occupancy import price_facts
from engine.pricing.charges import PriceFacts, PriceRequest
from engine.pricing.price import price_item
from engine.rules.base import GuestCount
from models.keys import VenueKey
from models.price import PriceRule, RatePlan, TaxRule
from models.queries.timelines import read_timelines
from models.resource import Resource
from tests.support.factories import key_of
from tests.support.prices import make_guesthouse, make_room
from tests.support.settings import put

RESOURCES: Final = 100
NIGHTS: Final = 14
COUNTED_SECONDS: Final = 2.0
ASKED_SECONDS: Final = 2.5
CLIENTS: Final = (1, 4)
ROUNDS: Final = 6
GUESTS: Final = (GuestCount("ADULT", 2, (40, 38)), GuestCount("CHILD", 1, (7,)))
PLAN: Final[Mapping[str, Any]] = {
    "amount": 100_00,
    "every": "NIGHT",
    "includedGuests": 2,
    "extraGuest": 15_00,
    "floor": 60_00,
    "ceiling": 250_00,
}
QUOTE: Final = """
query Quote($input: QuoteInput!) {
  quote(input: $input) { quote {
    total { amount } dueNow { amount } lines { label quantity amount { amount } rule } taxes { label amount { amount } }
    cancellation { steps { until refund { amount } } } } }
}
"""
WITHOUT: Final = "query Which($input: AvailabilityInput!) { availability(input: $input) { vacancies bookable } }"
WITH: Final = """
query Which($input: AvailabilityInput!) {
  availability(input: $input) { vacancies bookable quote { total { amount } } }
}
"""


async def prices(stage: Stage) -> None:
    """One venue with a hundred kinds of rooms; its plan, rules and taxes are of the venue."""
    heading(f"Prices: {NIGHTS} nights for three guests, 10 price rules (8 have their say), 2 taxes")
    arrival = datetime.now(UTC).date() + timedelta(days=40)
    rooms = await _rooms(stage, arrival)
    wish = Wish(stay=(arrival, arrival + timedelta(days=NIGHTS)), guests=GUESTS)
    rows = [_counted(*await _asked(stage, rooms[0], wish))]
    for clients in CLIENTS:
        load = await drive(
            stage.vacancy.port,
            "/graphql",
            partial(_quote_body, rooms, arrival),
            graphql_data,
            clients=clients,
            seconds=ASKED_SECONDS,
        )
        load.only("data")
        name = f"Query.quote through GraphQL, {clients} client{'s' * (clients > 1)}"
        rows.append([name, load.per_second, load.quantile_ms(0.5), load.quantile_ms(0.99)])
    table(["", "quotes/s", "p50 ms", "p99 ms"], rows)
    await _search(stage, rooms, arrival)


async def _rooms(stage: Stage, arrival: date) -> list[Resource]:
    venue = await make_guesthouse(stage.database)
    key = VenueKey(venue.organization_id, venue.id)
    rooms = [await make_room(stage.database, venue, capacity=10, priced=False) for _ in range(RESOURCES)]
    await put(stage.database, RatePlan, key, identity="STANDARD", name="Standard", parameters=PLAN)
    for number, (type_, parameters) in enumerate(_rules(arrival)):
        fields: dict[str, Any] = {"priority": number, "parameters": parameters}
        await put(stage.database, PriceRule, key, identity=type_, name=type_.title(), **fields)
    vat = {"code": "VAT", "rate": "6", "included": True}
    city = {
        "code": "CITY",
        "amount": 4_00,
        "maxNights": 7,
        "bands": [{"maxAge": 12, "amount": 0}],
        "collect": "AT_VENUE",
    }
    await put(stage.database, TaxRule, key, identity="PERCENT", name="VAT", parameters=vat)
    await put(stage.database, TaxRule, key, identity="PER_PERSON_NIGHT", name="City tax", parameters=city)
    return rooms


def _rules(arrival: date) -> list[tuple[str, dict[str, Any]]]:
    """Of every kind one, and a second of the first; partner and promo code have nothing to say of this guest."""
    event = [(arrival + timedelta(days=n)).isoformat() for n in (3, 4)]
    return [
        ("SEASON", {"from": "01-01", "until": "12-31", "percent": "10"}),
        ("SEASON", {"from": f"{arrival:%m-%d}", "until": f"{arrival + timedelta(days=7):%m-%d}", "percent": "25"}),
        ("WEEKDAY", {"weekdays": [5, 6], "percent": "15"}),
        ("EVENT_DATES", {"dates": event, "amount": 20_00}),
        ("OCCUPANCY", {"belowPercent": 20, "percent": "-5"}),
        ("LEAD_TIME", {"minHours": 720, "percent": "-10"}),
        ("LENGTH_OF_STAY", {"minNights": 7, "percent": "-7.5"}),
        ("PARTY_SIZE", {"min": 3, "percent": "4"}),
        ("PARTNER", {"partners": ["partner:harbour"], "percent": "-15"}),
        ("PROMO_CODE", {"codes": ["SPRING"], "percent": "-20"}),
    ]


async def _asked(stage: Stage, room: Resource, wish: Wish) -> tuple[ResourceFacts, PriceRequest, PriceFacts]:
    """What the pure functions are asked with, read once."""
    facts = (await load_facts(stage.database, [key_of(room)]))[key_of(room)]
    request = request_of(wish, interval_of(facts, wish))
    load = partial(read_timelines, stage.database)
    (known,) = await price_facts([(facts, request)], load=load, now=datetime.now(UTC))
    return facts, request, known


def _counted(facts: ResourceFacts, request: PriceRequest, known: PriceFacts) -> list[object]:
    """One core, price, taxes and terms; with nothing read."""
    took: list[float] = []
    began = time.perf_counter()
    while (since := time.perf_counter()) - began < COUNTED_SECONDS:
        priced = price_item(facts.prices, request, known)
        assert priced is not None, "the venue has a rate plan"
        cost_of([CostItem(facts, request, priced)], booked_at=known.now)
        took.append(time.perf_counter() - since)
    load = Load(latencies=took, seconds=time.perf_counter() - began)
    return ["counted by the engine alone", load.per_second, load.quantile_ms(0.5), load.quantile_ms(0.99)]


def _quote_body(rooms: Sequence[Resource], arrival: date) -> bytes:
    item = {"resourceId": global_id(rooms[0]), "stay": _stay(arrival), "guests": _GUESTS}
    return graphql(QUOTE, {"input": {"items": [item]}})


def _stay(arrival: date) -> dict[str, str]:
    return {"arrival": arrival.isoformat(), "departure": (arrival + timedelta(days=NIGHTS)).isoformat()}


async def _search(stage: Stage, rooms: Sequence[Resource], arrival: date) -> None:
    asked = {"resourceIds": [global_id(room) for room in rooms], "stay": _stay(arrival), "guests": _GUESTS}
    bodies = {name: graphql(document, {"input": asked}) for name, document in (("without", WITHOUT), ("with", WITH))}
    client = await connect(stage.vacancy.port, "/graphql")
    loads = {name: Load() for name in bodies}
    try:
        for round_ in range(ROUNDS + 1):
            for name, body in bodies.items():
                took = await _timed(client, body, has_prices=name == "with")
                if round_:  # the first time whatever is kept is read
                    loads[name].latencies.append(took)
    finally:
        await client.close()
    without, with_ = (loads[name].quantile_ms(0.5) for name in bodies)
    say()
    rows = [["without prices", without, 1.0], ["with prices", with_, with_ / without]]
    table([f"Query.availability, {RESOURCES} resources, {NIGHTS} nights", "p50 ms", "ratio"], rows)


async def _timed(client: Client, body: bytes, *, has_prices: bool) -> float:
    began = time.perf_counter()
    status, answer = await client.ask(body)
    took = time.perf_counter() - began
    found = json.loads(answer)["data"]["availability"] if status == 200 else []
    if len(found) != RESOURCES or (has_prices and any(one["quote"] is None for one in found)):
        raise RuntimeError(f"{status} {answer[:200]!r}")
    return took


_GUESTS: Final = [{"type": one.type, "count": one.count, "ages": list(one.ages or ())} for one in GUESTS]
