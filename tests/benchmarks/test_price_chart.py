"""The chart of docs/prices.md: well-formed, a bar for each night, and heights in proportion."""

from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.price_chart import BOTTOM, HEIGHT, TOP, Night, svg

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    return [bar for group in root.findall(f"{SVG}g") for bar in group.findall(f"{SVG}rect")]


def night(n: int, amount: int, *rules: str) -> Night:
    return Night(date(2027, 1, 1) + timedelta(days=n), amount, f"€{amount}", rules)


def test_bars_are_as_high_as_the_price_and_of_one_color_for_the_same_rules() -> None:
    found = bars(svg("Room <1> & 2", [night(0, 100), night(1, 50, "Winter"), night(2, 75, "Winter"), night(3, 0)]))
    whole = HEIGHT - TOP - BOTTOM
    assert [int(bar.get("height", "")) for bar in found] == [whole, whole // 2, whole * 75 // 100, 0]
    colors = [bar.get("fill") for bar in found]
    assert colors[1] == colors[2] != colors[0] == colors[3]


def test_more_sets_of_rules_than_colors_share_the_last() -> None:
    text = svg("Room", [night(n, 100, f"Rule {n}") for n in range(9)])
    assert len({bar.get("fill") for bar in bars(text)}) == 6
    assert "others" in text


def test_what_has_no_price_has_no_chart() -> None:
    with pytest.raises(SystemExit, match="nothing"):
        svg("Room", [])


def test_the_chart_of_the_docs_is_one() -> None:
    assert len(bars((DOCS / "a-month-of-prices.svg").read_text())) == 31
