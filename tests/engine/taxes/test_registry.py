"""What a tax may say, what can be read again, and what can not be set together."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from engine.pricing.charges import ChargeKind
from engine.taxes import registry
from engine.taxes.amount import AmountTax
from engine.taxes.assess import assess
from engine.taxes.base import TaxedStay
from engine.taxes.deciding import TaxSet
from engine.taxes.order import check_order, in_order
from engine.taxes.percent import Percent  # noqa: F401 - what an entry point may name by mistake
from engine.taxes.plugins import GROUP, installed
from models.errors import InstallationError, InvalidInput, NotPriced
from tests.engine.taxes.examples import ARRIVAL, Parameters, amount, charge, fault_of, percent, set_taxes, stay

every_type = pytest.mark.parametrize("type_", registry.TAXES)


@every_type
def test_it_is_described_and_its_example_is_kept_as_it_is_written(type_: str) -> None:
    kind = registry.TAXES[type_]
    assert kind.type == type_
    assert kind.summary.endswith(".")
    tax = registry.parse(type_, kind.example)
    assert tax.parameters() == kind.example
    assert registry.parse(type_, json.loads(json.dumps(tax.parameters()))) == tax
    schema = kind.model_json_schema()
    undescribed = [
        name
        for part in (schema, *schema.get("$defs", {}).values())
        for name, field in part.get("properties", {}).items()
        if not field.get("description")
    ]
    assert undescribed == []


IVA = {"code": "IVA", "rate": "6"}
FEE = {"code": "FEE", "amount": 100}


@pytest.mark.parametrize(
    ("type_", "parameters", "fault"),
    [
        ("PERCENT", {}, "code"),
        ("PERCENT", {**IVA, "colour": "red"}, "colour"),
        ("PERCENT", {**IVA, "code": "iva"}, "code"),
        ("PERCENT", {**IVA, "rate": 6}, "rate"),
        ("PERCENT", {**IVA, "rate": 6.5}, "rate"),
        ("PERCENT", {**IVA, "rate": "-1"}, "rate"),
        ("PERCENT", {**IVA, "rate": "100.0001"}, "rate"),
        ("PERCENT", {**IVA, "rate": "1.23456"}, "rate"),
        ("PERCENT", {**IVA, "rate": "6 %"}, "rate"),
        ("PERCENT", {**IVA, "included": 1}, "included"),
        ("PERCENT", {**IVA, "included": True, "collect": "AT_VENUE"}, ""),
        ("PERCENT", {**IVA, "collect": "LATER"}, "collect"),
        ("PERCENT", {**IVA, "kinds": ["ADJUSTMENT"]}, ""),
        ("PERCENT", {**IVA, "kinds": ["NIGHT", "NIGHT"]}, "kinds"),
        ("PERCENT", {**IVA, "kinds": ["ROOM"]}, "kinds.0"),
        ("PERCENT", {**IVA, "onTaxes": ["IVA"]}, ""),
        ("PERCENT", {**IVA, "onTaxes": ["A", "A"]}, "onTaxes"),
        ("PERCENT", {**IVA, "rounding": "NEAREST"}, "rounding"),
        ("PERCENT", {**IVA, "roundedPer": "NIGHT"}, "roundedPer"),
        ("PERCENT", {**IVA, "exemptFromNights": 0}, "exemptFromNights"),
        ("PER_NIGHT", {**FEE, "amount": 1.0}, "amount"),
        ("PER_NIGHT", {**FEE, "amount": "100"}, "amount"),
        ("PER_NIGHT", {**FEE, "amount": -1}, "amount"),
        ("PER_NIGHT", {**FEE, "amount": 10**11 + 1}, "amount"),
        ("PER_NIGHT", {**FEE, "maxNights": 0}, "maxNights"),
        ("PER_NIGHT", {**FEE, "skipNights": -1}, "skipNights"),
        ("PER_NIGHT", {**FEE, "tiers": [{"fromPrice": 5, "amount": 1}, {"fromPrice": 5, "amount": 2}]}, ""),
        ("PER_NIGHT", {**FEE, "tiersBy": "GUEST"}, "tiersBy"),
        ("PER_NIGHT", {**FEE, "bands": [{"maxAge": 5, "amount": 0}]}, "bands"),
        ("PER_PERSON_NIGHT", {**FEE, "bands": [{"amount": 0}]}, "bands.0"),
        ("PER_PERSON_NIGHT", {**FEE, "bands": [{"minAge": 9, "maxAge": 8, "amount": 0}]}, "bands.0"),
        ("PER_PERSON_NIGHT", {**FEE, "bands": [{"maxAge": 151, "amount": 0}]}, "bands.0.maxAge"),
        ("PER_PERSON_NIGHT", {**FEE, "exemptTypes": ["child"]}, "exemptTypes.0"),
        ("PER_STAY", {**FEE, "per": "NIGHT"}, "per"),
        ("PER_BOOKING", {**FEE, "rate": "1"}, "rate"),
    ],
)
def test_what_makes_no_sense_is_refused(type_: str, parameters: Parameters, fault: str) -> None:
    assert fault_of(type_, parameters) == fault


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidInput, match="unknown type of tax") as caught:
        registry.parse("WINDOW_TAX", {}, path=("input",))
    assert caught.value.path == ("input", "type")


def test_what_can_not_be_read_any_more_has_no_price() -> None:
    assert registry.stored("WINDOW_TAX", {}) is None
    assert registry.stored("PERCENT", {"rate": "6"}) is None
    item = stay(TaxSet((), ("WINDOW_TAX",)), [charge(ChargeKind.BOOKING, 10)])
    with pytest.raises(NotPriced, match="WINDOW_TAX"):
        assess([item], "EUR")


def test_taxes_come_after_those_that_they_are_on() -> None:
    taxes = set_taxes(percent("1", "A", onTaxes=["Z"]), amount("PER_NIGHT", 1, "Z")).taxes
    assert [rule.tax.code for rule in in_order([taxes])] == ["Z", "A"]
    assert in_order([taxes[::-1], taxes]) == in_order([taxes])


def test_what_is_a_circle_over_two_resources_only_is_none() -> None:
    """10 % of 100.00 is 10.00, and 10 % of 110.00 is 11.00: in one room A is on B, and in the other B on A."""
    rooms = [
        set_taxes(percent("10", "A", onTaxes=["B"]), percent("10", "B")),
        set_taxes(percent("10", "A"), percent("10", "B", onTaxes=["A"])),
    ]
    both = [stay(taxes, [charge(ChargeKind.BOOKING, 10_000)]) for taxes in rooms]
    assert sorted(line.amount for line in assess(both, "EUR").lines) == [1_000, 1_000, 1_100, 1_100]


def test_what_goes_in_a_circle_is_a_defect_where_it_is_counted() -> None:
    taxes = set_taxes(percent("10", "A", onTaxes=["B"]), percent("10", "B", onTaxes=["A"]))
    with pytest.raises(ValueError, match="cycle"):
        assess([stay(taxes, [charge(ChargeKind.BOOKING, 10_000)])], "EUR")


@pytest.mark.parametrize(
    ("taxes", "message"),
    [
        ([percent("1", "A", onTaxes=["B"])], "no such tax"),
        ([percent("1", "A", onTaxes=["B"]), percent("1", "B", onTaxes=["A"])], "circle"),
        (
            [percent("1", "A", onTaxes=["B"]), percent("1", "B", onTaxes=["C"]), percent("1", "C", onTaxes=["A"])],
            "circle",
        ),
        ([percent("1", "A", included=True, onTaxes=["B"]), percent("1", "B")], "included in the price"),
        ([percent("1", "A", included=True, onTaxes=["B"]), amount("PER_NIGHT", 1, "B")], "included in the price"),
    ],
)
def test_what_can_not_be_counted_can_not_be_set(taxes: list[tuple[str, Parameters]], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        check_order([registry.parse(*tax) for tax in taxes], path=("input", "parameters"))
    assert caught.value.path == ("input", "parameters")


def test_what_can_be_counted_can_be_set() -> None:
    taxes = [
        percent("1", "A", onTaxes=["B", "C"]),
        percent("1", "B", included=True, onTaxes=["D"]),
        amount("PER_NIGHT", 1, "C"),
        percent("2", "D", included=True),
        percent("3", "D", included=True),
    ]
    check_order([registry.parse(*tax) for tax in taxes], path=())


def test_days_that_were_decided_are_kept_within_bounds() -> None:
    taxes = set_taxes(percent("1"))
    assert taxes.on(ARRIVAL) is taxes.on(ARRIVAL.replace(year=2027)), "without seasons every day is alike"


class PortDues(AmountTax):
    """A kind of another package."""

    type: ClassVar[str] = "PORT_DUES"
    summary: ClassVar[str] = "So much for each boat."
    example: ClassVar[Mapping[str, object]] = {"code": "DUES", "amount": 50}

    def portions(self, stay: TaxedStay, days: Collection[date]) -> Counter[int]:
        return Counter({self.amount: stay.quantity})


class NoExample(PortDues):
    type: ClassVar[str] = "NO_EXAMPLE"
    example: ClassVar[Mapping[str, object]] = None  # type: ignore[assignment]


class Unfinished(AmountTax):
    type: ClassVar[str] = "UNFINISHED"
    summary: ClassVar[str] = "It has no portions."
    example: ClassVar[Mapping[str, object]] = {}


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, f"{__name__}:{value}", GROUP)


def test_a_kind_of_another_package_is_found() -> None:
    assert list(installed(registry.BUILT_IN, [entry("PORT_DUES", "PortDues")])) == ["PORT_DUES"]


@pytest.mark.parametrize(
    ("name", "class_", "fault"),
    [
        ("PERCENT", "PortDues", "another rule has this type"),
        ("DUES", "PortDues", "it must be the entry point's name"),
        ("NO_EXAMPLE", "NoExample", "has no example"),
        ("UNFINISHED", "Unfinished", "does not define portions"),
        ("PERCENT_2", "Percent", "is no class that derives from engine.taxes.amount.AmountTax"),
        ("NONE", "Nobody", "can not be imported"),
    ],
)
def test_what_can_not_be_used_is_named(name: str, class_: str, fault: str) -> None:
    with pytest.raises(InstallationError, match=fault):
        installed(registry.BUILT_IN, [entry(name, class_)])
