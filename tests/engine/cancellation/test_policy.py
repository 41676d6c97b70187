"""What a policy may say."""

import json

import pytest
from pydantic import ValidationError

from engine.cancellation.policy import Policy
from engine.cancellation.stored import as_stored, from_stored
from tests.engine.cancellation.examples import LISBON, LONG_BEFORE, booking, item, policy

DAY = {"daysBefore": 1}
ALL = {"refund": "100"}


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"colour": "red"}, "colour"),
        ({"steps": [DAY]}, "steps.0"),
        ({"steps": [ALL]}, "steps.0"),
        ({"steps": [{**DAY, **ALL, "fee": 1}]}, "steps.0"),
        ({"steps": [{**DAY, **ALL, "hoursBefore": 1}]}, "steps.0"),
        ({"steps": [{"hoursBefore": 1, "at": "18:00", **ALL}]}, "steps.0"),
        ({"steps": [{**DAY, "at": "24:00", **ALL}]}, "steps.0.at"),
        ({"steps": [{"daysBefore": 731, **ALL}]}, "steps.0.daysBefore"),
        ({"steps": [{"hoursAfterBooking": 0, **ALL}]}, "steps.0.hoursAfterBooking"),
        ({"steps": [{**DAY, "refund": 100}]}, "steps.0.refund"),
        ({"steps": [{**DAY, "refund": "100.1"}]}, "steps.0.refund"),
        ({"steps": [{**DAY, "refund": "-1"}]}, "steps.0.refund"),
        ({"steps": [{**DAY, "fee": 1.5}]}, "steps.0.fee"),
        ({"steps": [{**DAY, "fee": -1}]}, "steps.0.fee"),
        ({"steps": [{**DAY, "nights": 0}]}, "steps.0.nights"),
        ({"steps": [{**DAY, **ALL}] * 21}, "steps"),
        # The order of the deadlines, and that a later step does not give back more.
        ({"steps": [{"daysBefore": 1, **ALL}, {"daysBefore": 2, **ALL}]}, ""),
        ({"steps": [{"daysBefore": 1, **ALL}, {"daysBefore": 1, **ALL}]}, ""),
        ({"steps": [{**DAY, "at": "18:00", **ALL}, {**DAY, "at": "12:00", **ALL}]}, ""),
        ({"steps": [{"hoursBefore": 1, **ALL}, {"hoursBefore": 1, **ALL}]}, ""),
        ({"steps": [{"hoursAfterBooking": 2, **ALL}, {"hoursAfterBooking": 1, **ALL}]}, ""),
        ({"steps": [{"daysBefore": 7, "refund": "50"}, {"daysBefore": 1, **ALL}]}, ""),
        ({"plans": ["A", "A"]}, "plans"),
        ({"plans": ["a"]}, "plans.0"),
        ({"deposit": {}}, "deposit"),
        ({"deposit": {"percent": "30", "amount": 1}}, "deposit"),
        ({"balance": DAY}, ""),
        ({"deposit": {"nights": 1}, "balance": {}}, "balance"),
        ({"deposit": {"nights": 1}, "balance": {"daysBefore": 1, "hoursBefore": 1}}, "balance"),
    ],
)
def test_what_makes_no_sense_is_refused(parameters: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Policy.model_validate(parameters)
    assert ".".join(str(part) for part in caught.value.errors()[0]["loc"]) == fault


@pytest.mark.parametrize(
    "steps",
    [
        ({**DAY, "at": "12:00", **ALL}, {**DAY, "at": "18:00", **ALL}),
        ({"hoursAfterBooking": 24, **ALL}, {"hoursBefore": 48, "refund": "50"}, {"daysBefore": 1, "nights": 1}),
    ],
)
def test_what_makes_sense_is_not(steps: tuple[dict[str, object], ...]) -> None:
    assert len(policy(*steps).steps) == len(steps)


def test_the_example_is_kept_as_it_is_written() -> None:
    agreed = Policy.model_validate(Policy.example)
    assert agreed.parameters() == Policy.example
    assert Policy.model_validate(json.loads(json.dumps(agreed.parameters()))) == agreed


def test_terms_are_kept_as_json_and_read_again() -> None:
    agreed = Policy.model_validate(Policy.example)
    terms = booking(
        item(agreed, 300, nights=(100, 200), levies=8, zone=LISBON, starts="2026-03-29 15:00"), item(None, 5)
    )
    stored = json.loads(json.dumps(as_stored(terms)))
    assert from_stored("EUR", stored) == terms
    assert all(step.until > LONG_BEFORE for one in from_stored("EUR", stored).items for step in one.steps)
