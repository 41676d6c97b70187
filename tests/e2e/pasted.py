"""Documents whose examples are pasted into a shell."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
URL = "http://127.0.0.1:8000"
BLOCK = re.compile(r"(<!-- watch -->\n)?```sh\n(.*?)```", re.DOTALL)
SECONDS_MAX = 60.0


def blocks_of(text: str, url: str) -> list[tuple[bool, str]]:
    """The shell blocks of a text, to be run against this server, and whether each is one that watches."""
    return [(bool(watch), block.replace(URL, url)) for watch, block in BLOCK.findall(text)]


async def run(script: str, env: Mapping[str, str] | None = None) -> str:
    """What the script says; it must succeed, each of its commands."""
    script = script.replace(".venv/bin/vacancy", f"{sys.executable} -m server.cli")
    shell = await asyncio.create_subprocess_exec(
        "bash", "-eu", "-c", script, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, complaints = await asyncio.wait_for(shell.communicate(), SECONDS_MAX)
    assert shell.returncode == 0, complaints.decode()
    return out.decode()


def documents(text: str) -> Iterator[dict[str, Any]]:
    """The data of the JSON documents that follow one another in the text."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        document, at = decoder.raw_decode(text, at)
        assert "errors" not in document, document
        yield document["data"]
