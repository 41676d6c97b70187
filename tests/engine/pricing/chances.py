"""Random price books, requests and facts: whatever a manager may set, and a guest ask for."""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from engine.pricing.book import PriceBook, SetPriceRule
from engine.pricing.charges import PriceFacts, PriceRequest
from engine.rules.base import GuestCount
from tests.engine.pricing.building import MONDAY, book, facts, plan, rule, stay

TYPES = ("ADULT", "CHILD", "INFANT")
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("SEASON", {"from": "02-15", "until": "03-08"}),
    ("WEEKDAY", {"weekdays": [1, 5, 6]}),
    ("WEEKDAY", {"weekdays": [2, 6]}),
    ("EVENT_DATES", {"dates": ["2027-03-02", "2027-03-09"]}),
    ("OCCUPANCY", {"minPercent": 50}),
    ("OCCUPANCY", {"belowPercent": 50}),
    ("LEAD_TIME", {"minHours": 24}),
    ("LENGTH_OF_STAY", {"minNights": 3}),
    ("PARTY_SIZE", {"min": 3}),
    ("PARTNER", {"partners": ["partner:harbour"]}),
    ("PROMO_CODE", {"codes": ["SPRING"]}),
)
CHANGES: tuple[dict[str, Any], ...] = (
    *({"percent": percent} for percent in ("-100", "-33.3333", "-10", "-0.01", "7.5", "12.5", "250")),
    *({"amount": amount} for amount in (-50_000, -1, 333, 100_000)),
    *({"price": price} for price in (0, 1, 7_777, 123_456)),
)


def chances(count: int) -> Iterator[random.Random]:
    seed = os.environ.get("VACANCY_TEST_SEED", "5")
    return (random.Random(f"{seed} {number}") for number in range(count))


def some_book(chance: random.Random) -> PriceBook:
    amount = chance.choice([1, 99, 3_333, 10_000, 123_457])
    bounds: dict[str, Any] = {
        name: at for name, at in (("floor", amount // 2), ("ceiling", amount * 2)) if chance.random() < 0.3
    }
    shape: dict[str, Any] = chance.choice(
        [
            {"per": "PERSON", "guestPrices": [some_band(chance, "Child", 3, 11), some_band(chance, "Infant", 0, 2)]},
            {"includedGuests": 2, "extraGuest": 777, "extraGuests": [some_band(chance, "Child", 3, 11)]},
            {"per": "BOOKING"},
        ]
    )
    fee = {
        "name": "Cleaning",
        "amount": chance.choice([0, 1, 4_000]),
        "per": chance.choice(["BOOKING", "UNIT", "PERSON"]),
    }
    fees: dict[str, Any] = {"fees": [fee]} if chance.random() < 0.3 else {}
    own = plan(
        amount=amount,
        every=chance.choice(["NIGHT", "ONCE"]),
        minimum=chance.choice([0, 500]),
        **shape,
        **bounds,
        **fees,
    )
    change: dict[str, Any] = chance.choice([{"percent": "-10"}, {"percent": "3.75"}, {"change": -4_000}])
    derived = plan(code="OTHER", derivedFrom="STANDARD", **change)
    return book(own, derived, *(one for one in some_rules(chance) if chance.random() < 0.5))


def some_rules(chance: random.Random) -> Iterator[SetPriceRule]:
    for number, (type_, parameters) in enumerate(KINDS):
        priority, of_resource = chance.choice([0, 0, 5]), chance.random() < 0.5
        yield rule(type_, f"{type_} {number}", priority, of_resource, number, **parameters, **chance.choice(CHANGES))


def some_band(chance: random.Random, name: str, low: int, high: int) -> dict[str, Any]:
    return {"name": name, "minAge": low, "maxAge": high, "amount": chance.choice([0, 100, 5_000])}


def some_request(chance: random.Random) -> PriceRequest:
    party = None
    if chance.random() < 0.8:
        party = tuple(some_guests(chance, type_) for type_ in chance.sample(TYPES, chance.randrange(1, 4)))
    return stay(chance.randrange(1, 10), quantity=chance.randrange(1, 4), party=party)


def some_guests(chance: random.Random, type_: str) -> GuestCount:
    count = chance.randrange(1, 5)
    ages = tuple(chance.randrange(0, 80) for _ in range(count)) if chance.random() < 0.7 else None
    return GuestCount(type_, count, ages)


def other_ages(chance: random.Random, one: GuestCount) -> GuestCount:
    return GuestCount(one.type, one.count, None if one.ages is None else tuple(shuffled(chance, one.ages)))


def some_facts(chance: random.Random) -> PriceFacts:
    occupancy = {MONDAY + timedelta(days=n): chance.randrange(0, 10_001) for n in range(10)}
    return facts(
        occupancy=occupancy, partner=chance.choice([None, "partner:harbour"]), promo=chance.choice([None, "SPRING"])
    )


def shuffled(chance: random.Random, values: Any) -> list[Any]:
    found = list(values)
    chance.shuffle(found)
    return found
