"""Prices of the example venues, in minor units: made up, and of the size that such things cost there."""

from collections.abc import Mapping
from typing import Any

from engine.pricing import registry
from server.examples.kinds import ExamplePlan, ExamplePriceRule


def _plan(name: str, code: str = "STANDARD", **parameters: Any) -> ExamplePlan:
    return ExamplePlan(code, name, registry.parse_plan(parameters))


def _rule(name: str, type_: str, parameters: Mapping[str, object], key: str = "") -> ExamplePriceRule:
    return ExamplePriceRule(name, registry.parse(type_, parameters), key)


def nightly(amount: int, included_guests: int) -> tuple[ExamplePlan, ...]:
    """A room by the night; whoever comes beside those it is for pays for a bed."""
    extra: dict[str, Any] = {"includedGuests": included_guests, "extraGuest": 25_00, "extraGuests": [_SMALL_CHILD]}
    return (_plan("Standard", amount=amount, every="NIGHT", floor=amount * 7 // 10, **extra),)


def hourly(amount: int, minutes: int = 60) -> tuple[ExamplePlan, ...]:
    """By each hour, or each so many minutes, that has begun."""
    return (_plan("Standard", amount=amount, every="MINUTES", minutes=minutes),)


def whole(amount: int) -> tuple[ExamplePlan, ...]:
    """By the hour, the same for however many come."""
    return (_plan("Standard", amount=amount, every="MINUTES", per="BOOKING"),)


def ticket(amount: int, *cheaper: dict[str, object]) -> tuple[ExamplePlan, ...]:
    """For each person, once."""
    return (_plan("Standard", amount=amount, per="PERSON", guestPrices=list(cheaper)),)


_SMALL_CHILD = {"name": "Child up to 3", "maxAge": 3, "amount": 0}
TOUR_CHILD: dict[str, object] = {"name": "Child, 8 to 15", "minAge": 8, "maxAge": 15, "amount": 75_00}

NON_REFUNDABLE = (_plan("Non-refundable", code="NON_REFUNDABLE", derivedFrom="STANDARD", percent="-10"),)

GUESTHOUSE_RULES = (
    _rule("Summer", "SEASON", {"from": "06-15", "until": "09-15", "percent": "30"}),
    _rule("Winter", "SEASON", {"from": "11-10", "until": "12-20", "percent": "-15"}, key="winter"),
    _rule("Weekend", "WEEKDAY", {"weekdays": [5, 6], "percent": "15"}),
    _rule("New Year", "EVENT_DATES", {"dates": ["2026-12-31", "2027-12-31"], "amount": 40_00}),
    _rule("Nearly full", "OCCUPANCY", {"minPercent": 75, "percent": "10"}),
    _rule("Early bird", "LEAD_TIME", {"minHours": 1440, "percent": "-5"}),
    _rule("A week or more", "LENGTH_OF_STAY", {"minNights": 7, "percent": "-10"}),
)
SPACES_RULES = (_rule("Whole day", "LENGTH_OF_STAY", {"minMinutes": 480, "percent": "-25"}),)
TOURS_RULES = (_rule("Group", "PARTY_SIZE", {"min": 8, "percent": "-12.5"}),)
