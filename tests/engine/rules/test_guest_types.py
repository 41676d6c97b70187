from dataclasses import replace

import pytest

from engine.rules import registry
from engine.rules.base import GuestCount, RuleRequest
from tests.engine.rules.examples import code_of, fault_of, guests, refusal_of, stay

FAMILY = dict(registry.RULES["GUEST_TYPES"].example)
REQUIRED, REFUSED = "GUESTS_REQUIRED", "GUESTS_NOT_ALLOWED"
ADULTS = {"types": [{"type": "ADULT"}]}


def of(*told: GuestCount, **counts: int) -> RuleRequest:
    return replace(stay("2026-11-22", 1), guests=(*told, *guests(**counts)))


def children(*ages: int) -> GuestCount:
    return GuestCount("CHILD", len(ages), ages)


def adults(*ages: int) -> GuestCount:
    return GuestCount("ADULT", len(ages), ages)


def infants(*ages: int) -> GuestCount:
    return GuestCount("INFANT", len(ages), ages)


@pytest.mark.parametrize(
    ("parameters", "asked", "expected"),
    [
        (FAMILY, stay("2026-11-22", 1), REQUIRED),
        ({**FAMILY, "required": False}, stay("2026-11-22", 1), None),
        (FAMILY, of(ADULT=1), None),
        (FAMILY, of(children(3, 15), ADULT=1), None),
        (FAMILY, of(ADULT=1, DOG=1), REFUSED),
        (FAMILY, of(ADULT=1, CHILD=1), REQUIRED),  # whose age is to be told
        (FAMILY, of(children(2), ADULT=1), REFUSED),
        (FAMILY, of(children(3, 16), ADULT=1), REFUSED),
        (FAMILY, of(adults(16)), None),
        (FAMILY, of(adults(40, 15)), REFUSED),
        (FAMILY, of(infants(0, 2), ADULT=1), None),
        (FAMILY, of(infants(3), ADULT=1), REFUSED),
        (FAMILY, of(infants(1, 1, 1), ADULT=1), "PARTY_TOO_LARGE"),
        (FAMILY, of(children(9)), "PARTY_TOO_SMALL"),  # no adult
        (FAMILY, of(children(9, 9), infants(1), ADULT=1), None),
        (FAMILY, of(children(9, 9, 9), infants(1), ADULT=1), REFUSED),
        (FAMILY, of(children(9, 9, 9), infants(1), ADULT=2), None),
        ({**ADULTS, "childrenPerAdult": 1}, of(ADULT=1), REFUSED),  # nobody counts as an adult
        (ADULTS, of(ADULT=1), None),
        ({"types": [{"type": "SENIOR", "minAge": 65}]}, of(GuestCount("SENIOR", 1, (64,))), REFUSED),
        ({"types": [{"type": "SENIOR", "minAge": 65}]}, of(GuestCount("SENIOR", 1, (65,))), None),
        ({"types": [{"type": "SENIOR", "minAge": 65}]}, of(SENIOR=1), None),
        ({"types": [{"type": "ADULT", "min": 2, "max": 2}]}, of(ADULT=1), "PARTY_TOO_SMALL"),
        ({"types": [{"type": "ADULT", "min": 2, "max": 2}]}, of(ADULT=2), None),
        ({"types": [{"type": "ADULT", "min": 2, "max": 2}]}, of(ADULT=3), "PARTY_TOO_LARGE"),
    ],
)
def test_guest_types(parameters: dict[str, object], asked: RuleRequest, expected: str | None) -> None:
    assert code_of("GUEST_TYPES", parameters, asked) == expected


@pytest.mark.parametrize(
    ("asked", "parameters"),
    [
        (stay("2026-11-22", 1), {"types": ["ADULT", "CHILD", "INFANT"]}),
        (of(ADULT=1, DOG=1), {"type": "DOG", "types": ["ADULT", "CHILD", "INFANT"]}),
        (of(ADULT=1, CHILD=1), {"type": "CHILD", "ages": True}),
        (of(children(16), ADULT=1), {"type": "CHILD", "age": 16, "minAge": 3, "maxAge": 15}),
        (of(INFANT=3, ADULT=1), {"type": "INFANT", "people": 3, "min": None, "max": 2}),
        (of(children(9, 9, 9, 9), ADULT=1), {"adults": 1, "others": 4, "childrenPerAdult": 3}),
    ],
)
def test_refusals_tell_whom_they_are_about(asked: RuleRequest, parameters: dict[str, object]) -> None:
    refusal = refusal_of("GUEST_TYPES", FAMILY, asked)
    assert refusal is not None
    assert refusal.parameters == parameters


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "types"),
        ({"types": []}, "types"),
        ({"types": [{"type": f"T{n}"} for n in range(21)]}, "types"),
        ({"types": [{"type": "ADULT"}, {"type": "ADULT"}]}, "types"),
        ({"types": [{"type": "adult"}]}, "types.0.type"),
        ({"types": [{"type": "A" * 41}]}, "types.0.type"),
        ({"types": [{"type": "ADULT\n"}]}, "types.0.type"),
        ({"types": [{"type": "ADULT", "min": 2, "max": 1}]}, "types.0"),
        ({"types": [{"type": "ADULT", "minAge": 2, "maxAge": 1}]}, "types.0"),
        ({"types": [{"type": "ADULT", "minAge": -1}]}, "types.0.minAge"),
        ({"types": [{"type": "ADULT", "maxAge": 151}]}, "types.0.maxAge"),
        ({"types": [{"type": "ADULT", "max": 10_001}]}, "types.0.max"),
        ({"types": [{"type": "ADULT", "isAdult": 1}]}, "types.0.isAdult"),
        ({"types": [{"type": "ADULT", "age": 1}]}, "types.0.age"),
        ({**ADULTS, "required": "yes"}, "required"),
        ({**ADULTS, "childrenPerAdult": -1}, "childrenPerAdult"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("GUEST_TYPES", parameters) == fault
