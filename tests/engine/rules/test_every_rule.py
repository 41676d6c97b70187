"""What holds for every type of rule, whoever wrote it."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules import registry
from engine.rules.base import ANY_TYPE
from engine.rules.reference import reference
from schema.error_codes import ErrorCode
from tests.engine.rules.strategies import PARAMETERS, questions

ROOT = Path(__file__).parents[3]

WITHOUT_REFUSAL = ("BUFFERS", "APPROVAL_REQUIRED")

every_type = pytest.mark.parametrize("type_", registry.BUILT_IN)


@every_type
def test_it_is_described_tested_and_documented(type_: str) -> None:
    rule = registry.BUILT_IN[type_]
    assert rule.__doc__
    assert rule.summary.endswith(".")
    assert rule.applies_to
    assert rule.applies_to <= ANY_TYPE
    # Those that count what is booked have one table together.
    table = "test_counting.py" if rule.measures or type_ in WITHOUT_REFUSAL else f"test_{type_.lower()}.py"
    text = (Path(__file__).parent / table).read_text()
    assert type_ in text or rule.__name__ in text
    assert (ROOT / "engine" / "rules" / f"{type_.lower()}.py").exists()
    assert type_ in PARAMETERS, "give it a strategy in strategies.py"
    assert registry.parse(type_, rule.example).parameters() == rule.example
    parameters = rule.model_json_schema()
    undescribed = [
        name
        for schema in (parameters, *parameters.get("$defs", {}).values())
        for name, field in schema.get("properties", {}).items()
        if not field.get("description")
    ]
    assert undescribed == []


def test_the_reference_is_that_of_the_code() -> None:
    printed = (ROOT / "docs" / "rules.md").read_text()
    assert printed == reference(registry.BUILT_IN), "run: .venv/bin/vacancy rules > docs/rules.md"


@every_type
@given(data=st.data())
def test_it_answers_every_request(type_: str, data: st.DataObject) -> None:
    """Never an error, always the same answer, with a code of the contract and parameters that are JSON."""
    parameters = data.draw(PARAMETERS[type_])
    rule = registry.parse(type_, parameters)
    request, facts = data.draw(questions(rule.applies_to))
    before = copy.deepcopy((request, facts))
    refusal = rule.evaluate(request, facts)
    assert (request, facts) == before
    assert registry.parse(type_, parameters).evaluate(request, facts) == refusal
    assert rule.evaluate(request, facts) == refusal
    if refusal is not None:
        assert refusal.code in set(ErrorCode)
        assert refusal.rule == type_
        assert refusal.message.endswith(".")
        assert json.loads(json.dumps(dict(refusal.parameters))) == refusal.parameters
    if request.stay is not None:
        nights = rule.nights_allowed(request.stay[0], request.nights)
        assert nights is None or nights >= request.nights


@every_type
@given(data=st.data())
def test_its_parameters_can_be_stored(type_: str, data: st.DataObject) -> None:
    rule = registry.parse(type_, data.draw(PARAMETERS[type_]))
    stored = rule.parameters()
    assert registry.parse(type_, json.loads(json.dumps(stored))) == rule
    assert registry.parse(type_, stored).parameters() == stored


@every_type
def test_parameters_that_it_does_not_know_are_refused(type_: str) -> None:
    rule = registry.BUILT_IN[type_]
    assert registry.stored(type_, {**rule.example, "colour": "blue"}).type == "MISSING"
