"""What holds of any booking: what it is quoted at, what is booked, paid and given back are the same money.

Random rate plans, price rules, taxes, policies, stays, parties, and instants at which they are cancelled: so many as
`VACANCY_TEST_EXAMPLES` says; 100,000 of them take half an hour of one core.
"""

import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.cancellation.deciding import PolicySet, SetPolicy
from engine.cancellation.refunds import kept, refund, timeline
from engine.cancellation.terms import Terms
from engine.costs import Cost, CostItem, cost_of
from engine.pricing.book import PriceBook
from engine.pricing.charges import PriceFacts, PriceRequest
from engine.pricing.price import price_item
from engine.quote_rows import due_later_of, lines_of, taxes_of, terms_of
from engine.quotes import Question, quote_of
from engine.taxes.base import TaxCollection
from engine.taxes.deciding import TaxSet
from engine.viewer import GUEST
from models.database import Database
from models.keys import QuoteKey
from models.price import Quote
from models.queries.prices import read_quotes
from tests.engine.cancellation.test_properties import some_policy
from tests.engine.pricing.chances import chances, other_ages, shuffled, some_book, some_facts, some_request
from tests.engine.taxes.test_properties import some_taxes
from tests.engine.test_costs import facts_with
from tests.support.prices import make_guesthouse

EXAMPLES = int(os.environ.get("VACANCY_TEST_EXAMPLES", "250"))
EXAMPLES_OF_CONTROL = 200
AMOUNTS = ("subtotal", "tax", "total", "due_now", "due_at_venue")
SNAPSHOT = ("currency", "lines", "taxes", "terms", "due_later", "inputs_hash", *AMOUNTS)

Number = Callable[[int], Any]


@dataclass(frozen=True)
class Asked:
    """One to three stays of a venue, as they are asked for."""

    books: Sequence[PriceBook]
    requests: Sequence[PriceRequest]
    known: PriceFacts
    taxes: TaxSet
    policies: PolicySet

    def cost(self) -> tuple[Cost, Question]:
        """What they cost together, whoever asks for it and where."""
        facts = replace(facts_with(self.taxes, self.policies), prices=self.books[0])
        items: list[CostItem] = []
        for position, (book, request) in enumerate(zip(self.books, self.requests, strict=True)):
            priced = price_item(book, request, self.known, item=position)
            assert priced is not None
            items.append(CostItem(replace(facts, prices=book), request, priced))
        question = Question(GUEST, [(item.facts, item.request) for item in items], [None] * len(items), self.known.now)
        return cost_of(items, booked_at=self.known.now), question


def some_booking(chance: random.Random) -> Asked:
    count = chance.choice((1, 1, 1, 2, 3))
    policies = [SetPolicy(code=f"P{n}", policy=some_policy(chance), age=n) for n in range(chance.randint(0, 2))]
    return Asked(
        [some_book(chance) for _ in range(count)],
        [some_request(chance) for _ in range(count)],
        some_facts(chance),
        some_taxes(chance),
        PolicySet(tuple(policies)),
    )


def quoted(asked: Asked) -> Quote:
    """The quote, as it would be kept."""
    cost, question = asked.cost()
    return quote_of(question, cost)


def read_again(row: Quote) -> Quote:
    """The quote as it comes out of the database: through JSON."""
    columns = row.model_dump()
    return Quote(
        **columns | json.loads(json.dumps({name: columns[name] for name in ("lines", "taxes", "terms", "due_later")}))
    )


def with_other_order(asked: Asked, chance: random.Random) -> Asked:
    """The same, with guests, plans and rules in another order."""
    requests = [
        replace(request, guests=tuple(shuffled(chance, [other_ages(chance, one) for one in request.guests])))
        if request.guests is not None
        else request
        for request in asked.requests
    ]
    books = [
        PriceBook(shuffled(chance, one.plans), shuffled(chance, one.rules), one.availability_type)
        for one in asked.books
    ]
    return replace(asked, requests=requests, books=books)


@pytest.mark.timeout(7_200)
def test_a_quote_is_what_is_booked_paid_and_given_back() -> None:
    for chance in chances(EXAMPLES):
        asked = some_booking(chance)
        row = read_again(quoted(asked))
        check_parts(row, int)
        check_quote(row, asked)
        check_ledger(row, chance, asked.known.now)


