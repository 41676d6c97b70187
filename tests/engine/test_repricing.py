"""What a booking costs and owes after changes and parts: parts make the whole, and nobody gets what was not paid."""

import random
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from engine.cancellation.refunds import kept_of_all, refund
from engine.costs import CostItem, cost_of
from engine.facts import ResourceFacts
from engine.owing import due, owed, owed_if_cancelled, owed_whole
from engine.quote_rows import due_later_of, lines_of, taxes_of, terms_of
from engine.quotes import Question, quote_of, quote_of_nothing
from engine.repricing import Before, Part, carrying, without_part
from engine.taxes.base import TaxCollection
from engine.viewer import GUEST
from models.base import new_id
from models.booking import BookingStatus
from models.ledger.records import BookingSnapshot
from models.price import Quote
from tests.engine.test_costs import BOOKED_AT, EVERYTHING, facts_with, item, policies

SEQUENCES = 200
STEPS_MAX = 6
POLICIES: list[dict[str, Any]] = [
    {},
    {"steps": [{"hoursBefore": 24, "refund": "100"}]},
    {"steps": [{"daysBefore": 14, "refund": "66.6667"}, {"hoursBefore": 1, "refund": "33.3333"}]},
    {"steps": [{"daysBefore": 20, "fee": 4_999}, {"hoursBefore": 2, "nights": 1}]},
    {"steps": [{"hoursBefore": 5, "refund": "50"}], "deposit": {"percent": "30"}, "balance": {"daysBefore": 14}},
    {"steps": [{"hoursBefore": 5, "refund": "50"}], "deposit": {"nights": 1}},
]


def priced(*items: CostItem, at: datetime = BOOKED_AT) -> Quote:
    """What these cost, as it is kept with a booking."""
    question = Question(GUEST, [(one.facts, one.request) for one in items], [None] * len(items), at)
    return quote_of(question, cost_of(items, booked_at=at))


def some_facts(chance: random.Random) -> ResourceFacts:
    return facts_with(EVERYTHING, policies(chance.choice(POLICIES)))


def some_items(chance: random.Random) -> list[CostItem]:
    numbers = count()

    def one() -> CostItem:
        number = next(numbers)
        made = item(some_facts(chance), [chance.randint(0, 20_001) for _ in range(chance.randint(1, 3))])
        charges = tuple(_of(line, number) for line in made.priced.charges)
        return CostItem(made.facts, made.request, type(made.priced)(charges, made.priced.subtotal, made.priced.plan))

    return [one() for _ in range(chance.randint(1, 3))]


def _of(line: Any, number: int) -> Any:
    return type(line)(number, line.day, line.kind, line.quantity, line.unit_amount, line.amount, line.label)


def assert_whole(quote: Quote) -> None:
    """Every total is the sum of its parts."""
    taxes = [line for line in taxes_of(quote) if not line.included]
    at_venue = sum(line.amount for line in taxes if line.collect is TaxCollection.AT_VENUE)
    assert sum(line.amount for line in lines_of(quote)) == quote.subtotal
    assert sum(line.amount for line in taxes) == quote.tax
    assert quote.subtotal + quote.tax == quote.total
    later = [one.amount for one in due_later_of(quote)]
    assert quote.due_now + sum(later) + quote.due_at_venue == quote.total
    assert min(quote.due_now, quote.due_at_venue - at_venue, *later, 0) == 0
    terms = terms_of(quote)
    assert terms.total == quote.total - at_venue
    assert (terms.kept_before, terms.owed_least) == (quote.kept_before, quote.owed_least)
    for line in taxes_of(quote):
        assert sum(line.by_item) == line.amount
    for one in terms.items:
        assert not one.priced.nights or sum(one.priced.nights) == one.priced.price


