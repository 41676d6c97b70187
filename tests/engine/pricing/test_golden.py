"""Prices, each with its arithmetic written out, by label, in minor units. 2027-03-01 is a Monday, a month from now."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from engine.pricing.book import PriceBook, SetPriceRule
from engine.pricing.charges import PriceFacts, PriceRequest
from engine.pricing.price import price_item
from tests.engine.pricing.building import (
    MONDAY,
    book,
    by_label,
    facts,
    guests,
    hourly_book,
    nightly,
    plan,
    rule,
    season,
    stay,
    time,
)


@dataclass(frozen=True)
class Case:
    name: str
    book: PriceBook
    request: PriceRequest
    expected: dict[str, int]
    facts: PriceFacts = field(default_factory=facts)
    plan: str | None = None


SAME_DAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
FRIDAY = date(2027, 3, 5)
ROOM = nightly(100_00)
TWO_AND_TWO = guests(("ADULT", 2), ("CHILD", 2, (4, 9)))
CHILD = {"name": "Child, 3 to 11", "minAge": 3, "maxAge": 11, "amount": 20_00}
SENIOR = {"name": "Senior", "type": "SENIOR", "amount": 15_00}
INFANT = {"name": "Infant", "maxAge": 2, "amount": 0}
FAMILY = plan(amount=50_00, every="NIGHT", per="PERSON", guestPrices=[CHILD, INFANT])
WITH_EXTRA = nightly(100_00, includedGuests=2, extraGuest=25_00, extraGuests=[CHILD, INFANT])
CLEANING = {"name": "Cleaning", "amount": 40_00}
LINEN = {"name": "Linen", "amount": 8_00, "per": "UNIT"}
WITH_FEES = nightly(
    100_00, fees=[CLEANING, LINEN, {"name": "Breakfast", "amount": 5_00, "per": "PERSON", "every": "NIGHT"}]
)
NON_REFUNDABLE = plan("Non-refundable", code="NONREF", derivedFrom="STANDARD", percent="-10")
BREAKFAST = plan("With breakfast", code="BREAKFAST", derivedFrom="STANDARD", change=12_50)
WEEKEND = rule("WEEKDAY", "Weekend", weekdays=[5, 6], percent="15")
SUMMER = season("Summer", "07-01", "09-01", percent="40")
WINTER = season("Winter", "12-15", "01-10", price=80_00)
FAIR = rule("EVENT_DATES", "Book fair", dates=["2027-03-02"], amount=30_00)
FULL = rule("OCCUPANCY", "Nearly full", minPercent=80, percent="20")
EMPTY = rule("OCCUPANCY", "Quiet night", belowPercent=20, percent="-20", priority=-1)
EARLY = rule("LEAD_TIME", "Early bird", minHours=24 * 28, percent="-5")
LATE = rule("LEAD_TIME", "Last minute", belowHours=24, percent="-25")
WEEKLY = rule("LENGTH_OF_STAY", "Week", minNights=7, percent="-10")
DAY_RATE = rule("LENGTH_OF_STAY", "Day rate", minMinutes=480, percent="-25")
GROUP = rule("PARTY_SIZE", "Group", min=10, percent="-12.5")
PARTNER = rule("PARTNER", "Harbour Tours", partners=["partner:harbour"], percent="-15")
PROMO = rule("PROMO_CODE", "Spring", codes=["SPRING"], percent="-20")


def mondays(**parameters: Any) -> SetPriceRule:
    return rule("WEEKDAY", "Mondays", weekdays=[1], **parameters)


CASES = [
    # Plans alone.
    Case("one night", book(ROOM), stay(1), {"Standard": 1 * 100_00}),
    Case("nights by units", book(ROOM), stay(3, quantity=2), {"Standard": 3 * 2 * 100_00}),
    Case("a booking costs the same however many", book(nightly(100_00, per="BOOKING")), stay(3, quantity=5),
         {"Standard": 3 * 100_00}),
    Case("once for a stay", book(plan(amount=250_00)), stay(6), {"Standard": 1 * 250_00}),
    Case("once for the booking", hourly_book(plan(amount=90_00, per="BOOKING")), time(480, quantity=30),
         {"Standard": 1 * 90_00}),
    Case("by the hour", hourly_book(plan(amount=8_00, every="MINUTES")), time(180, quantity=2),
         {"Standard": 3 * 2 * 8_00}),
    Case("a part of an hour that has begun counts whole", hourly_book(plan(amount=8_00, every="MINUTES")), time(121),
         {"Standard": 3 * 8_00}),
    Case("by the quarter of an hour", hourly_book(plan(amount=1_75, every="MINUTES", minutes=15)), time(50),
         {"Standard": 4 * 1_75}),  # 50 / 15 = 3.33, so 4
    Case("a ticket each", hourly_book(plan(amount=35_00, per="PERSON")), time(party=guests(("ADULT", 3))),
         {"Standard": 3 * 35_00}),
    Case("no guests told: the quantity counts", hourly_book(plan(amount=35_00, per="PERSON")), time(quantity=4),
         {"Standard": 4 * 35_00}),
    Case("children by age", book(FAMILY), stay(2, party=TWO_AND_TWO),
         {"Standard": 2 * 2 * 50_00, "Child, 3 to 11": 2 * 2 * 20_00}),
    Case("infants are free, and told", book(FAMILY), stay(1, party=guests(("ADULT", 1), ("CHILD", 1, (2,)))),
         {"Standard": 50_00, "Infant": 0}),
    Case("an age that was not told pays the full price", book(FAMILY), stay(1, party=guests(("CHILD", 2))),
         {"Standard": 2 * 50_00}),
    Case("by type, without ages",
         hourly_book(plan(amount=20_00, per="PERSON", guestPrices=[SENIOR])),
         time(party=guests(("ADULT", 1), ("SENIOR", 2))), {"Standard": 20_00, "Senior": 2 * 15_00}),
    Case("guests within what is included", book(WITH_EXTRA), stay(2, party=guests(("ADULT", 2))),
         {"Standard": 2 * 100_00}),
    Case("an extra guest each night", book(WITH_EXTRA), stay(2, party=guests(("ADULT", 3))),
         {"Standard": 2 * 100_00, "Extra guest": 2 * 25_00}),
    # Four guests, two included: the adults, who would pay 25.00 each; the children pay 20.00 each.
    Case("those who would pay most are included", book(WITH_EXTRA), stay(1, party=TWO_AND_TWO),
         {"Standard": 100_00, "Child, 3 to 11": 2 * 20_00}),
    Case("each unit includes its own", book(WITH_EXTRA), stay(1, quantity=2, party=guests(("ADULT", 5))),
         {"Standard": 2 * 100_00, "Extra guest": (5 - 2 * 2) * 25_00}),
    Case("an extra guest who is free is no line", book(WITH_EXTRA),
         stay(1, party=guests(("ADULT", 2), ("BABY", 1, (1,)))), {"Standard": 100_00}),
    Case("minimum charge", hourly_book(plan(amount=8_00, every="MINUTES", minimum=20_00)), time(60),
         {"Standard": 8_00, "Minimum charge": 20_00 - 8_00}),
    Case("above the minimum", hourly_book(plan(amount=8_00, every="MINUTES", minimum=20_00)), time(180),
         {"Standard": 3 * 8_00}),
    Case("a free plan is a price of nothing", hourly_book(plan(amount=0)), time(60), {"Standard": 0}),
    # Derived plans.
    Case("a tenth less", book(ROOM, NON_REFUNDABLE), stay(3), {"Standard": 3 * 100_00, "Non-refundable": -3 * 10_00},
         plan="NONREF"),
    # 99.95 × 10 % = 9.995, so 10.00 off each night: 89.95.
    Case("a tenth less is rounded by the night", book(nightly(99_95), NON_REFUNDABLE), stay(2),
         {"Standard": 2 * 99_95, "Non-refundable": -2 * 10_00}, plan="NONREF"),
    Case("so much more for each", book(ROOM, BREAKFAST), stay(2, quantity=3),
         {"Standard": 2 * 3 * 100_00, "With breakfast": 2 * 3 * 12_50}, plan="BREAKFAST"),
    # (100.00 + 15.00) × -10 % = -11.50.
    Case("derived from the price after the rules", book(ROOM, NON_REFUNDABLE, WEEKEND), stay(1, arrival=FRIDAY),
         {"Standard": 100_00, "Weekend": 15_00, "Non-refundable": -11_50}, plan="NONREF"),
    Case("the plan of the highest priority holds if none is named", book(ROOM, plan("Flexible", code="FLEX", priority=1,
         amount=120_00, every="NIGHT")), stay(1), {"Flexible": 120_00}),
    # Each rule alone.
    Case("weekday: Friday and Saturday night of three", book(ROOM, WEEKEND), stay(3, arrival=date(2027, 3, 4)),
         {"Standard": 3 * 100_00, "Weekend": 2 * 15_00}),
    Case("season: the last night before it ends", book(ROOM, SUMMER), stay(2, arrival=date(2027, 8, 31)),
         {"Standard": 2 * 100_00, "Summer": 1 * 40_00}),
    # 80.00 in place of 100.00 on 31 December and 9 January, over New Year; not on 10 January.
    Case("season over New Year, with a price of its own", book(ROOM, WINTER), stay(2, arrival=date(2028, 1, 9)),
         {"Standard": 2 * 100_00, "Winter": 80_00 - 100_00}),
    # A party of two adults and two children pays 140.00; at 80 instead of 50 for an adult that is 140 × 80/50 = 224.00.
    Case("a price of its own moves children in proportion",
         book(FAMILY, season("Peak", "03-01", "04-01", price=80_00)), stay(1, party=TWO_AND_TWO),
         {"Standard": 100_00, "Child, 3 to 11": 40_00, "Peak": 224_00 - 140_00}),
    Case("event: so much more for each unit", book(ROOM, FAIR), stay(3, quantity=2),
         {"Standard": 3 * 2 * 100_00, "Book fair": 1 * 2 * 30_00}),
    Case("occupancy by the night", book(ROOM, FULL), stay(2),
         {"Standard": 2 * 100_00, "Nearly full": 1 * 20_00}, facts(occupancy={MONDAY: 80_00, date(2027, 3, 2): 79_99})),
    Case("occupancy: bands of one kind do not add up", book(ROOM, FULL, EMPTY), stay(2),
         {"Standard": 2 * 100_00, "Nearly full": 20_00, "Quiet night": -20_00},
         facts(occupancy={MONDAY: 90_00, date(2027, 3, 2): 19_99})),
    Case("lead time: 28 days to the minute", book(ROOM, EARLY, LATE), stay(1),
         {"Standard": 100_00, "Early bird": -5_00}, facts(now=datetime(2027, 2, 1, 15, tzinfo=UTC))),
    Case("lead time: a minute too late", book(ROOM, EARLY, LATE), stay(1),
         {"Standard": 100_00}, facts(now=datetime(2027, 2, 1, 15, 1, tzinfo=UTC))),
    Case("lead time: on the same day", book(ROOM, EARLY, LATE), stay(1),
         {"Standard": 100_00, "Last minute": -25_00}, facts(now=SAME_DAY)),
    Case("length of stay: the seventh night makes all cheaper", book(ROOM, WEEKLY), stay(7),
         {"Standard": 7 * 100_00, "Week": -7 * 10_00}),
    Case("length of stay: six nights do not", book(ROOM, WEEKLY), stay(6), {"Standard": 6 * 100_00}),
    # 8 h × 8.00 = 64.00; a quarter off: 16.00.
    Case("length of a time",
         hourly_book(plan(amount=8_00, every="MINUTES"), DAY_RATE),
         time(480), {"Standard": 64_00, "Day rate": -16_00}),
    # 11 × 35.00 = 385.00; 12.5 % of it is 48.125, so 48.13.
    Case("party size", hourly_book(plan(amount=35_00, per="PERSON"), GROUP), time(party=guests(("ADULT", 11))),
         {"Standard": 385_00, "Group": -48_13}),
    Case("partner", book(ROOM, PARTNER), stay(1), {"Standard": 100_00, "Harbour Tours": -15_00},
         facts(partner="partner:harbour")),
    Case("another partner", book(ROOM, PARTNER), stay(1), {"Standard": 100_00}, facts(partner="partner:other")),
    Case("promo code", book(ROOM, PROMO), stay(2), {"Standard": 200_00, "Spring": -2 * 20_00}, facts(promo="SPRING")),
    Case("no promo code", book(ROOM, PROMO), stay(2), {"Standard": 200_00}),
    # Rules together: 100.00, season +40 % = 140.00, weekend +15 % of that = 161.00, week -10 % of that = 144.90.
    Case("one after the other, each of what came before",
         book(ROOM, rule("LENGTH_OF_STAY", "Short", maxNights=1, percent="-10"), WEEKEND, SUMMER),
         stay(1, arrival=date(2027, 7, 2)),
         {"Standard": 100_00, "Summer": 40_00, "Weekend": 21_00, "Short": -16_10}),
    # The resource's own of a kind goes before the venue's, even if that has the higher priority.
    Case("narrower scope first",
         book(ROOM, rule("WEEKDAY", "House", weekdays=[1], percent="50", of_resource=False, priority=9),
              rule("WEEKDAY", "Room", weekdays=[1], percent="10")),
         stay(1), {"Standard": 100_00, "Room": 10_00}),
    Case("then the higher priority",
         book(ROOM, rule("WEEKDAY", "Usual", weekdays=[1], percent="10", age=2),
              rule("WEEKDAY", "Special", weekdays=[1], percent="20", priority=1, age=1)),
         stay(1), {"Standard": 100_00, "Special": 20_00}),
    Case("then the younger",
         book(ROOM, rule("WEEKDAY", "Old", weekdays=[1], percent="10", age=1),
              rule("WEEKDAY", "New", weekdays=[1], percent="20", age=2)),
         stay(1), {"Standard": 100_00, "New": 20_00}),
    Case("a rule of one plan, and of what is derived from it",
         book(ROOM, NON_REFUNDABLE, mondays(percent="10", plans=["STANDARD"])),
         stay(1), {"Standard": 100_00, "Mondays": 10_00, "Non-refundable": -11_00}, plan="NONREF"),
    Case("a rule of the derived plan is not one of its source",
         book(ROOM, NON_REFUNDABLE, mondays(percent="10", plans=["NONREF"])),
         stay(1), {"Standard": 100_00}),
    # Bounds.
    # 100.00 × (1 - 25 %) = 75.00, but 80.00 at least: 5.00 back.
    Case("floor", book(nightly(100_00, floor=80_00), LATE), stay(1),
         {"Standard": 100_00, "Last minute": -25_00, "Lowest price": 5_00}, facts(now=SAME_DAY)),
    # Two rooms: 200.00 + 40 % = 280.00; the ceiling is 2 × 130.00.
    Case("ceiling, for each unit", book(nightly(100_00, ceiling=130_00), SUMMER),
         stay(1, arrival=date(2027, 7, 5), quantity=2),
         {"Standard": 200_00, "Summer": 80_00, "Highest price": 260_00 - 280_00}),
    Case("never below nothing", book(ROOM, rule("WEEKDAY", "Gift", weekdays=[1], amount=-150_00)), stay(1),
         {"Standard": 100_00, "Gift": -100_00}),
    # Fees: 40.00 for the cleaning, 8.00 of linen for each of 2 units, 3 guests × 2 nights × 5.00 of breakfast.
    Case("fees come on top", book(WITH_FEES),
         stay(2, quantity=2, party=guests(("ADULT", 3))),
         {"Standard": 400_00, "Cleaning": 40_00, "Linen": 16_00, "Breakfast": 30_00}),
    # Where no guests were told, each unit counts as one.
    Case("fees for as many as come", book(WITH_FEES), stay(1, quantity=2),
         {"Standard": 200_00, "Cleaning": 40_00, "Linen": 16_00, "Breakfast": 10_00}),
    # A tenth of 100.00 and not of 148.00, by the rule and by the derived plan: of 100.00, and of 90.00.
    Case("nothing moves fees", book(nightly(100_00, fees=[CLEANING]), NON_REFUNDABLE, mondays(percent="-10")), stay(1),
         {"Standard": 100_00, "Mondays": -10_00, "Non-refundable": -9_00, "Cleaning": 40_00}, plan="NONREF"),
    # 100.00 is filled up to 120.00, whatever the cleaning costs.
    Case("the minimum is without fees", book(nightly(100_00, minimum=120_00, fees=[CLEANING])), stay(1),
         {"Standard": 100_00, "Minimum charge": 20_00, "Cleaning": 40_00}),
    Case("a fee of what is sold by the hour",
         hourly_book(plan(amount=10_00, every="MINUTES", fees=[CLEANING])), time(90),
         {"Standard": 20_00, "Cleaning": 40_00}),
    Case("a fee of nothing is none", book(nightly(1_00, fees=[{"name": "Key", "amount": 0}])), stay(1),
         {"Standard": 1_00}),
    # Rounding, and currencies with no and with three decimals: the engine counts minor units, whatever they are.
    # 33.33 × 12.5 % = 4.16625, so 4.17.
    Case("each line is rounded", book(nightly(33_33), mondays(percent="12.5")), stay(1),
         {"Standard": 33_33, "Mondays": 4_17}),
    # 0.5 of a minor unit goes away from zero: 50 % of 1 is 1, of -1 it is -1.
    Case("a half goes away from zero", book(nightly(1), rule("WEEKDAY", "Half", weekdays=[1], percent="-50")), stay(1),
         {"Standard": 1, "Half": -1}),
    # ¥9,800 × 8 % = 784, ¥9,980 × 8 % = 798.4, so ¥798.
    Case("yen", book(nightly(9_980), mondays(percent="8")), stay(1),
         {"Standard": 9_980, "Mondays": 798}, facts(currency="JPY")),
    # 85.500 TND × 7.5 % = 6.4125 TND: 6,412.5 millimes, so 6,413.
    Case("millimes", book(nightly(85_500), mondays(percent="7.5")), stay(1),
         {"Standard": 85_500, "Mondays": 6_413}, facts(currency="TND")),
    # 10 % three times over is 33.1 %, each rounded by itself: 10.00, 11.00, 12.10.
    Case("tenths on tenths",
         book(ROOM, mondays(percent="10"), rule("EVENT_DATES", "Fair", dates=["2027-03-01"], percent="10"),
              rule("PARTY_SIZE", "Many", min=1, percent="10")),
         stay(1), {"Standard": 100_00, "Mondays": 10_00, "Fair": 11_00, "Many": 12_10}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    priced = price_item(case.book, case.request, case.facts, plan=case.plan)

    assert priced is not None
    assert by_label(priced) == case.expected
    assert priced.subtotal == sum(case.expected.values())
    assert sum(priced.by_day().values()) == priced.subtotal
    for line in priced.charges:
        assert line.quantity * line.unit_amount == line.amount


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
