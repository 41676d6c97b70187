"""Taxes, each with its arithmetic. Amounts are in minor units: cents of EUR, yen, millimes of TND, centimes of DZD."""

from datetime import date
from typing import Any, NamedTuple

import pytest

from engine.pricing.charges import ChargeKind
from engine.taxes.assess import TaxedItem
from engine.taxes.deciding import TaxSet
from tests.engine.taxes.examples import (
    aged,
    amount,
    charge,
    lines,
    nights,
    party,
    percent,
    set_taxes,
    stay,
    valid,
)

NIGHT, FEE, UNIT, EXTRA, OFF = (
    ChargeKind.NIGHT,
    ChargeKind.BOOKING,
    ChargeKind.UNIT,
    ChargeKind.EXTRA_GUEST,
    ChargeKind.ADJUSTMENT,
)

# The examples of docs/taxes.md: what is said of them there, and from where, is not repeated here.
LISBON = set_taxes(
    percent("6", "IVA", included=True, kinds=["NIGHT", "EXTRA_GUEST"]),
    amount("PER_PERSON_NIGHT", 400, "TMT", maxNights=7, bands=[{"maxAge": 12, "amount": 0}], exemptTypes=["MEDICAL"]),
)
ALGIERS_HOTEL = set_taxes(percent("9", "TVA"), amount("PER_PERSON_NIGHT", 20_000, "TAXE_SEJOUR", collect="AT_VENUE"))
STAMP_AND_FEE = set_taxes(amount("PER_BOOKING", 100, "STAMP"), amount("PER_STAY", 200))
TOKYO = set_taxes(
    amount(
        "PER_PERSON_NIGHT",
        0,
        "HOTEL_TAX",
        tiersBy="PERSON",
        tiers=[{"fromPrice": 10_000, "amount": 100}, {"fromPrice": 15_000, "amount": 200}],
    )
)


def one_charge(taxes: TaxSet, minor: int, kind: ChargeKind = FEE) -> TaxedItem:
    return stay(taxes, [charge(kind, minor)])


class Case(NamedTuple):
    name: str
    booking: TaxedItem | list[TaxedItem]
    expected: list[tuple[Any, ...]]
    currency: str = "EUR"