@pytest.mark.timeout(7_200)
def test_whoever_asks_and_in_whatever_order_it_costs_the_same() -> None:
    for chance in chances(EXAMPLES):
        asked = some_booking(chance)
        cost, question = asked.cost()
        again, other = with_other_order(asked, chance).cost()
        same = replace(
            other,
            requests=[
                (facts, request) for (facts, _), (_, request) in zip(question.requests, other.requests, strict=True)
            ],
        )
        one, two = quote_of(question, cost), quote_of(same, again)
        assert [getattr(one, name) for name in SNAPSHOT] == [getattr(two, name) for name in SNAPSHOT]


def check_parts(row: Quote, number: Number) -> None:
    """Lines and taxes sum to what the quote says of them, and so do payments, in whatever numbers they are counted."""
    lines, taxes = lines_of(row), taxes_of(row)
    added = [line for line in taxes if not line.included]
    at_venue = [line for line in added if line.collect is TaxCollection.AT_VENUE]
    later = [number(due.amount) for due in due_later_of(row)]
    assert sum(number(line.amount) for line in lines) == number(row.subtotal)
    assert sum(number(line.amount) for line in added) == number(row.tax)
    assert number(row.subtotal) + number(row.tax) == number(row.total)
    assert number(row.due_now) + sum(later) + number(row.due_at_venue) == number(row.total)
    assert number(terms_of(row).total) + sum(number(line.amount) for line in at_venue) == number(row.total)
    for line in lines:
        assert number(line.unit_amount) * line.quantity == number(line.amount)
    for tax in taxes:
        assert sum(number(part) for part in tax.by_item) == number(tax.amount)


def check_quote(row: Quote, asked: Asked) -> None:
    """What was kept is what was counted, in whole numbers."""
    cost, _ = asked.cost()
    assert [getattr(row, name) for name in AMOUNTS] == [getattr(cost, name) for name in AMOUNTS]
    assert lines_of(row) == [line for item in cost.items for line in item.charges]
    assert tuple(taxes_of(row)) == cost.taxes.lines
    assert terms_of(row) == cost.terms
    assert all(type(getattr(row, name)) is int for name in AMOUNTS)


def check_ledger(row: Quote, chance: random.Random, booked_at: datetime) -> None:
    """The guest pays what is due when it is, cancels, and is given back what was promised: never more than was paid."""
    terms = terms_of(row)
    cancelled_at = chance.choice(some_instants(chance, terms, booked_at))
    entries = [row.due_now, *(due.amount for due in due_later_of(row) if due.at <= cancelled_at)]
    paid = sum(entries)
    entries.append(-refund(terms, cancelled_at, paid=paid))
    keeps = sum(kept(item, cancelled_at) for item in terms.items)
    assert 0 <= -entries[-1] <= paid <= terms.total
    assert sum(entries) == min(paid, keeps)
    promised = next((step.amount for step in timeline(terms, booked_at, paid=paid) if cancelled_at < step.until), 0)
    assert promised == -entries[-1]


def some_instants(chance: random.Random, terms: Terms, booked_at: datetime) -> list[datetime]:
    """From the booking on: at each deadline, just before it, and some time."""
    exact = [step.until for item in terms.items for step in item.steps] + [item.starts_at for item in terms.items]
    before = [instant - timedelta(microseconds=1) for instant in exact]
    return [booked_at, *exact, *before, booked_at + timedelta(minutes=chance.randint(0, 60 * 24 * 45))]


def test_in_floats_parts_do_not_make_the_whole() -> None:
    """The control: the same sums of the same quotes in major units, as floats, are not the totals."""
    rows = [quoted(some_booking(chance)) for chance in chances(EXAMPLES_OF_CONTROL)]
    for row in rows:
        check_parts(row, int)
    assert sum(not holds_in_floats(row) for row in rows) > EXAMPLES_OF_CONTROL / 10


def holds_in_floats(row: Quote) -> bool:
    try:
        check_parts(row, lambda minor: minor / 100)
    except AssertionError:
        return False
    return True


async def test_what_is_kept_is_what_was_quoted(database: Database) -> None:
    """Through PostgreSQL and back."""
    venue = await make_guesthouse(database)
    rows = [quoted(some_booking(chance)) for chance in chances(100)]
    for row in rows:
        row.organization_id = venue.organization_id
    told = {row.id: {name: getattr(read_again(row), name) for name in SNAPSHOT} for row in rows}
    async with database.writing(venue.organization_id) as session:
        session.add_all(rows)
    async with database.reading(venue.organization_id) as session:
        found = await read_quotes(session, [QuoteKey(venue.organization_id, id_) for id_ in told])
    assert {key.id: {name: getattr(row, name) for name in SNAPSHOT} for key, row in found.items()} == told
