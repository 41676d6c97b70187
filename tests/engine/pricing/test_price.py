"""Properties of prices, and what is refused; the arithmetic itself is in test_golden.py."""

import os
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.money import AMOUNT_MAX
from engine.pricing import registry
from engine.pricing.book import PriceBook, SetPlan, SetPriceRule
from engine.pricing.charges import ChargeKind, PriceRequest
from engine.pricing.missing import MissingPriceRule
from engine.pricing.price import price_item
from models.errors import InvalidInput, NotPriced
from tests.engine.pricing.building import MONDAY, book, facts, hourly_book, nightly, plan, rule, season, stay, time
from tests.engine.pricing.chances import chances, other_ages, shuffled, some_book, some_facts, some_request

EXAMPLES = int(os.environ.get("VACANCY_TEST_EXAMPLES", "1000"))
"""Random prices per property."""

ALWAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("WEEKDAY", {"weekdays": [1]}),
    ("PARTY_SIZE", {"min": 1}),
    ("LENGTH_OF_STAY", {"minNights": 1}),
)


def test_lines_sum_to_the_total_and_no_day_costs_less_than_nothing() -> None:
    for chance in chances(EXAMPLES):
        found, request, known = some_book(chance), some_request(chance), some_facts(chance)
        priced = price_item(found, request, known, plan=chance.choice([None, "STANDARD", "OTHER"]))

        assert priced is not None
        assert priced.subtotal == sum(line.amount for line in priced.charges) >= 0
        assert sum(priced.by_day().values()) == priced.subtotal
        assert all(amount >= 0 for amount in priced.by_day().values())
        assert all(line.quantity * line.unit_amount == line.amount for line in priced.charges)
        assert all(type(line.amount) is int for line in priced.charges)


def test_the_order_of_guests_and_of_what_was_set_makes_no_difference() -> None:
    for chance in chances(EXAMPLES):
        found, request, known = some_book(chance), some_request(chance), some_facts(chance)
        other = PriceBook(shuffled(chance, found.plans), shuffled(chance, found.rules), found.availability_type)
        party = (
            None
            if request.guests is None
            else tuple(shuffled(chance, [other_ages(chance, one) for one in request.guests]))
        )
        again = PriceRequest(request.interval, request.stay, request.quantity, None, party)

        assert price_item(found, request, known) == price_item(other, again, known)


def test_prices_of_floats_would_be_other_prices() -> None:
    """The control: the same steps in floats, rounded as late as can be, are off within the same examples."""
    for chance in chances(EXAMPLES):
        amount, percents = chance.randrange(1, 100_000), [chance.randrange(-9_999, 10_000) for _ in range(3)]
        texts = [str(Decimal(percent) / 100) for percent in percents]
        entries = [rule(type_, type_, **when, percent=text) for (type_, when), text in zip(ALWAYS, texts, strict=True)]
        priced = price_item(book(nightly(amount), *entries), stay(1), facts())
        in_floats = float(amount)
        for percent in percents:
            in_floats += in_floats * percent / 10_000

        assert priced is not None
        if round(in_floats) != priced.subtotal:
            return
    raise AssertionError("floats came to the same every time")


def test_without_a_plan_there_is_no_price() -> None:
    assert price_item(book(), stay(1), facts()) is None
    assert book().is_empty
    assert price_item(book(rule("WEEKDAY", "Mondays", weekdays=[1], percent="10")), stay(1), facts()) is None


def test_a_day_that_nobody_has_priced_is_not_for_nothing() -> None:
    until_march = SetPlan(code="STANDARD", name="Winter", plan=nightly().plan, valid_until=MONDAY)

    assert price_item(book(until_march), stay(1, arrival=MONDAY - timedelta(days=1)), facts()) is not None
    with pytest.raises(NotPriced, match="no rate plan for this day"):
        price_item(book(until_march), stay(1), facts())


