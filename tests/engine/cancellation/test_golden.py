"""What comes back, each with its arithmetic; amounts in minor units, times on the venue's clocks."""

from datetime import datetime
from typing import NamedTuple

import pytest

from engine.cancellation.parts import kept_of_part, rest_of
from engine.cancellation.refunds import Refund, refund, timeline
from engine.cancellation.terms import Priced, Terms
from tests.engine.cancellation.examples import (
    ALGIERS,
    LISBON,
    LONG_BEFORE,
    LORD_HOWE,
    at,
    booking,
    item,
    of,
    policy,
)

FLEXIBLE = policy(
    {"daysBefore": 7, "at": "18:00", "refund": "100"},
    {"daysBefore": 2, "at": "18:00", "refund": "50"},
    {"hoursBefore": 0, "nights": 1},
)
STRICT = policy()
FEE = policy({"hoursBefore": 48, "fee": 2_500})
GRACE = policy({"hoursAfterBooking": 24, "refund": "100"}, {"daysBefore": 7, "refund": "50"})
HALF = policy({"hoursBefore": 24, "refund": "50"})
THIRD = policy({"hoursBefore": 24, "refund": "33.3333"})
DAY_BEFORE = policy({"daysBefore": 1, "at": "01:30", "refund": "100"})

THREE_NIGHTS = (10_000, 12_000, 8_001)
STAY = of(FLEXIBLE, 30_001, nights=THREE_NIGHTS)


class Case(NamedTuple):
    name: str
    terms: Terms
    at: datetime
    expected: int
    paid: int | None = None


