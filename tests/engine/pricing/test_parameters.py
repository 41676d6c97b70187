"""What plans and price rules may say, and what is refused, with the path of the first field that does not fit."""

import inspect
import re
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest

from engine.pricing import registry
from engine.pricing.base import Adjusting, Asked, PriceRule
from engine.pricing.plugins import installed
from engine.pricing.registry import BUILT_IN, PRICE_RULES
from models.errors import InstallationError, InvalidInput


class Tide(Adjusting):
    type: ClassVar[str] = "TIDE"
    summary: ClassVar[str] = "At high tide."
    step: ClassVar[int] = 350

    def matches(self, asked: Asked) -> bool:
        return True


class NoStep(Tide):
    type: ClassVar[str] = "NO_STEP"
    step: ClassVar[int] = "late"  # type: ignore[assignment]


class NoMatches(PriceRule):
    type: ClassVar[str] = "NO_MATCHES"
    summary: ClassVar[str] = "Never."
    step: ClassVar[int] = 1


@pytest.mark.parametrize("type_", BUILT_IN)
def test_the_example_of_each_kind_is_stored_as_it_is_written(type_: str) -> None:
    rule = BUILT_IN[type_]
    parsed = registry.parse(type_, rule.example)

    assert parsed.parameters() == rule.example
    assert registry.parse(type_, parsed.parameters()) == parsed


def test_kinds_are_asked_in_the_stated_order() -> None:
    assert list(PRICE_RULES) == [
        "SEASON",
        "WEEKDAY",
        "EVENT_DATES",
        "OCCUPANCY",
        "LEAD_TIME",
        "LENGTH_OF_STAY",
        "PARTY_SIZE",
        "PARTNER",
        "PROMO_CODE",
    ]


