"""The examples of the README and of the how-to pages, pasted into a shell: they work as they stand there."""

import asyncio
import json
import re
import sys

import pytest

from tests.e2e.pasted import ROOT, SECONDS_MAX, blocks_of, documents, run
from tests.e2e.platforms import Platform

pytestmark = pytest.mark.xdist_group("platform")


async def test_the_readme_works_as_pasted(platform: Platform) -> None:
    url = platform.urls[0]
    guide = (ROOT / "README.md").read_text().partition("## A guest's way")[2].partition("\n## ")[0]
    blocks = blocks_of(guide, url)
    (watch,) = [block for is_watch, block in blocks if is_watch]
    assert watch.split()[:3] == [".venv/bin/python", "-m", "server.watch"]
    watching = await asyncio.create_subprocess_exec(
        sys.executable, *watch.split()[1:], "--url", url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert watching.stdout is not None
        await asyncio.wait_for(watching.stdout.readuntil(b"now:"), SECONDS_MAX)
        said = await run("".join(block for is_watch, block in blocks if not is_watch))
        seen = await asyncio.wait_for(_changes(watching.stdout), SECONDS_MAX)
    finally:
        watching.terminate()
        await watching.wait()

    answers = list(documents(said))
    left = [answer["availability"][0]["vacancies"] for answer in answers if "availability" in answer]
    assert left == [left[0], left[0] - 3, left[0]]
    assert [next(iter(answer)) for answer in answers] == [
        "venue",
        "availability",
        "bookingHold",
        "availability",
        "bookingCheckout",
        "bookingCheckout",
        "bookingCancel",
        "availability",
    ]
    declined, paid = (answer["bookingCheckout"] for answer in answers if "bookingCheckout" in answer)
    assert ([error["code"] for error in declined["errors"]], declined["booking"]["status"]) == (
        ["PAYMENT_DECLINED"],
        "ON_HOLD",
    )
    assert (paid["errors"], paid["booking"]["status"], paid["payment"]["status"]) == ([], "CONFIRMED", "CAPTURED")
    told = [(event["kind"], event["outcome"]) for event in paid["payment"]["events"]]
    assert told.index(("CAPTURE", "SUCCEEDED")) > told.index(("AUTHORIZE", "SUCCEEDED"))
    assert seen == 2, "the watcher has seen the desks go and come back"


async def test_the_page_about_prices_works_as_pasted(platform: Platform) -> None:
    page = (ROOT / "docs" / "prices.md").read_text()
    script = "".join(block for _, block in blocks_of(page, platform.urls[0]))
    env = {"PATH": "/usr/bin:/bin", **platform.settings.to_environment()}
    said = await run(script, env)
    dry, _, chart = said.partition("\n}\n")
    [sample] = json.loads(dry + "}")["data"]["priceRuleSet"]["samples"]
    assert [line["rule"] for line in sample["after"]["lines"]][-1] == "LENGTH_OF_STAY"
    assert sample["after"]["total"] != sample["before"]["total"]
    days = chart.split("\n")[:-1]
    assert len(days) == 30
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d +€[\d.,]+ #+", day) for day in days), days


async def test_the_page_about_rules_works_as_pasted(platform: Platform) -> None:
    page = (ROOT / "docs" / "change-how-a-venue-works.md").read_text()
    script = "".join(block for _, block in blocks_of(page, platform.urls[0]))
    env = {"PATH": "/usr/bin:/bin", **platform.settings.to_environment()}
    shown, held, dry, done, refused, changed, removed, again, history = documents(await run(script, env))

    assert "START_GRID" in [kind["type"] for kind in shown["bookingRuleTypes"]]
    breaks = dry["bookingRuleSet"]["breaks"]
    assert breaks["references"] == [held["bookingHold"]["booking"]["reference"]]
    [decision] = dry["bookingRuleSet"]["preview"]["decisions"]
    assert [rule["priority"] for rule in decision["after"] if rule["ruleId"] is None] == [10]
    sample = dry["bookingRuleSet"]["preview"]["sample"]
    assert (sample["before"], [one["code"] for one in sample["after"]]) == ([], ["OUTSIDE_OPENING_HOURS"])
    assert done["bookingRuleSet"]["breaks"]["count"] == breaks["count"] == 1
    assert [error["code"] for error in refused["bookingHold"]["errors"]] == ["OUTSIDE_OPENING_HOURS"]
    assert changed["bookingRuleSet"]["rule"]["version"] == 2
    assert removed["bookingRuleRemove"]["rule"] == {"isRemoved": True, "version": 3}
    assert again["bookingHold"]["booking"]["status"] == "ON_HOLD"
    assert [edge["node"]["version"] for edge in history["node"]["history"]["edges"]] == [1, 2, 3]


async def _changes(stdout: asyncio.StreamReader) -> int:
    """How many changes the watcher prints until it has seen two."""
    seen = 0
    while seen < 2:
        line = await stdout.readline()
        assert line, "the watcher ended"
        seen += b"changed:" in line
    return seen
