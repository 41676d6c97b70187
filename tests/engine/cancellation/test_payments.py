"""Deposits, and when the balance is due."""

from dataclasses import replace
from typing import Any

import pytest

from engine.cancellation.deadlines import When
from engine.cancellation.payments import Due, Payments, all_payments, payments
from engine.cancellation.policy import Policy
from engine.cancellation.terms import Priced
from tests.engine.cancellation.examples import ALGIERS, LISBON, LONG_BEFORE, at, policy

PRICED = Priced(30_001, 800, (10_000, 12_000, 8_001))
START = at("2026-06-10 15:00")


def due(agreed: Policy | None, priced: Priced = PRICED, **more: Any) -> Payments:
    return payments(agreed, priced, replace(When(START, LONG_BEFORE, ALGIERS), **more))


TWO_WEEKS = {"daysBefore": 14}
AT = at("2026-05-27 15:00")


@pytest.mark.parametrize(
    ("agreed", "expected"),
    [
        (None, Payments(30_801)),
        (policy(), Payments(30_801)),
        # 30 % of 300.01 = 90.003 → 90.00; the rest, with 8.00 of levies: 218.01
        (policy(deposit={"percent": "30"}, balance=TWO_WEEKS), Payments(9_000, (Due(AT, 21_801),))),
        (policy(deposit={"amount": 5_000}, balance=TWO_WEEKS), Payments(5_000, (Due(AT, 25_801),))),
        # At most the price: 300.01, and the levies of 8.00 remain.
        (policy(deposit={"amount": 50_000}, balance=TWO_WEEKS), Payments(30_001, (Due(AT, 800),))),
        (policy(deposit={"nights": 1}, balance=TWO_WEEKS), Payments(10_000, (Due(AT, 20_801),))),
        (policy(deposit={"nights": 1}), Payments(10_000, at_venue=20_801)),
        (policy(deposit={"percent": "0"}), Payments(0, at_venue=30_801)),
    ],
)
def test_what_is_due_when(agreed: Policy | None, expected: Payments) -> None:
    assert due(agreed) == expected
    assert due(agreed).total == PRICED.total


def test_of_what_has_no_nights_a_deposit_of_nights_is_all() -> None:
    assert due(policy(deposit={"nights": 1}), Priced(500)) == Payments(500)


def test_a_balance_that_would_be_due_already_is_due_now() -> None:
    agreed = policy(deposit={"percent": "30"}, balance=TWO_WEEKS)
    assert due(agreed, booked_at=AT) == Payments(30_801)
    assert due(agreed, booked_at=at("2026-05-27 14:59")).now == 9_000


def test_the_balance_is_due_by_the_clocks_of_the_venue() -> None:
    """Lisbon skips 01:30 on 29 March: it is due when the gap ends, at 01:00 UTC."""
    agreed = policy(deposit={"percent": "50"}, balance={"daysBefore": 1, "at": "01:30"})
    found = due(agreed, Priced(1_000), starts_at=at("2026-03-30 15:00", LISBON), zone=LISBON)
    assert found.later == (Due(at("2026-03-29 02:00", LISBON), 500),)


def test_those_of_several_items_are_one_plan() -> None:
    agreed = policy(deposit={"percent": "50"}, balance=TWO_WEEKS)
    both = all_payments([due(agreed, Priced(1_000)), due(agreed, Priced(3_000)), due(None, Priced(7))])
    assert both == Payments(2_007, (Due(AT, 2_000),))
    assert all_payments([]) == Payments()
