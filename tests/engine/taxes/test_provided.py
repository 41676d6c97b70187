"""Taxes that a provider counts: what it is asked, and what is made of its answer. Amounts in cents."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from engine.taxes import registry
from engine.taxes.assess import Assessment, TaxedItem, assess
from engine.taxes.bill import TaxBill, TaxCalculation, TaxPlace, bill_of, provided_of
from engine.taxes.order import check_order
from engine.taxes.provided import CountedTax
from models.errors import InvalidInput, NotPriced
from tests.engine.taxes.examples import (
    ARRIVAL,
    Parameters,
    amount,
    fault_of,
    nights,
    percent,
    set_taxes,
    stay,
    valid,
)


def provided(code: str = "VAT", **more: object) -> tuple[str, Parameters]:
    return "PROVIDED", {"code": code, **more}


def bill(*items: TaxedItem, countries: Sequence[str] = ()) -> TaxBill | None:
    return bill_of(items, countries or ["PT"] * len(items), "EUR")


def counted(items: Sequence[TaxedItem], *taxes: int) -> Assessment:
    """The items, where the provider says that so much is owed of each line of the bill."""
    asked = bill(*items)
    assert asked is not None
    answer = TaxCalculation("calc_1", tuple(CountedTax(tax, "6 %") for tax in taxes))
    return assess(items, "EUR", provided_of(asked, answer))


def test_it_is_asked_for_what_each_item_costs() -> None:
    """3 × 100.00, and 2 × 50.00 with the tax in it, of another kind."""
    rooms = stay(set_taxes(provided(postalCode="1100-148")), nights([10_000] * 3))
    boats = stay(set_taxes(provided(included=True, product="txcd_1", postalCode="1100-148")), nights([5_000] * 2))
    asked = bill(rooms, boats)
    assert asked is not None
    assert (asked.currency, asked.place) == ("EUR", TaxPlace("PT", None, "1100-148"))
    assert [(line.item, line.amount, line.included, line.product) for line in asked.lines] == [
        (0, 30_000, False, None),
        (1, 10_000, True, "txcd_1"),
    ]


def test_who_counts_by_the_table_asks_nobody() -> None:
    assert bill(stay(set_taxes(percent("6")), nights([10_000]))) is None
    assert bill(stay(set_taxes(provided(exemptFromNights=2)), nights([10_000] * 2))) is None
    assert bill(stay(set_taxes(provided()), nights([0, 0]))) is None


def test_a_bill_is_of_one_place() -> None:
    item = stay(set_taxes(provided()), nights([10_000]))
    with pytest.raises(InvalidInput, match="one place"):
        bill(item, item, countries=["PT", "ES"])


def test_what_is_added_comes_on_top_with_a_tourist_tax_beside_it() -> None:
    """2 × 100.00; 6 % of 200.00 is 12.00, the provider says; and 2 nights of 4.00."""
    taxes = set_taxes(provided(), amount("PER_NIGHT", 400, "CITY"))
    found = counted([stay(taxes, nights([10_000] * 2))], 1_200)
    assert [(line.code, line.amount, line.rate, line.calculation) for line in found.lines] == [
        ("CITY", 800, "€4.00 × 2", None),
        ("VAT", 1_200, "6 %", "calc_1"),
    ]
    assert (found.included, found.added_now) == (0, 2_000)


def test_what_is_included_adds_nothing() -> None:
    found = counted([stay(set_taxes(provided(included=True)), nights([10_600] * 2))], 1_200)
    assert [(line.amount, line.included, line.is_owed_for_the_stay) for line in found.lines] == [(1_200, True, False)]
    assert (found.included, found.added_now, found.added_at_venue) == (1_200, 0, 0)


def test_a_tier_looks_at_the_price_without_what_is_included() -> None:
    """A night of 106.00 with 6.00 in it costs 100.00: below the tier from 100.01 on."""
    taxes = set_taxes(
        provided(included=True), amount("PER_NIGHT", 100, "CITY", tiers=[{"fromPrice": 10_001, "amount": 900}])
    )
    found = counted([stay(taxes, nights([10_600]))], 600)
    assert [(line.code, line.amount) for line in found.lines] == [("VAT", 600), ("CITY", 100)]


def test_each_item_has_its_part() -> None:
    taxes = set_taxes(provided())
    items = [stay(taxes, nights([10_000])), stay(set_taxes(), nights([5_000], item=1)), stay(taxes, nights([7_000]))]
    (line,) = counted(items, 600, 420).lines
    assert (line.amount, line.by_item) == (1_020, (600, 0, 420))


def test_a_stay_may_run_from_the_table_into_the_providers_season() -> None:
    """Two nights of 100.00 at 10 % by the table, and one of 100.00 by the provider: 20.00 and 6.00."""
    switch = ARRIVAL + timedelta(days=2)
    taxes = set_taxes(
        valid(*percent("10"), 1, valid_until=switch),
        valid(*provided(), 2, valid_from=switch),
    )
    item = stay(taxes, nights([10_000] * 3))
    asked = bill(item)
    assert asked is not None
    assert [line.amount for line in asked.lines] == [10_000]
    assert [(line.amount, line.calculation) for line in counted([item], 600).lines] == [
        (2_000, None),
        (600, "calc_1"),
    ]


def test_without_the_provider_an_included_tax_is_not_told_and_an_added_one_has_no_price() -> None:
    included = stay(set_taxes(provided(included=True)), nights([10_600]))
    assert assess([included], "EUR").lines == ()
    with pytest.raises(NotPriced, match="asked for a quote"):
        assess([stay(set_taxes(provided()), nights([10_000]))], "EUR")
    tiers = amount("PER_NIGHT", 100, "CITY", tiers=[{"fromPrice": 10_001, "amount": 900}])
    with pytest.raises(NotPriced):
        assess([stay(set_taxes(provided(included=True), tiers), nights([10_600]))], "EUR")


@pytest.mark.parametrize(("tax", "included"), [(-1, False), (10_601, True)])
def test_an_answer_that_can_not_be_is_not_taken(tax: int, included: bool) -> None:
    with pytest.raises(ValueError, match="a tax of"):
        counted([stay(set_taxes(provided(included=included)), nights([10_600]))], tax)


@pytest.mark.parametrize(
    ("taxes", "message"),
    [
        ([provided(), percent("6", "GST")], "GST can not be beside it"),
        ([provided(), provided("GST")], "VAT is counted by the tax provider|GST is counted by the tax provider"),
        ([provided(), percent("1", "VAT", onTaxes=["CITY"]), amount("PER_NIGHT", 1, "CITY")], ""),
    ],
)
def test_a_provider_counts_all_percentages(taxes: list[tuple[str, Parameters]], message: str) -> None:
    parsed = [registry.parse(*tax) for tax in taxes]
    if not message:
        check_order(parsed, path=())
        return
    with pytest.raises(InvalidInput, match=message):
        check_order(parsed, path=("input", "parameters"))


def test_nothing_is_on_what_a_provider_counts() -> None:
    season = [percent("6"), percent("1", "CITY", onTaxes=["VAT"])]
    check_order([registry.parse(*tax) for tax in season], path=())
    with pytest.raises(InvalidInput, match="can not be"):
        check_order([registry.parse(*tax) for tax in (*season, provided())], path=())


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"collect": "AT_VENUE"}, ""),
        ({"rate": "6"}, "rate"),
        ({"product": "a b"}, "product"),
        ({"included": "yes"}, "included"),
        ({"postalCode": ""}, "postalCode"),
    ],
)
def test_what_makes_no_sense_is_refused(parameters: Parameters, fault: str) -> None:
    assert fault_of("PROVIDED", {"code": "VAT", **parameters}) == fault
