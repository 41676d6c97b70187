"""What holds of any policy and booking: thousands of random ones, the same in every run."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from engine.cancellation.deadlines import When
from engine.cancellation.parts import kept_of_part, rest_of
from engine.cancellation.payments import payments
from engine.cancellation.policy import Policy
from engine.cancellation.refunds import kept, refund, timeline
from engine.cancellation.stored import as_stored, from_stored
from engine.cancellation.terms import ItemTerms, Priced, Terms, item_terms
from engine.money import allocate
from tests.engine.cancellation.examples import LISBON, at, policy

BOOKINGS = 1_000
BOOKED_AT = at("2026-03-01 12:00", LISBON)


def some_policy(chance: random.Random) -> Policy:
    hours = sorted(chance.sample(range(900), 3), reverse=True)
    days = sorted(chance.sample(range(40), 2), reverse=True)
    gives = [
        {"refund": "100"},
        {"refund": chance.choice(("75", "50", "33.3333"))},
        {"refund": chance.choice(("25", "10", "0"))},
    ]
    others: list[dict[str, object]] = [{"fee": chance.randint(0, 20_000)}, {"nights": chance.randint(1, 4)}]
    steps: list[dict[str, object]] = [
        {"hoursAfterBooking": chance.randint(1, 400), **gives[0]},
        {"hoursBefore": hours[0], **gives[1]},
        {"daysBefore": days[0], "at": chance.choice(("00:00", "01:30", "18:00")), **chance.choice(others)},
        {"hoursBefore": hours[1], **gives[2]},
        {"daysBefore": days[1], **chance.choice(others)},
    ]
    deposit = chance.choice(({"percent": "33.3333"}, {"amount": chance.randint(0, 30_000)}, {"nights": 2}))
    balance = {"balance": {"daysBefore": chance.randint(0, 60)}} if chance.random() < 0.5 else {}
    return policy(*(step for step in steps if chance.random() < 0.7), deposit=deposit, **balance)


def some_item(chance: random.Random) -> tuple[Policy, ItemTerms]:
    # Around the night of 29 March, in which Lisbon's clocks skip an hour.
    starts_at = BOOKED_AT + timedelta(minutes=chance.randint(1, 60 * 24 * 40))
    price = chance.choice((0, 1, chance.randint(0, 1_000_000)))
    count = chance.choice((0, 1, 3, 7))
    parts = allocate(price, [chance.randint(0, 9) for _ in range(count)]) if count else []
    priced = Priced(price, chance.choice((0, 800)), tuple(parts))
    agreed = some_policy(chance)
    return agreed, item_terms(agreed, priced, When(starts_at, BOOKED_AT, LISBON))


def bookings() -> Iterator[tuple[random.Random, Terms]]:
    chance = random.Random("terms of any booking")
    for _ in range(BOOKINGS):
        yield chance, Terms("EUR", tuple(some_item(chance)[1] for _ in range(chance.choice((1, 1, 2)))))


def some_instants(chance: random.Random, terms: Terms) -> list[datetime]:
    """Each deadline, just before it, and some more."""
    exact = [step.until for item in terms.items for step in item.steps]
    before = [instant - timedelta(microseconds=1) for instant in exact]
    return [*exact, *before, *(BOOKED_AT + timedelta(minutes=chance.randint(0, 60 * 24 * 41)) for _ in range(3))]


def test_never_more_comes_back_than_was_paid_and_nothing_after_the_start() -> None:
    for chance, terms in bookings():
        paid = chance.randint(0, terms.total)
        for instant in some_instants(chance, terms):
            assert 0 <= refund(terms, instant, paid=paid) <= paid
            assert 0 <= refund(terms, instant) <= terms.total
        assert refund(terms, max(item.starts_at for item in terms.items)) == 0


def test_the_timeline_says_what_is_done() -> None:
    for chance, terms in bookings():
        told = timeline(terms, BOOKED_AT)
        assert all(one.until < other.until for one, other in pairwise(told))
        assert all(one.amount != other.amount for one, other in pairwise(told))
        for instant in some_instants(chance, terms):
            promised = next((step.amount for step in told if instant < step.until), 0)
            assert refund(terms, instant) == promised


def test_parts_make_the_whole() -> None:
    """Part after part, at one instant, loses what all at once does; and each at most what it cost."""
    for chance, terms in bookings():
        for item in terms.items:
            instant = chance.choice(some_instants(chance, terms))
            left, rest, keeps = chance.randint(1, 6), item, 0
            while left:
                fewer = chance.randrange(left)
                price, part = allocate(rest.priced.price, [fewer, left - fewer])
                levies, levies_of_part = allocate(rest.priced.levies, [fewer, left - fewer])
                nights = tuple(allocate(price, list(rest.priced.nights))) if rest.priced.nights else ()
                smaller = rest_of(rest, Priced(price, levies, nights), (fewer, left))
                share = kept_of_part(rest, smaller, instant)
                assert 0 <= share <= part + levies_of_part
                left, rest, keeps = fewer, smaller, keeps + share
            assert keeps == kept(item, instant)


def test_payments_make_the_total() -> None:
    chance = random.Random("payments")
    for _ in range(BOOKINGS):
        agreed, item = some_item(chance)
        due = payments(agreed, item.priced, When(item.starts_at, BOOKED_AT, LISBON))
        assert due.total == item.priced.total
        assert min(due.now, due.at_venue, *(later.amount for later in due.later), 0) == 0
        assert all(later.at > BOOKED_AT for later in due.later)


def test_what_is_stored_promises_the_same() -> None:
    for _, terms in bookings():
        assert from_stored("EUR", json.loads(json.dumps(as_stored(terms)))) == terms