def test_after_any_changes_and_parts_the_whole_is_whole_and_nobody_gets_what_was_not_paid() -> None:
    chance = random.Random("changes of any booking")
    for _ in range(SEQUENCES):
        items = some_items(chance)
        units = [chance.randint(1, 7) for _ in items]
        quote, at, is_owed = priced(*items), BOOKED_AT, chance.random() < 0.8
        paid = due(quote, at) if is_owed else 0
        for _ in range(chance.randint(1, STEPS_MAX)):
            at += timedelta(hours=chance.randint(0, 300))
            before = quote
            places = [n for n, left in enumerate(units) if left]
            if places and chance.random() < 0.6:
                place = chance.choice(places)
                part = Part(place, chance.randint(1, units[place]), units[place])
                quote = without_part(before, part, at, is_owed=is_owed)
                units[place] -= part.quantity
                if is_owed:
                    assert kept_of_all(terms_of(quote), at) == kept_of_all(terms_of(before), at)
                    assert owed_whole(quote) <= owed_whole(before)
            else:
                items = some_items(chance)
                units = [chance.randint(1, 7) for _ in items]
                least = owed_if_cancelled(before, at) if is_owed else 0
                quote = carrying(priced(*items, at=at), before, Before(before.kept_before, least))
                assert owed_whole(quote) >= due(quote, at) >= least
                if is_owed:
                    assert owed_if_cancelled(quote, at) >= least, "a change is no way around the terms"
            assert_whole(quote)
            assert quote.replaces_id == before.id
            if is_owed:
                paid = min(max(paid, due(quote, at)), owed_whole(quote))
                assert 0 <= refund(terms_of(quote), at, paid=paid) <= paid
                assert 0 <= owed_if_cancelled(quote, at, paid=paid) <= paid
            else:
                assert (quote.kept_before, quote.owed_least) == (0, 0)


def test_what_is_left_is_due_from_the_end() -> None:
    """300.00 of two nights and two units: 30 % now, the rest two weeks before; one unit is cancelled, half comes back.

    150.00 are left, and 75.00 kept of the other: 225.00 in all, of which 90.00 were due with the booking.
    """
    quote = priced(item(facts_with(agreed=policies(POLICIES[4])), [15_000, 15_000]))
    assert (quote.due_now, [one.amount for one in due_later_of(quote)]) == (9_000, [21_000])
    left = without_part(quote, Part(0, 1, 2), BOOKED_AT, is_owed=True)
    assert (left.total, left.due_now, [one.amount for one in due_later_of(left)]) == (22_500, 9_000, [13_500])


def test_a_quote_that_is_replaced_is_not_altered() -> None:
    quote = priced(item(facts_with(EVERYTHING), [10_000]))
    before = quote.model_dump()
    without_part(quote, Part(0, 1, 3, [{"type": "ADULT", "count": 1}]), BOOKED_AT, is_owed=True)
    carrying(priced(item(facts_with(), [5_000])), quote, Before(100, 9_000))
    assert quote.model_dump() == before


def test_nothing_is_charged_for_what_costs_nothing_but_what_was_lost() -> None:
    strict = priced(item(facts_with(agreed=policies({})), [10_000]))
    free = item(facts_with(), [0])
    question = Question(GUEST, [(free.facts, free.request)], [None], BOOKED_AT)
    after = carrying(quote_of_nothing(question, "EUR"), strict, Before(0, owed_if_cancelled(strict, BOOKED_AT)))
    assert_whole(after)
    assert (after.total, owed_whole(after)) == (10_000, 10_000)
    assert without_part(quote_of_nothing(question, "EUR"), Part(0, 1, 2), BOOKED_AT, is_owed=True).total == 0


def booking(status: BookingStatus, *, at: datetime, confirmed: bool) -> BookingSnapshot:
    of: dict[str, Any] = dict.fromkeys(BookingSnapshot.__dataclass_fields__)
    return BookingSnapshot(
        **of | {"id": new_id(), "status": status, "updated_at": at, "confirmed_at": confirmed or None}
    )


@pytest.mark.parametrize(
    ("status", "confirmed", "days", "paid", "expected"),
    [
        ("ON_HOLD", False, 0, None, 0),
        ("PENDING", False, 0, None, 0),
        ("CONFIRMED", True, 0, None, 30_000),
        ("REDEEMED", True, 0, None, 30_000),
        ("NO_SHOW", True, 0, None, 30_000),
        ("REJECTED", False, 0, None, 0),
        ("EXPIRED", False, 0, None, 0),
        ("CANCELLED", False, 0, None, 0),  # a hold that nobody confirmed
        ("CANCELLED", True, 0, None, 9_000),  # half of 300.00 is kept, but 90.00 were due
        ("CANCELLED", True, 30, None, 15_000),  # all was due two weeks before
        ("CANCELLED", True, 0, 30_000, 15_000),  # all had been paid already
        ("CANCELLED", True, 30, 9_000, 9_000),  # the balance never came
    ],
)
def test_what_is_owed(status: str, confirmed: bool, days: int, paid: int | None, expected: int) -> None:
    """Two nights at 150.00: 30 % with the booking, the rest two weeks before; half is kept until five hours before."""
    quote = priced(item(facts_with(agreed=policies(POLICIES[4])), [15_000, 15_000]))
    made = booking(BookingStatus(status), at=BOOKED_AT + timedelta(days=days), confirmed=confirmed)
    found = owed(made, quote, paid=paid)
    assert (found.amount, found.currency) == (expected, "EUR")
