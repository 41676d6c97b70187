from dataclasses import replace

import pytest

from engine.rules import registry
from engine.rules.activities import Activities
from tests.engine.rules.examples import code_of, fault_of, refusal_of, stay

POOL = dict(registry.RULES["ACTIVITIES"].example)
ANY = {**POOL, "required": False}


@pytest.mark.parametrize(
    ("parameters", "activity", "refused"),
    [
        (POOL, "laps", False),
        (POOL, "polo", False),
        (POOL, "Laps", True),
        (POOL, "quiet", True),  # a group is no activity
        (POOL, "diving", True),
        (POOL, None, True),
        (ANY, None, False),
        (ANY, "diving", True),
    ],
)
def test_activities(parameters: dict[str, object], activity: str | None, refused: bool) -> None:
    asked = replace(stay("2026-11-22", 1), activity=activity)
    assert code_of("ACTIVITIES", parameters, asked) == ("RULE_VIOLATION" if refused else None)


def test_a_refusal_tells_what_is_allowed() -> None:
    refusal = refusal_of("ACTIVITIES", POOL, replace(stay("2026-11-22", 1), activity="diving"))
    assert refusal is not None
    assert refusal.message == "It is booked for one of these: laps, aqua gym, polo."
    assert refusal.parameters == {"activity": "diving", "allowed": ["laps", "aqua gym", "polo"]}


def test_a_group_shares() -> None:
    rule = Activities.model_validate(POOL)
    asked = ["laps", "aqua gym", "polo", "diving", None]
    assert [rule.sharing_key(activity) for activity in asked] == ["quiet", "quiet", "polo", "diving", None]


def test_a_group_may_be_called_like_one_of_its_own() -> None:
    quiet = {"activities": [{"name": "laps", "group": "laps"}, {"name": "aqua gym", "group": "laps"}]}
    assert registry.parse("ACTIVITIES", quiet).parameters() == quiet


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "activities"),
        ({"activities": []}, "activities"),
        ({"activities": [{"name": f"a{n}"} for n in range(101)]}, "activities"),
        ({"activities": [{"name": "laps"}, {"name": "laps", "group": "quiet"}]}, "activities"),
        ({"activities": [{"name": "laps"}, {"name": "aqua gym", "group": "laps"}]}, ""),
        ({"activities": [{"name": ""}]}, "activities.0.name"),
        ({"activities": [{"name": " laps"}]}, "activities.0.name"),
        ({"activities": [{"name": "#laps"}]}, "activities.0.name"),
        ({"activities": [{"name": "x" * 101}]}, "activities.0.name"),
        ({"activities": [{"name": "laps", "group": "#1"}]}, "activities.0.group"),
        ({"activities": [{"name": "laps"}], "required": 1}, "required"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], fault: str) -> None:
    assert fault_of("ACTIVITIES", parameters) == fault
