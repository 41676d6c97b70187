from dataclasses import replace

import pytest

from engine.rules.base import RuleRequest
from tests.engine.rules.examples import code_of, fault_of, guests, refusal_of, stay


def of(quantity: int, **counts: int) -> RuleRequest:
    return replace(stay("2026-11-22", 1, quantity=quantity), guests=guests(**counts) if counts else None)


SMALL, LARGE = "PARTY_TOO_SMALL", "PARTY_TOO_LARGE"


@pytest.mark.parametrize(
    ("parameters", "asked", "expected"),
    [
        ({"min": 2}, of(1), SMALL),
        ({"min": 2}, of(2), None),
        ({"max": 4}, of(4), None),
        ({"max": 4}, of(5), LARGE),
        # Who is told counts, and not the quantity.
        ({"min": 3}, of(9, ADULT=1, CHILD=1), SMALL),
        ({"min": 3}, of(1, ADULT=2, CHILD=1), None),
        ({"max": 3}, of(1, ADULT=2, CHILD=1), None),
        ({"max": 3}, of(1, ADULT=2, CHILD=2), LARGE),
        ({"maxPerUnit": 2}, of(2, ADULT=4), None),
        ({"maxPerUnit": 2}, of(2, ADULT=4, INFANT=1), LARGE),
        ({"maxPerUnit": 2}, of(100), None),
        ({"max": 10, "maxPerUnit": 2}, of(9, ADULT=11), LARGE),
    ],
)
def test_party_size(parameters: dict[str, object], asked: RuleRequest, expected: str | None) -> None:
    assert code_of("PARTY_SIZE", parameters, asked) == expected


def test_refusals_tell_what_is_allowed() -> None:
    too_small = refusal_of("PARTY_SIZE", {"min": 2, "max": 4}, of(1))
    assert too_small is not None
    assert too_small.parameters == {"people": 1, "allowed": 2, "min": 2, "max": 4}
    too_large = refusal_of("PARTY_SIZE", {"maxPerUnit": 2}, of(2, ADULT=5))
    assert too_large is not None
    assert too_large.parameters == {"people": 5, "allowed": 4, "unitsNeeded": 3, "maxPerUnit": 2}


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, ""),
        ({"min": 3, "max": 2}, ""),
        ({"min": 0}, "min"),
        ({"max": 10_001}, "max"),
        ({"max": 2.0}, "max"),
        ({"maxPerUnit": 0}, "maxPerUnit"),
        ({"guests": 2}, "guests"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("PARTY_SIZE", parameters) == fault