CASES = [
    # ---- a percentage, added
    Case(
        "added: 19 % of 1,500.00 = 285.00",
        one_charge(set_taxes(percent("19", "TVA")), 150_000),
        [("TVA", 28_500, "19 %")],
        "DZD",
    ),
    Case(
        "added, rounded half up: 8.875 % of 99.99 = 8.8741125 → 8.87",
        one_charge(set_taxes(percent("8.875")), 9_999),
        [("VAT", 887, "8.875 %")],
    ),
    Case(
        "a half goes up: 5 % of 0.10 = 0.005 → 0.01",
        one_charge(set_taxes(percent("5")), 10),
        [("VAT", 1, "5 %")],
    ),
    Case(
        "a half goes to the even one: 5 % of 0.10 = 0.005 → 0.00, and nothing is said; of 0.30 = 0.015 → 0.02",
        [
            one_charge(set_taxes(percent("5", "A", rounding="HALF_EVEN")), 10),
            one_charge(set_taxes(percent("5", "B", rounding="HALF_EVEN")), 30),
        ],
        [("B", 2, "5 %")],
    ),
    Case(
        "up: 1 % of 1.01 = 0.0101 → 0.02",
        one_charge(set_taxes(percent("1", rounding="UP")), 101),
        [("VAT", 2, "1 %")],
    ),
    Case(
        "down: 1 % of 1.99 = 0.0199 → 0.01",
        one_charge(set_taxes(percent("1", rounding="DOWN")), 199),
        [("VAT", 1, "1 %")],
    ),
    Case(
        "per total: 7 % of (3 × 1.50 = 4.50) = 0.315 → 0.32",
        stay(set_taxes(percent("7")), nights([150, 150, 150])),
        [("VAT", 32, "7 %")],
    ),
    Case(
        "per line: 7 % of 1.50 = 0.105 → 0.11, three times = 0.33",
        stay(set_taxes(percent("7", roundedPer="LINE")), nights([150, 150, 150])),
        [("VAT", 33, "7 %")],
    ),
    Case(
        "no minor unit: 10 % of JPY 12,345 = 1,234.5 → 1,235",
        one_charge(set_taxes(percent("10")), 12_345),
        [("VAT", 1_235, "10 %")],
        "JPY",
    ),
    Case(
        "three decimals: 19 % of TND 45.675 = 8.67825 → 8.678",
        one_charge(set_taxes(percent("19", "TVA")), 45_675),
        [("TVA", 8_678, "19 %")],
        "TND",
    ),
    Case(
        "several, side by side: 5 % and 9.975 % of 100.00, neither on the other",
        one_charge(set_taxes(percent("5", "GST"), percent("9.975", "QST")), 10_000),
        [("GST", 500, "5 %"), ("QST", 998, "9.975 %")],
    ),
    # ---- tax on tax
    Case(
        "tax on tax: 10 % of 9.99 = 0.999 → 1.00, and 17 % of (9.99 + 1.00) = 1.8683 → 1.87",
        one_charge(set_taxes(percent("17", "TGST", onTaxes=["SERVICE"]), percent("10", "SERVICE")), 999),
        [("SERVICE", 100, "10 %"), ("TGST", 187, "17 %")],
    ),
    Case(
        "three deep: 10 % of 100.00 = 10.00; 2 % of 110.00 = 2.20; 20 % of 112.20 = 22.44",
        one_charge(
            set_taxes(
                percent("20", "VAT", onTaxes=["SERVICE", "TOWN"]),
                percent("2", "TOWN", onTaxes=["SERVICE"]),
                percent("10", "SERVICE"),
            ),
            10_000,
        ),
        [("SERVICE", 1_000, "10 %"), ("TOWN", 220, "2 %"), ("VAT", 2_244, "20 %")],
    ),
    Case(
        "a percentage on an amount: 2 guests × 2 nights × 3.00 = 12.00; 10 % of (200.00 + 12.00) = 21.20",
        stay(
            set_taxes(percent("10", onTaxes=["FEE"]), amount("PER_PERSON_NIGHT", 300)),
            nights([10_000, 10_000]),
            guests=party(ADULT=2),
        ),
        [("FEE", 1_200, "€3.00 × 4"), ("VAT", 2_120, "10 %")],
    ),
    # ---- included in the price
    Case(
        "included: 106.00 / 1.06 = 100.00, so 6.00 is tax",
        one_charge(set_taxes(percent("6", included=True)), 10_600),
        [("VAT", 600, "6 %")],
    ),
    Case(
        "included, with a rest: 100.00 × 6/106 = 5.660… → 5.66",
        one_charge(set_taxes(percent("6", included=True)), 10_000),
        [("VAT", 566, "6 %")],
    ),
    Case(
        "two included together: 125.00 / (1 + 0.20 + 0.05) = 100.00; 20.00 and 5.00",
        one_charge(set_taxes(percent("20", "A", included=True), percent("5", "B", included=True)), 12_500),
        [("A", 2_000, "20 %"), ("B", 500, "5 %")],
    ),
    Case(
        "included on included: 1 + 0.10 + 0.20 × 1.10 = 1.32; 132.00 / 1.32 = 100.00; 10.00 and 22.00",
        one_charge(
            set_taxes(percent("10", "A", included=True), percent("20", "B", included=True, onTaxes=["A"])), 13_200
        ),
        [("A", 1_000, "10 %"), ("B", 2_200, "20 %")],
    ),
    Case(
        "an added tax is counted without the included one: 106.00 holds 6.00; 5 % of 100.00 = 5.00",
        one_charge(set_taxes(percent("6", "IVA", included=True), percent("5", "TOWN")), 10_600),
        [("IVA", 600, "6 %"), ("TOWN", 500, "5 %")],
    ),
    Case(
        "and on it if it says so: 5 % of (100.00 + 6.00) = 5.30",
        one_charge(set_taxes(percent("6", "IVA", included=True), percent("5", "TOWN", onTaxes=["IVA"])), 10_600),
        [("IVA", 600, "6 %"), ("TOWN", 530, "5 %")],
    ),
    Case(
        "a free booking owes no percentage",
        one_charge(set_taxes(percent("6", included=True), percent("5", "TOWN")), 0),
        [],
    ),
    # ---- what it is on
    Case(
        "lodging at 6 %, cleaning at 23 %, both included: 212.00 × 6/106 = 12.00; 61.50 × 23/123 = 11.50",
        stay(
            set_taxes(
                percent("6", "IVA", included=True, kinds=["NIGHT"]),
                percent("23", "IVA_NORMAL", included=True, kinds=["BOOKING"]),
            ),
            [*nights([10_600, 10_600]), charge(FEE, 6_150)],
        ),
        [("IVA", 1_200, "6 %"), ("IVA_NORMAL", 1_150, "23 %")],
    ),
    Case(
        "a discount of 20.00 belongs to the night (160.00) and the extra guest (40.00) of its day, 16.00 and 4.00: "
        "10 % of 144.00 = 14.40",
        stay(
            set_taxes(percent("10", kinds=["NIGHT"])),
            [*nights([16_000]), charge(EXTRA, 4_000), charge(OFF, -2_000)],
        ),
        [("VAT", 1_440, "10 %")],
    ),
    Case(
        "a surcharge that stands alone is taxed by what is on every charge: 10 % of 5.00 = 0.50",
        stay(set_taxes(percent("10", "ALL"), percent("10", "FEES", kinds=["BOOKING"])), [charge(OFF, 500)]),
        [("ALL", 50, "10 %")],
    ),
    # ---- by night and person
    Case(
        "per night: 3 nights × 2 rooms × 1.50 = 9.00",
        stay(set_taxes(amount("PER_NIGHT", 150)), nights([8_000] * 3, rooms=2), rooms=2),
        [("FEE", 900, "€1.50 × 6")],
    ),
    Case(
        "per person and night: 2 adults × 3 nights × 2.00 = 12.00",
        stay(set_taxes(amount("PER_PERSON_NIGHT", 200)), nights([8_000] * 3), guests=party(ADULT=2)),
        [("FEE", 1_200, "€2.00 × 6")],
    ),
    Case(
        "nobody said who comes: one for each of 2 rooms, 3 nights × 2 × 2.00 = 12.00",
        stay(set_taxes(amount("PER_PERSON_NIGHT", 200)), nights([8_000] * 3), rooms=2),
        [("FEE", 1_200, "€2.00 × 6")],
    ),
    Case(
        "nothing by the night where there are no nights",
        one_charge(set_taxes(amount("PER_NIGHT", 150, "A"), amount("PER_PERSON_NIGHT", 150, "B")), 10_000),
        [],
    ),
    Case(
        "at most 7 nights: 10 nights, 2 adults: 7 × 2 × 4.00 = 56.00; IVA 10 × 106.00 × 6/106 = 60.00",
        stay(LISBON, nights([10_600] * 10), guests=party(ADULT=2)),
        [("IVA", 6_000, "6 %"), ("TMT", 5_600, "€4.00 × 14")],
    ),
    Case(
        "from 13 years on: of a party of 40, 13 and 12 two pay: 2 nights × 2 × 4.00 = 16.00; the one of 12 owes 0 × 2",
        stay(LISBON, nights([10_600] * 2), guests=(aged("ADULT", 40), aged("CHILD", 12, 13))),
        [("IVA", 1_200, "6 %"), ("TMT", 1_600, "€4.00 × 4")],
    ),
    Case(
        "an exempt type owes nothing at any age: 1 × 3 × 4.00 = 12.00",
        stay(LISBON, nights([10_600] * 3), guests=(aged("MEDICAL", 50), *party(ADULT=1))),
        [("IVA", 1_800, "6 %"), ("TMT", 1_200, "€4.00 × 3")],
    ),
    Case(
        "bands: ages 3, 9 and 30 for 2 nights: 0, 1.00 × 2 = 2.00, 2.50 × 2 = 5.00",
        stay(
            set_taxes(
                amount(
                    "PER_PERSON_NIGHT",
                    250,
                    bands=[{"maxAge": 5, "amount": 0}, {"minAge": 6, "maxAge": 17, "amount": 100}],
                )
            ),
            nights([9_000] * 2),
            guests=(aged("ADULT", 30), aged("CHILD", 3, 9)),
        ),
        [("FEE", 700, "€2.50 × 2 + €1.00 × 2")],
    ),
    Case(
        "the first night is free, of the others two are taxed: 2 × 1.50 = 3.00",
        stay(set_taxes(amount("PER_NIGHT", 150, skipNights=1, maxNights=2)), nights([8_000] * 5)),
        [("FEE", 300, "€1.50 × 2")],
    ),
    Case(
        "a stay of 30 nights or more is exempt; one of 29 owes 29 × 1.00 and 5 % of 29 × 10.00 = 14.50",
        [
            stay(set_taxes(amount("PER_NIGHT", 100, "A", exemptFromNights=30)), nights([1_000] * 30)),
            stay(set_taxes(percent("5", "B", exemptFromNights=30)), nights([1_000] * 30)),
            stay(set_taxes(amount("PER_NIGHT", 100, "C", exemptFromNights=30)), nights([1_000] * 29)),
            stay(set_taxes(percent("5", "D", exemptFromNights=30)), nights([1_000] * 29)),
        ],
        [("C", 2_900, "€1.00 × 29"), ("D", 1_450, "5 %")],
    ),
    Case(
        "JPY 29,999 for two is below 15,000 each, so 100 each; 30,000 is not, so 200 each: 200 + 400 = 600",
        stay(TOKYO, nights([29_999, 30_000]), guests=party(ADULT=2)),
        [("HOTEL_TAX", 600, "¥200 × 2 + ¥100 × 2")],
        "JPY",
    ),
    Case(
        "JPY 9,999 for one is below every tier",
        stay(TOKYO, nights([9_999]), guests=party(ADULT=1)),
        [],
        "JPY",
    ),
    Case(
        "a tier looks at the price without the tax that it includes: 110.00 holds 10.00, and 100.00 is the second tier",
        stay(
            set_taxes(
                percent("10", included=True), amount("PER_NIGHT", 100, tiers=[{"fromPrice": 10_001, "amount": 300}])
            ),
            nights([11_000]),
        ),
        [("VAT", 1_000, "10 %"), ("FEE", 100, "€1.00 × 1")],
    ),
    Case(
        "and at that of one unit: 3 rooms for 240.00 are 80.00 each, so 1.00 × 3",
        stay(
            set_taxes(amount("PER_NIGHT", 100, tiers=[{"fromPrice": 10_000, "amount": 300}])),
            nights([8_000], rooms=3),
            rooms=3,
        ),
        [("FEE", 300, "€1.00 × 3")],
    ),
    Case(
        "9 % of 2 × 12,000.00 = 2,160.00; 2 people × 2 nights × 200.00 = 800.00",
        stay(ALGIERS_HOTEL, nights([1_200_000] * 2), guests=party(ADULT=2)),
        [("TAXE_SEJOUR", 80_000, "DZD\u00a0200.00 × 4"), ("TVA", 216_000, "9 %")],
        "DZD",
    ),
    Case(
        "of a cent, two taxes that it includes are both a cent, rounded up: the second finds nothing left",
        stay(
            set_taxes(
                percent("5", "A", included=True, rounding="UP"),
                percent("5", "B", included=True, rounding="UP", roundedPer="LINE"),
                percent("100", "C"),
            ),
            nights([1]),
        ),
        [("A", 1, "5 %")],
    ),
    Case(
        "a fee is taxed by what is on fees, and moved by no discount: 6 % of 90.00 = 5.40, 23 % of 40.00 = 9.20",
        stay(
            set_taxes(percent("6", "LODGING", kinds=["NIGHT"]), percent("23", "SERVICES", kinds=["FEE"])),
            [*nights([10_000]), charge(ChargeKind.ADJUSTMENT, -1_000), charge(ChargeKind.FEE, 4_000)],
        ),
        [("LODGING", 540, "6 %"), ("SERVICES", 920, "23 %")],
    ),
    Case(
        "and is no part of what a night costs: 90.00 is below the tier from 100.00 on",
        stay(
            set_taxes(amount("PER_NIGHT", 100, tiers=[{"fromPrice": 10_000, "amount": 300}])),
            [*nights([9_000]), charge(ChargeKind.FEE, 4_000)],
        ),
        [("FEE", 100, "€1.00 × 1")],
    ),
    # ---- once
    Case(
        "per stay, unit and person: 5.00; 2 rooms × 1.00; 3 people × 2.00, the child of 8 half of it: 2 × 2.00 + 1.00",
        stay(
            set_taxes(
                amount("PER_STAY", 500, "A"),
                amount("PER_STAY", 100, "B", per="UNIT"),
                amount("PER_STAY", 200, "C", per="PERSON", bands=[{"maxAge": 11, "amount": 100}]),
            ),
            nights([5_000] * 4, rooms=2),
            rooms=2,
            guests=(aged("CHILD", 8), *party(ADULT=2)),
        ),
        [("A", 500, "€5.00 × 1"), ("B", 200, "€1.00 × 2"), ("C", 500, "€2.00 × 2 + €1.00 × 1")],
    ),
    Case(
        "per booking: once, however many items; per stay: for each of them",
        [
            stay(STAMP_AND_FEE, nights([5_000])),
            stay(STAMP_AND_FEE, nights([5_000])),
        ],
        [("FEE", 400, "€2.00 × 2"), ("STAMP", 100, "€1.00 × 1")],
    ),
    # ---- seasons, and which rule decides
    Case(
        "two nights before 1 September at 2.00, three after at 4.00; at most 4 nights in all: 2 × 2.00 + 2 × 4.00",
        stay(
            set_taxes(
                valid("PER_NIGHT", amount("PER_NIGHT", 200, maxNights=4)[1], 1, valid_until=date(2026, 9, 1)),
                valid("PER_NIGHT", amount("PER_NIGHT", 400, maxNights=4)[1], 2, valid_from=date(2026, 9, 1)),
            ),
            nights([5_000] * 5, arrival=date(2026, 8, 30)),
            arrival=date(2026, 8, 30),
        ),
        [("FEE", 400, "€2.00 × 2"), ("FEE", 800, "€4.00 × 2")],
    ),
    Case(
        "a rate that changes during the stay: 10 % of 100.00 and then 12 % of 100.00",
        stay(
            set_taxes(
                valid("PERCENT", percent("10")[1], 1, valid_until=date(2026, 6, 2)),
                valid("PERCENT", percent("12")[1], 2, valid_from=date(2026, 6, 2)),
            ),
            nights([10_000] * 2),
        ),
        [("VAT", 1_000, "10 %"), ("VAT", 1_200, "12 %")],
    ),
    Case(
        "the resource's own rule goes before the venue's, also at 0: only STAMP is owed",
        stay(
            set_taxes(
                percent("10"),
                valid("PERCENT", percent("0")[1], 1, of_resource=True),
                amount("PER_BOOKING", 100, "STAMP"),
            ),
            nights([10_000]),
        ),
        [("STAMP", 100, "€1.00 × 1")],
    ),
    Case(
        "then the higher priority, whatever its age",
        stay(
            set_taxes(valid("PERCENT", percent("10")[1], 1, priority=1), valid("PERCENT", percent("12")[1], 2)),
            nights([10_000]),
        ),
        [("VAT", 1_000, "10 %")],
    ),
    Case(
        "then the younger",
        stay(set_taxes(percent("10"), percent("12")), nights([10_000])),
        [("VAT", 1_200, "12 %")],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_arithmetic(case: Case) -> None:
    assert lines(case.booking, case.currency) == case.expected