@pytest.mark.parametrize(
    ("type_", "parameters", "path"),
    [
        ("TIDE", {}, ("type",)),
        ("WEEKDAY", [1], ("parameters",)),
        ("WEEKDAY", {"weekdays": [1]}, ("parameters",)),
        ("WEEKDAY", {"weekdays": [1], "percent": "1", "amount": 1}, ("parameters",)),
        ("WEEKDAY", {"weekdays": [], "percent": "1"}, ("parameters", "weekdays")),
        ("WEEKDAY", {"weekdays": [8], "percent": "1"}, ("parameters", "weekdays", "0")),
        ("WEEKDAY", {"weekdays": [1], "percent": 10}, ("parameters", "percent")),
        ("WEEKDAY", {"weekdays": [1], "percent": 0.1}, ("parameters", "percent")),
        ("WEEKDAY", {"weekdays": [1], "percent": "10%"}, ("parameters", "percent")),
        ("WEEKDAY", {"weekdays": [1], "percent": "-100.01"}, ("parameters",)),
        ("WEEKDAY", {"weekdays": [1], "amount": 1.0}, ("parameters", "amount")),
        ("WEEKDAY", {"weekdays": [1], "amount": 10**11 + 1}, ("parameters", "amount")),
        ("WEEKDAY", {"weekdays": [1], "price": -1}, ("parameters", "price")),
        ("WEEKDAY", {"weekdays": [1], "percent": "1", "plans": ["standard"]}, ("parameters", "plans", "0")),
        ("WEEKDAY", {"weekdays": [1], "percent": "1", "unknown": 1}, ("parameters", "unknown")),
        ("SEASON", {"from": "02-30", "until": "03-01", "percent": "1"}, ("parameters", "from")),
        ("SEASON", {"from": "03-01", "until": "03-01", "percent": "1"}, ("parameters",)),
        ("EVENT_DATES", {"dates": [], "percent": "1"}, ("parameters", "dates")),
        ("OCCUPANCY", {"percent": "1"}, ("parameters",)),
        ("OCCUPANCY", {"minPercent": 50, "belowPercent": 50, "percent": "1"}, ("parameters",)),
        ("OCCUPANCY", {"minPercent": 101, "percent": "1"}, ("parameters", "minPercent")),
        ("LEAD_TIME", {"percent": "1"}, ("parameters",)),
        ("LEAD_TIME", {"minHours": 5, "belowHours": 4, "percent": "1"}, ("parameters",)),
        ("LENGTH_OF_STAY", {"percent": "1"}, ("parameters",)),
        ("LENGTH_OF_STAY", {"minNights": 5, "maxNights": 4, "percent": "1"}, ("parameters",)),
        ("PARTY_SIZE", {"percent": "1"}, ("parameters",)),
        ("PARTNER", {"partners": [], "percent": "1"}, ("parameters", "partners")),
        ("PROMO_CODE", {"codes": ["spring"], "percent": "1"}, ("parameters", "codes", "0")),
    ],
)
def test_parameters_that_are_refused(type_: str, parameters: Any, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        registry.parse(type_, parameters)
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "should have an amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": "100"}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 1, "percent": "1"}, "derived plan"),
        ({"amount": 1, "guestPrices": [{"name": "Child", "maxAge": 3, "amount": 1}]}, "PERSON"),
        ({"amount": 1, "per": "PERSON", "guestPrices": [{"name": "Anybody", "amount": 1}]}, "type, minAge or maxAge"),
        ({"amount": 1, "extraGuest": 5}, "includedGuests"),
        ({"amount": 1, "per": "PERSON", "includedGuests": 2}, "not of a plan per PERSON"),
        ({"amount": 0, "floor": 1}, "above 0"),
        ({"amount": 1, "floor": 3, "ceiling": 2}, "floor should not be more than ceiling"),
        ({"amount": 1, "every": "MINUTES", "minutes": 0}, "minutes"),
        ({"amount": 1, "fees": [{"name": "Cleaning", "amount": -1}]}, "fees.0.amount"),
        ({"amount": 1, "fees": [{"amount": 1}]}, "fees.0.name"),
        ({"amount": 1, "fees": [{"name": "Key", "amount": 1, "every": "MINUTES"}]}, "fees.0.every"),
        ({"amount": 1, "fees": [{"name": "Breakfast", "amount": 1, "every": "NIGHT"}]}, "plan by the NIGHT"),
        ({"amount": 1, "fees": [{"name": "Key", "amount": 1}] * 21}, "fees"),
        ({"derivedFrom": "STANDARD", "percent": "1", "fees": [{"name": "Key", "amount": 1}]}, "no more than"),
        ({"derivedFrom": "STANDARD"}, "percent or change"),
        ({"derivedFrom": "STANDARD", "percent": "-10", "change": 1}, "percent or change"),
        ({"derivedFrom": "STANDARD", "percent": "-101"}, "-100 or more"),
        ({"derivedFrom": "STANDARD", "percent": "-10", "amount": 5}, "no more than"),
        ({"derivedFrom": "STANDARD", "percent": "-10", "every": "NIGHT"}, "no more than"),
    ],
)
def test_plans_that_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        registry.parse_plan(parameters)


def test_a_plan_is_stored_without_what_may_be_left_out() -> None:
    plan = registry.parse_plan({"derived_from": "STANDARD", "percent": "-10.50"})

    assert plan.parameters() == {"derivedFrom": "STANDARD", "percent": "-10.5"}
    assert registry.parse_plan(plan.parameters()) == plan


def test_rules_of_other_packages_are_found() -> None:
    assert installed(BUILT_IN, [_entry("TIDE", "Tide")]) == {"TIDE": _imported("Tide")}


@pytest.mark.parametrize(
    ("name", "class_", "fault"),
    [
        ("WEEKDAY", "Tide", "another rule has this type"),
        ("FLOOD", "Tide", "must be the entry point's name"),
        ("NO_STEP", "NoStep", "step must be a whole number"),
        ("NO_MATCHES", "NoMatches", "does not define change, matches"),
        ("NOTHING", "Nothing", "can not be imported"),
        ("CASE", "pytest", "is no class that derives from engine.pricing.base.PriceRule"),
    ],
)
def test_what_can_not_be_used_is_named(name: str, class_: str, fault: str) -> None:
    with pytest.raises(InstallationError, match=re.escape(fault)):
        installed(BUILT_IN, [_entry(name, class_)])


def _entry(name: str, class_: str) -> EntryPoint:
    return EntryPoint(name=name, value=f"tests.engine.pricing.test_parameters:{class_}", group="vacancy.prices")


def _imported(class_: str) -> type:
    found = _entry("TIDE", class_).load()
    assert inspect.isclass(found)
    return found
