"""What holds of any taxes on any booking: thousands of random ones, the same in every run."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from engine.money import Rounding, rounded
from engine.pricing.charges import Charge, ChargeKind
from engine.rules.base import GuestCount
from engine.taxes.assess import TaxedItem, assess
from engine.taxes.deciding import SetTax, TaxSet
from engine.taxes.lines import PRICED_KINDS, taxable_lines
from engine.taxes.percent import Percent
from tests.engine.taxes.examples import ARRIVAL, amount, charge, nights, percent, set_taxes, stay, valid

BOOKINGS = 800

RATES = ("0", "5", "6", "7.5", "8.875", "9", "9.975", "19", "23", "100")


def some_taxes(chance: random.Random) -> TaxSet:
    """Included ones, added ones, taxes on taxes, amounts with every limit, and seasons."""
    rounding = {"rounding": chance.choice(list(Rounding)), "roundedPer": chance.choice(("TOTAL", "LINE"))}
    turn = ARRIVAL + timedelta(days=chance.randint(0, 12))
    by_person = amount(
        "PER_PERSON_NIGHT",
        chance.randint(0, 600),
        "TOWN",
        maxNights=chance.randint(1, 9),
        skipNights=chance.randint(0, 2),
        bands=[{"maxAge": chance.randint(0, 18), "amount": chance.randint(0, 200)}],
        exemptTypes=chance.choice(([], ["INFANT"])),
        tiers=[{"fromPrice": chance.randint(1, 20_000), "amount": chance.randint(0, 900)}],
        tiersBy=chance.choice(("UNIT", "PERSON")),
        collect=chance.choice(("NOW", "AT_VENUE")),
    )
    all_: list[SetTax | tuple[str, object]] = [
        percent(chance.choice(RATES), "VAT", included=True, **rounding),
        percent(chance.choice(RATES), "FUND", included=True, onTaxes=["VAT"], kinds=["NIGHT"]),
        percent(chance.choice(RATES), "SERVICE", **rounding),
        percent(chance.choice(RATES), "ON_ALL", onTaxes=["SERVICE", "TOWN", "VAT"], **rounding),
        by_person,
        amount("PER_NIGHT", chance.randint(0, 500), "NIGHTS"),
        amount("PER_STAY", chance.randint(0, 500), "ONCE", per=chance.choice(("STAY", "UNIT", "PERSON"))),
        amount("PER_BOOKING", chance.randint(0, 500), "STAMP"),
        valid("PERCENT", percent("3", "SEASON")[1], 1, valid_until=turn),
        valid("PERCENT", percent("4", "SEASON")[1], 2, valid_from=turn),
    ]
    return set_taxes(*(tax for tax in all_ if chance.random() < 0.6 or tax in (all_[0], all_[2], all_[4])))  # type: ignore[arg-type]


def some_item(chance: random.Random, taxes: TaxSet) -> TaxedItem:
    lines = nights([chance.randint(0, 30_000) for _ in range(chance.randint(1, 12))])
    days = [line.day for line in lines]
    for kind in chance.sample(PRICED_KINDS, chance.randint(0, 3)):
        if kind is not ChargeKind.NIGHT:
            lines.append(charge(kind, chance.randint(0, 9_000), day=chance.choice(days)))
    for _ in range(chance.randint(0, 3)):
        lines.append(charge(ChargeKind.ADJUSTMENT, chance.randint(-3_000, 3_000), day=chance.choice(days)))
    guests = [
        GuestCount("ADULT", chance.randint(1, 4)),
        GuestCount("CHILD", 3, (chance.randint(0, 17), 5, chance.randint(0, 17))),
        GuestCount("INFANT", 1),
    ]
    party = None if chance.random() < 0.1 else tuple(guests[: chance.randint(1, 3)])
    return stay(taxes, lines, guests=party)


def bookings() -> list[list[TaxedItem]]:
    chance = random.Random("taxes of any booking")
    found = []
    for _ in range(BOOKINGS):
        taxes = some_taxes(chance)
        found.append([some_item(chance, taxes) for _ in range(chance.choice((1, 1, 2, 3)))])
    return found


def test_parts_make_the_whole() -> None:
    for items in bookings():
        found = assess(items, "EUR")
        assert found.included + found.added_now + found.added_at_venue == sum(line.amount for line in found.lines)
        for line in found.lines:
            assert isinstance(line.amount, int)
            assert sum(line.by_item) == line.amount
            assert len(line.by_item) == len(items)
            assert line.amount
        for item in items:
            lines = taxable_lines(item.charges)
            assert sum(line.amount for line in lines) == sum(one.amount for one in item.charges)


def test_the_order_of_guests_makes_no_difference() -> None:
    chance = random.Random("order of guests")
    for items in bookings()[::3]:
        assert assess([shuffled(item, chance) for item in items], "EUR") == assess(items, "EUR")


def shuffled(item: TaxedItem, chance: random.Random) -> TaxedItem:
    if item.stay.guests is None:
        return item
    groups = [
        replace(group, ages=group.ages and tuple(chance.sample(group.ages, len(group.ages))))
        for group in chance.sample(item.stay.guests, len(item.stay.guests))
    ]
    return replace(item, stay=replace(item.stay, guests=tuple(groups)))


def test_no_more_nights_are_taxed_than_the_tax_allows() -> None:
    chance = random.Random("nights")
    for _ in range(500):
        most, count, people = chance.randint(1, 9), chance.randint(1, 14), chance.randint(1, 6)
        taxes = set_taxes(amount("PER_PERSON_NIGHT", 1, maxNights=most))
        found = assess([stay(taxes, nights([100] * count), guests=(GuestCount("ADULT", people),))], "EUR")
        assert found.added_now == min(most, count) * people


Counted = Callable[[Percent, list[int]], int]


def counted(tax: Percent, prices: list[int]) -> int:
    """What we say."""
    taxes = TaxSet((SetTax(tax=tax, key=UUID(int=1), name="VAT"),))
    return sum(line.amount for line in assess([stay(taxes, nights(prices))], "EUR").lines)


def by_fractions(tax: Percent, prices: list[int]) -> int:
    """The same from the definition, over the sum, without lines and shares."""
    rate, whole = tax.rate.fraction, sum(prices)
    exact = Fraction(whole) * rate / (1 + rate) if tax.included else Fraction(whole) * rate
    return rounded(exact, tax.rounding)


def by_floats(tax: Percent, prices: list[int]) -> int:
    """The same as one would write it at first."""
    rate, whole = float(str(tax.rate)) / 100, sum(price / 100 for price in prices)
    exact = whole * rate / (1 + rate) if tax.included else whole * rate
    return int(exact * 100 + 0.5)


def differences(one: Counted, other: Counted) -> int:
    """How often they differ, on amounts of which many lie half way between two cents."""
    chance = random.Random("floats")
    found = 0
    for _ in range(2_000):
        values = {"rate": chance.choice(RATES), "included": chance.random() < 0.3}
        tax = Percent.model_validate({"code": "VAT", **values})
        prices = [5 * chance.randint(0, 4_000) for _ in range(chance.randint(1, 4))]
        found += one(tax, prices) != other(tax, prices)
    return found


def test_a_percentage_is_what_its_definition_says() -> None:
    assert differences(counted, by_fractions) == 0


def test_with_floats_it_is_not() -> None:
    """The control: the test above finds what floats do to a total."""
    assert differences(by_floats, by_fractions) > 0


@pytest.mark.parametrize("minor", [10.0, 0.5])
def test_a_float_can_not_be_charged(minor: float) -> None:
    one = Charge(0, ARRIVAL, ChargeKind.BOOKING, 1, minor, minor, "float")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        assess([stay(set_taxes(percent("5")), [one])], "EUR")
