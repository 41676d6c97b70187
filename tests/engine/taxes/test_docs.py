"""What docs/taxes.md shows can be set as it stands, and is what the example venues have."""

import json
import re
from pathlib import Path
from typing import Any

from engine.cancellation.deciding import parse as parse_policy
from engine.taxes import registry
from server.examples import taxes

TEXT = (Path(__file__).parents[3] / "docs" / "taxes.md").read_text()


def shown() -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]


def test_what_is_shown_can_be_set() -> None:
    kinds = [example.get("type") for example in shown()]
    assert kinds == ["PROVIDED", None, None, "PERCENT", "PER_PERSON_NIGHT", "PERCENT", "PER_PERSON_NIGHT", "PERCENT"]
    for example in shown():
        if "type" in example:
            assert registry.parse(example["type"], example["parameters"]).parameters() == example["parameters"]
        else:
            assert parse_policy(example["parameters"]).parameters() == example["parameters"]


def test_the_example_venues_have_what_is_shown() -> None:
    told = {example["name"]: example["parameters"] for example in shown()}
    iva, _, tourist_tax = taxes.LISBON_GUESTHOUSE
    for example in (iva, tourist_tax, *taxes.ALGIERS_SPACES, *taxes.LORD_HOWE_TOURS):
        assert told[example.name] == example.tax.parameters()


def test_every_kind_is_told() -> None:
    assert all(f"| {type_} |" in TEXT for type_ in registry.TAXES)
