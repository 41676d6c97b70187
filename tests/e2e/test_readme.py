"""The README's examples, pasted into a shell: they work as they stand there."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import Platform

pytestmark = pytest.mark.xdist_group("platform")

ROOT = Path(__file__).parents[2]
URL = "http://127.0.0.1:8000"
BLOCK = re.compile(r"(<!-- watch -->\n)?```sh\n(.*?)```", re.DOTALL)
SECONDS_MAX = 60.0


async def test_the_readme_works_as_pasted(platform: Platform) -> None:
    url = platform.urls[0]
    guide = (ROOT / "README.md").read_text().partition("## A guest's way")[2].partition("\n## ")[0]
    blocks = [(bool(watch), block.replace(URL, url)) for watch, block in BLOCK.findall(guide)]
    (watch,) = [block for is_watch, block in blocks if is_watch]
    assert watch.split()[:3] == [".venv/bin/python", "-m", "server.watch"]
    watching = await asyncio.create_subprocess_exec(
        sys.executable, *watch.split()[1:], "--url", url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert watching.stdout is not None
        await asyncio.wait_for(watching.stdout.readuntil(b"now:"), SECONDS_MAX)
        said = await _run("".join(block for is_watch, block in blocks if not is_watch))
        seen = await asyncio.wait_for(_changes(watching.stdout), SECONDS_MAX)
    finally:
        watching.terminate()
        await watching.wait()

    answers = list(_documents(said))
    left = [answer["availability"][0]["vacancies"] for answer in answers if "availability" in answer]
    assert left == [left[0], left[0] - 3, left[0]]
    assert [next(iter(answer)) for answer in answers] == [
        "venue",
        "availability",
        "bookingHold",
        "availability",
        "bookingConfirm",
        "bookingCancel",
        "availability",
    ]
    assert [answer["bookingConfirm"]["booking"]["status"] for answer in answers if "bookingConfirm" in answer] == [
        "CONFIRMED"
    ]
    assert seen == 2, "the watcher has seen the desks go and come back"


async def _run(script: str) -> str:
    shell = await asyncio.create_subprocess_exec(
        "bash", "-eu", "-c", script, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, complaints = await asyncio.wait_for(shell.communicate(), SECONDS_MAX)
    assert shell.returncode == 0, complaints.decode()
    return out.decode()


async def _changes(stdout: asyncio.StreamReader) -> int:
    """How many changes the watcher prints until it has seen two."""
    seen = 0
    while seen < 2:
        line = await stdout.readline()
        assert line, "the watcher ended"
        seen += b"changed:" in line
    return seen


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """The data of the JSON documents that follow one another in the text."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        document, at = decoder.raw_decode(text, at)
        assert "errors" not in document, document
        yield document["data"]
