from datetime import timedelta
from typing import ClassVar

import pytest

from engine.rules import registry
from engine.rules.base import NIGHTLY, OPENING_HOURS, START_TIME, Refusal, Rule, RuleFacts, RuleRequest, violation
from engine.rules.deciding import RuleSet, SetRule
from engine.rules.session_times import SessionTimes
from engine.rules.start_grid import StartGrid
from models.errors import InvalidInput, RuleViolation
from tests.engine.rules.examples import ALGIERS, codes, facts, facts_at, interval, request

GRID = StartGrid(minutes=30)
SUNDAY = registry.parse("OPENING_HOURS", {"weekly": [{"weekday": 7, "opens": "09:00", "closes": "12:00"}]})
ON_MONDAY = interval("2026-11-23T09:10+01:00", "2026-11-23T10:00+01:00")


def test_parameters_that_were_stored_can_be_read_again() -> None:
    for rule in (GRID, SUNDAY):
        assert registry.parse(rule.type, rule.parameters()) == rule


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        registry.parse("X" * 10_000, {}, path=("rules", "2"))
    assert caught.value.path == ("rules", "2", "type")
    assert caught.value.message.endswith(f"known are {', '.join(registry.RULES)}")
    assert len(caught.value.message) < 1_000


@pytest.mark.parametrize("parameters", [None, [], "{}", 30])
def test_parameters_that_are_no_object_are_refused(parameters: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        registry.parse("START_GRID", parameters, path=("rules", "0"))  # type: ignore[arg-type]  # as JSON may be
    assert caught.value.path == ("rules", "0", "parameters")


def test_the_first_field_that_does_not_fit_is_named() -> None:
    weekly = [{"weekday": 1, "opens": "09:00", "closes": "12:00"}, {"weekday": 1, "opens": "9 am", "closes": ""}]
    with pytest.raises(InvalidInput) as caught:
        registry.parse("OPENING_HOURS", {"weekly": weekly}, path=("input",))
    assert caught.value.path == ("input", "parameters", "weekly", "1", "opens")
    assert caught.value.message == ("OPENING_HOURS: weekly.1.opens: should be a time of day HH:MM from 00:00 to 23:59")


def test_a_huge_field_name_is_not_repeated_in_full() -> None:
    with pytest.raises(InvalidInput) as caught:
        registry.parse("START_GRID", {"minutes": 30, "x" * 100_000: 1})
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("type_", "parameters"), [("TIDE_TABLE", {"port": "Faro"}), ("START_GRID", {"minutes": 7}), ("START_GRID", {})]
)
def test_a_stored_rule_that_can_not_be_read_refuses_everything(
    type_: str, parameters: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    registry._warn_once.cache_clear()
    rules = [registry.stored(type_, parameters), registry.stored(type_, parameters)]
    [refusal] = registry.evaluate(rules[:1], request(ON_MONDAY), facts_at(ON_MONDAY, ALGIERS))
    assert (refusal.code, refusal.rule, refusal.parameters) == ("RULE_VIOLATION", type_, {"missing": type_})
    for kind in (OPENING_HOURS, START_TIME, NIGHTLY):
        assert rules[0] in RuleSet([SetRule(rules[0])], kind).on(ON_MONDAY.starts_at.date())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert type_ in caplog.text


def test_a_stored_rule_that_can_be_read_is_that_rule() -> None:
    assert registry.stored("START_GRID", {"minutes": 30}) == GRID


def test_all_refusals_are_collected_in_the_order_of_the_rules() -> None:
    its_facts = facts_at(ON_MONDAY, ALGIERS)
    assert codes([GRID, SUNDAY], ON_MONDAY, its_facts) == ["OFF_GRID", "OUTSIDE_OPENING_HOURS"]
    assert codes([SUNDAY, GRID], ON_MONDAY, its_facts) == ["OUTSIDE_OPENING_HOURS", "OFF_GRID"]
    assert codes([], ON_MONDAY, its_facts) == []


def test_over_a_limit_of_the_platform_no_rule_is_asked() -> None:
    class Unasked(Rule):
        type: ClassVar[str] = "UNASKED"
        applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS})

        def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
            raise AssertionError

    with pytest.raises(AssertionError):  # it would have been, within the limits
        codes([Unasked()], ON_MONDAY, facts_at(ON_MONDAY, ALGIERS))
    late = facts(ALGIERS, now=ON_MONDAY.starts_at + timedelta(hours=1))
    assert codes([Unasked()], ON_MONDAY, late) == ["TOO_SOON"]
    endless = interval("0001-01-01T00:00+00:00", "9999-12-31T23:59+00:00")
    assert codes([Unasked()], endless, late) == ["TOO_LONG", "TOO_SOON"]


def test_rules_are_asked_only_about_the_kinds_that_they_apply_to() -> None:
    sessions = SessionTimes(weekly=())
    rules = [GRID, sessions, SUNDAY]
    assert registry.applicable(rules, OPENING_HOURS) == [GRID, SUNDAY]
    assert registry.applicable(rules, START_TIME) == [sessions]
    assert registry.applicable([GRID], START_TIME) == [sessions]
    assert registry.applicable(rules, NIGHTLY) == []


def test_a_refusal_becomes_a_rule_violation() -> None:
    [refusal] = registry.evaluate([GRID], request(ON_MONDAY), facts_at(ON_MONDAY, ALGIERS))
    error = violation(refusal, path=("items", "0"))
    assert isinstance(error, RuleViolation)
    assert (error.code, error.rule, error.message, error.path) == (
        "OFF_GRID",
        "START_GRID",
        refusal.message,
        ("items", "0"),
    )
    assert error.parameters == {
        "minutes": 30,
        "earlier": "2026-11-23T09:00:00+01:00",
        "later": "2026-11-23T09:30:00+01:00",
    }


def test_a_limit_of_the_platform_becomes_a_rule_violation_or_invalid_input() -> None:
    [too_soon] = registry.evaluate([], request(ON_MONDAY), facts(ALGIERS, now=ON_MONDAY.ends_at))
    error = violation(too_soon)
    assert isinstance(error, RuleViolation)
    assert (error.code, error.rule) == ("TOO_SOON", "PLATFORM_LIMIT")

    [nothing] = registry.evaluate([], request(ON_MONDAY, quantity=0), facts_at(ON_MONDAY, ALGIERS))
    error = violation(nothing, path=("quantity",))
    assert isinstance(error, InvalidInput)
    assert (error.code, error.path) == ("INVALID_INPUT", ("quantity",))
