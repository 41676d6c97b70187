"""What docs/prices.md shows can be set as it stands."""

import json
import re
from pathlib import Path

from engine.pricing import registry

TEXT = (Path(__file__).parents[3] / "docs" / "prices.md").read_text()


def test_rate_plans_that_are_shown_can_be_set() -> None:
    shown = [json.loads(one) for one in re.findall(r"\| `(\{.*\})` \|", TEXT)]
    assert len(shown) == 9
    for parameters in shown:
        assert registry.parse_plan(parameters).parameters() == parameters


def test_every_kind_of_price_rule_is_told_in_its_order() -> None:
    places = [TEXT.index(type_) for type_ in registry.BUILT_IN]
    assert places == sorted(places)