def test_a_plan_by_the_night_is_none_of_what_is_sold_by_time() -> None:
    by_night, by_hour = nightly(), plan(amount=5_00, every="MINUTES")

    assert book(by_night, by_hour, kind="OPENING_HOURS").plans_on(MONDAY) == [by_hour]  # of one code, so only that fits
    assert book(by_night, by_hour).plans_on(MONDAY) == [by_night]


def test_a_plan_is_valid_by_the_day_on_which_it_begins() -> None:
    days: dict[str, Any] = {"valid_from": date(2027, 8, 1), "valid_until": date(2027, 9, 1)}
    august = SetPlan(code="STANDARD", name="August", plan=nightly(200_00).plan, priority=1, **days)
    found = book(nightly(), august)

    def label(arrival: date) -> str:
        priced = price_item(found, stay(2, arrival=arrival), facts())
        assert priced is not None
        return priced.charges[0].label

    assert [label(date(2027, 7, 31)), label(date(2027, 8, 1)), label(date(2027, 8, 31)), label(date(2027, 9, 1))] == [
        "Standard", "August", "August", "Standard"
    ]  # fmt: skip


def test_a_rule_is_valid_by_the_night() -> None:
    parsed = registry.parse("WEEKDAY", {"weekdays": [1, 2, 3], "percent": "10"})
    week = SetPriceRule(name="Early week", rule=parsed, valid_until=MONDAY + timedelta(days=1))
    priced = price_item(book(nightly(), week), stay(2), facts())

    assert priced is not None
    assert priced.by_day() == {MONDAY: 110_00, MONDAY + timedelta(days=1): 100_00}


def test_lines_say_what_they_are_of() -> None:
    priced = price_item(book(nightly(), season("Spring", "03-01", "04-01", percent="10")), stay(1), facts(), item=3)

    assert priced is not None
    assert [(line.item, line.day, line.kind, line.rule) for line in priced.charges] == [
        (3, MONDAY, ChargeKind.NIGHT, None),
        (3, MONDAY, ChargeKind.ADJUSTMENT, "SEASON"),
    ]
    assert priced.plan == "STANDARD"


def test_a_plan_that_is_not_to_be_had_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        price_item(book(nightly()), stay(1), facts(), plan="NONREF")
    assert refused.value.path == ("ratePlan",)


@pytest.mark.parametrize("source", [(), (plan(code="BASE", derivedFrom="STANDARD", change=1),)])
def test_a_derived_plan_needs_one_of_its_own_to_be_derived_from(source: tuple[SetPlan, ...]) -> None:
    derived = plan(code="NONREF", derivedFrom="BASE", percent="-10")
    with pytest.raises(NotPriced):
        price_item(book(nightly(), derived, *source), stay(1), facts(), plan="NONREF")


def test_what_can_not_be_read_can_not_be_priced(caplog: pytest.LogCaptureFixture) -> None:
    missing = registry.stored("TIDE", {"feet": 3})
    assert missing == MissingPriceRule(missing="TIDE")
    assert "TIDE" in caplog.text
    with pytest.raises(NotPriced, match="TIDE"):
        price_item(book(nightly(), SetPriceRule(name="Tide", rule=missing)), stay(1), facts())


def test_more_than_can_be_charged_is_refused() -> None:
    dear = book(nightly(10**11), rule("WEEKDAY", "Mondays", weekdays=[1], percent="1000"))
    with pytest.raises(InvalidInput, match="more than can be charged"):
        price_item(dear, stay(1, quantity=10_000), facts())


def test_the_dearest_that_can_be_charged_is() -> None:
    priced = price_item(book(nightly(10**11)), stay(9, quantity=10_000), facts())
    assert priced is not None
    assert priced.subtotal == 9 * 10**15 <= AMOUNT_MAX


def test_a_time_that_begins_before_now_is_asked_for_at_the_last_minute() -> None:
    late = rule("LEAD_TIME", "Late", belowHours=1, percent="-50")
    request = time(60)
    begun = facts(now=request.interval.starts_at + timedelta(hours=2))
    priced = price_item(hourly_book(plan(amount=10_00), late), request, begun)
    assert priced is not None
    assert priced.subtotal == 5_00