CASES = [
    # ---- each step, from both sides of its deadline
    Case("long before: all of 300.01", STAY, at("2026-05-01 12:00"), 30_001),
    Case("7 days before at 17:59: all", STAY, at("2026-06-03 17:59"), 30_001),
    Case("at 18:00 half: 150.005, a half up → 150.01", STAY, at("2026-06-03 18:00"), 15_001),
    Case("2 days before at 17:59: half", STAY, at("2026-06-08 17:59"), 15_001),
    Case("at 18:00 all but the first night: 300.01 - 100.00 = 200.01", STAY, at("2026-06-08 18:00"), 20_001),
    Case("a second before the start: the same", STAY, at("2026-06-10 14:59:59"), 20_001),
    Case("from the start on: nothing", STAY, at("2026-06-10 15:00"), 0),
    Case("days after: nothing", STAY, at("2026-06-20 15:00"), 0),
    # ---- kinds of steps
    Case("nothing ever comes back", of(STRICT, 30_001), LONG_BEFORE, 0),
    Case("no policy: all, until the start", of(None, 30_001), at("2026-06-10 14:59"), 30_001),
    Case("and then nothing", of(None, 30_001), at("2026-06-10 15:00"), 0),
    Case("a fee: 300.01 - 25.00 = 275.01", of(FEE, 30_001), at("2026-06-08 14:59"), 27_501),
    Case("48 hours before, to the second: nothing more", of(FEE, 30_001), at("2026-06-08 15:00"), 0),
    Case("a fee above the price: 20.00 - min(25.00, 20.00) = 0", of(FEE, 2_000), LONG_BEFORE, 0),
    Case(
        "more nights kept than there are: nothing",
        of(policy({"hoursBefore": 0, "nights": 9}), 30_001, nights=THREE_NIGHTS),
        LONG_BEFORE,
        0,
    ),
    Case("nights of what has no nights: nothing", of(policy({"hoursBefore": 0, "nights": 1}), 500), LONG_BEFORE, 0),
    Case("33.3333 % of 100.00 = 33.3333 → 33.33", of(THIRD, 10_000), LONG_BEFORE, 3_333),
    # ---- currencies
    Case("no minor unit: half of JPY 12,345 = 6,172.5 → 6,173", of(HALF, 12_345), LONG_BEFORE, 6_173),
    Case("three decimals: half of TND 45.675 = 22.8375 → 22.838", of(HALF, 45_675), LONG_BEFORE, 22_838),
    # ---- after booking
    Case(
        "23:59 hours after booking: all",
        of(GRACE, 10_000, booked_at=at("2026-06-08 10:00")),
        at("2026-06-09 09:59"),
        10_000,
    ),
    Case(
        "24 hours after, less than 7 days before: nothing",
        of(GRACE, 10_000, booked_at=at("2026-06-08 10:00")),
        at("2026-06-09 10:00"),
        0,
    ),
    Case(
        "24 hours after, long before: half",
        of(GRACE, 10_000, booked_at=at("2026-05-01 10:00")),
        at("2026-05-02 10:00"),
        5_000,
    ),
    Case(
        "the grace ends with the start, 2 hours after booking",
        of(GRACE, 10_000, booked_at=at("2026-06-10 13:00")),
        at("2026-06-10 15:00"),
        0,
    ),
    # ---- what was paid
    Case(
        "a deposit of 90.00 of 300.01 was paid, half (150.00) is kept: nothing comes back",
        STAY,
        at("2026-06-04 12:00"),
        0,
        paid=9_000,
    ),
    Case("the deposit comes back where nothing is kept", STAY, at("2026-05-01 12:00"), 9_000, paid=9_000),
    Case("200.00 were paid, 150.00 kept: 50.00", STAY, at("2026-06-04 12:00"), 5_000, paid=20_000),
    # ---- levies come back whole
    Case(
        "half of 100.00 and the 8.00 of tourist tax: 58.00",
        of(HALF, 10_000, levies=800),
        LONG_BEFORE,
        5_800,
    ),
    Case("too late for the price, not for the tax: 8.00", of(HALF, 10_000, levies=800), at("2026-06-10 14:59"), 800),
    Case("from the start on not that either", of(HALF, 10_000, levies=800), at("2026-06-10 15:00"), 0),
    # ---- several items, each by its own start and policy
    Case(
        "one begun (0), one 5 days before at half: 50.00",
        booking(item(FLEXIBLE, 10_000, starts="2026-06-10 15:00"), item(FLEXIBLE, 10_000, starts="2026-06-17 15:00")),
        at("2026-06-12 12:00"),
        5_000,
    ),
    # ---- days on which the clocks change
    Case(
        "Lisbon skips 01:30 on 29 March, so the day before 30 March at 01:30 ends at 02:00 (01:00 UTC): 00:59:59 UTC",
        of(DAY_BEFORE, 10_000, starts="2026-03-30 15:00", zone=LISBON),
        at("2026-03-29 00:59:59", LISBON),
        10_000,
    ),
    Case(
        "and at 02:00 it is over",
        of(DAY_BEFORE, 10_000, starts="2026-03-30 15:00", zone=LISBON),
        at("2026-03-29 02:00", LISBON),
        0,
    ),
    Case(
        "Lisbon shows 01:30 twice on 25 October: until the second showing all comes back",
        of(DAY_BEFORE, 10_000, starts="2026-10-26 15:00", zone=LISBON),
        at("2026-10-25 01:29", LISBON, fold=1),
        10_000,
    ),
    Case(
        "and then nothing",
        of(DAY_BEFORE, 10_000, starts="2026-10-26 15:00", zone=LISBON),
        at("2026-10-25 01:30", LISBON, fold=1),
        0,
    ),
    Case(
        "24 hours before 29 March 15:00 is 14:00 the day before, since the day has 23",
        of(HALF, 10_000, starts="2026-03-29 15:00", zone=LISBON),
        at("2026-03-28 13:59", LISBON),
        5_000,
    ),
    Case(
        "at 14:00 it is over",
        of(HALF, 10_000, starts="2026-03-29 15:00", zone=LISBON),
        at("2026-03-28 14:00", LISBON),
        0,
    ),
    Case(
        "a day before by the calendar is 15:00, whatever the clocks did in between",
        of(policy({"daysBefore": 1, "refund": "50"}), 10_000, starts="2026-03-29 15:00", zone=LISBON),
        at("2026-03-28 14:59", LISBON),
        5_000,
    ),
    Case(
        "Lord Howe goes back by half an hour on 5 April: that day has 24.5 hours, so 24 before 12:00 is 12:30",
        of(HALF, 10_000, starts="2026-04-05 12:00", zone=LORD_HOWE),
        at("2026-04-04 12:29", LORD_HOWE),
        5_000,
    ),
    Case(
        "at 12:30 it is over",
        of(HALF, 10_000, starts="2026-04-05 12:00", zone=LORD_HOWE),
        at("2026-04-04 12:30", LORD_HOWE),
        0,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_comes_back(case: Case) -> None:
    assert refund(case.terms, case.at, paid=case.paid) == case.expected


def test_the_timeline_tells_each_change_once() -> None:
    assert timeline(STAY, LONG_BEFORE) == [
        Refund(at("2026-06-03 18:00"), 30_001),
        Refund(at("2026-06-08 18:00"), 15_001),
        Refund(at("2026-06-10 15:00"), 20_001),
    ]


def test_steps_that_are_over_when_it_is_booked_are_not_told() -> None:
    late = of(FLEXIBLE, 30_001, nights=THREE_NIGHTS, booked_at=at("2026-06-08 18:00"))
    assert timeline(late, at("2026-06-08 18:00")) == [Refund(at("2026-06-10 15:00"), 20_001)]


def test_a_step_that_ends_before_the_one_above_it_never_decides() -> None:
    """The grace runs beyond the seven days: while it lasts all comes back, and after it nothing."""
    grace = of(GRACE, 10_000, booked_at=at("2026-06-03 10:00"))
    assert timeline(grace, at("2026-06-03 10:00")) == [Refund(at("2026-06-04 10:00"), 10_000)]


def test_steps_of_several_items_stand_in_one_timeline() -> None:
    two = booking(item(HALF, 1_000, starts="2026-06-10 15:00"), item(FEE, 5_000, starts="2026-06-12 15:00"))
    assert timeline(two, LONG_BEFORE) == [
        Refund(at("2026-06-09 15:00"), 500 + 2_500),
        Refund(at("2026-06-10 15:00"), 2_500),
    ]


def test_nothing_is_told_where_nothing_comes_back() -> None:
    assert timeline(of(STRICT, 10_000), LONG_BEFORE) == []
    assert timeline(of(None, 0), LONG_BEFORE) == []


@pytest.mark.parametrize(
    ("left", "price", "expected"),
    [
        # All but 25.00 of three units at 100.00 comes back. Of two units: 25.00 × 2/3 = 16.67, so 8.33 is kept of one.
        (2, 6_667, 833),
        (1, 3_333, 1_667),  # 25.00 × 1/3 = 8.33
        (0, 0, 2_500),
        (3, 10_000, 0),
    ],
)
def test_of_a_part_is_kept_what_is_not_kept_of_the_rest(left: int, price: int, expected: int) -> None:
    whole = item(FEE, 10_000)
    assert kept_of_part(whole, rest_of(whole, Priced(price), (left, 3)), LONG_BEFORE) == expected


def test_of_a_part_nothing_comes_back_after_the_start() -> None:
    whole = item(FEE, 10_000, levies=600)
    rest = rest_of(whole, Priced(6_667, 400), (2, 3))
    assert kept_of_part(whole, rest, at("2026-06-10 15:00")) == 3_333 + 200
    assert kept_of_part(whole, rest, LONG_BEFORE) == 833, "while nobody has come its levies do"


@pytest.mark.parametrize("share", [(-1, 3), (4, 3), (0, 0)])
def test_a_rest_is_a_part_of_the_whole(share: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="part of the whole"):
        rest_of(item(FEE, 10_000, zone=ALGIERS), Priced(0), share)


def test_what_was_kept_before_is_kept_besides() -> None:
    """25.00 of what is left, and 10.00 of a part that was cancelled: of 110.00 comes back 75.00."""
    changed = Terms("EUR", (item(FEE, 10_000),), kept_before=1_000)
    assert (changed.total, changed.before, refund(changed, LONG_BEFORE)) == (11_000, 1_000, 7_500)
    assert timeline(changed, LONG_BEFORE)[-1].amount == 7_500


@pytest.mark.parametrize(
    ("least", "total", "back"),
    [
        (2_000, 10_000, 7_500),  # the fee of now is more than what was lost before
        (4_000, 10_000, 6_000),
        (12_000, 12_000, 0),  # it is cheaper now: less is not owed
    ],
)
def test_less_than_was_lost_is_not_owed(least: int, total: int, back: int) -> None:
    changed = Terms("EUR", (item(FEE, 10_000),), owed_least=least)
    assert (changed.total, refund(changed, LONG_BEFORE)) == (total, back)
