import asyncio
import base64
import hashlib
import json
import re
import shlex
from datetime import time
from html import unescape
from pathlib import Path

from models.database import Database, connect
from models.resource import AvailabilityType
from server.resources import utc_now
from server.settings import Settings
from server.showcase import base_url, read_examples
from server.welcome import lines
from tests.server.support import client_of_app, settings_for
from tests.support.factories import make_resource, make_venue


async def test_the_page_shows_what_is_published_and_loads_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    venue = await make_venue(database, name="<b>House</b> & Garden")
    await make_resource(database, venue=venue, name="Desk <hall>", capacity=7)
    await make_resource(database, venue=await make_venue(database, name="Hidden", is_published=False))
    async with client_of_app(settings_for(database_url, None, tmp_path)) as client:
        response = await client.get("/")
    page = response.text
    assert "&lt;b&gt;House&lt;/b&gt; &amp; Garden" in page
    assert "Desk &lt;hall&gt;" in page
    assert "7 of 7 free now" in page
    assert "Hidden" not in page
    assert not re.search(r"(src|href)=\"(?!/)|url\(|@import|<script", page)


async def test_the_policy_allows_the_pages_own_style_and_nothing_else(database_url: str, tmp_path: Path) -> None:
    async with client_of_app(settings_for(database_url, None, tmp_path)) as client:
        response = await client.get("/")
    (style,) = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in response.headers["content-security-policy"]
    assert "style=" not in response.text
    assert "No venue is published yet" in response.text


async def test_the_commands_of_the_page_work(database: Database, database_url: str, tmp_path: Path) -> None:
    await make_resource(database, capacity=2)
    async with client_of_app(settings_for(database_url, None, tmp_path)) as client:
        page = unescape((await client.get("/")).text)
        ask, watch, hold = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
        assert "bookingHold" in hold
        assert watch.startswith(".venv/bin/python -m server.watch ")
        answer = (await client.post("/graphql", json=_body(ask))).json()
        assert "errors" not in answer
        held = (await client.post("/graphql", json=_body(hold))).json()
        assert held["data"]["bookingHold"]["errors"] == []
        assert held["data"]["bookingHold"]["booking"]["status"] == "ON_HOLD"


async def test_an_example_night_can_be_held(database: Database, database_url: str, tmp_path: Path) -> None:
    venue = await make_venue(database, check_in_time=time(15), check_out_time=time(11))
    await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    found = await read_examples(database, "http://127.0.0.1:8000", utc_now())
    assert found is not None
    async with client_of_app(settings_for(database_url, None, tmp_path)) as client:
        held = (await client.post("/graphql", json=_body(found.hold))).json()
    assert held["data"]["bookingHold"]["errors"] == []


def test_the_welcome_tells_what_to_open_and_what_to_paste(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, None, tmp_path)
    assert "http://127.0.0.1:8000/" in "\n".join(lines(settings))
    asyncio.run(_make_something(database_url))
    said = "\n".join(lines(settings))
    assert all(word in said for word in ("curl -s http://127.0.0.1:8000/graphql", "-m server.watch", "bookingHold"))


async def _make_something(database_url: str) -> None:
    database = await connect(database_url, pool_size=1)
    await make_resource(database)
    await database.close()


def test_the_address_is_one_that_can_be_opened(tmp_path: Path) -> None:
    for host, shown in {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]", "example.com": "example.com"}.items():  # noqa: S104
        assert base_url(Settings(state_dir=tmp_path, host=host, port=81)) == f"http://{shown}:81"


def _body(command: str) -> object:
    """What a shell would send: the argument of -d, with the part that makes a fresh key in it."""
    command = command.replace("$(date +%s)-$RANDOM-$$", "1234567890-12345-678")
    words = shlex.split(command)
    return json.loads(words[words.index("-d") + 1])
