"""Requests that make no sense, from the body to the question: a clear error, nothing written, nothing told."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from engine.viewer import Role
from schema.global_id import GlobalKind, encode
from server.examples import atlas
from server.tokens import AccountTokens
from tests.e2e.clients import ANSWER_SECONDS_MAX, Json, client_of
from tests.e2e.platforms import Platform
from tests.e2e.world import INSIDE, World, assert_request_error, post

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

DESKS = "node(id: $id) { ... on Resource { %s } }"
WEEK = 'startsAt: "2030-01-01T00:00:00Z", endsAt: "2030-01-08T00:00:00Z"'
CENTURY = 'startsAt: "2030-01-01T00:00:00Z", endsAt: "2130-01-01T00:00:00Z"'
INVERTED = 'startsAt: "2030-01-02T00:00:00Z", endsAt: "2030-01-01T00:00:00Z"'

# What is asked of the desk hall ($id), or of the root.
QUERIES: Mapping[str, tuple[str, str]] = {
    "timeline of a century": (DESKS % f"timeline(window: {{ {CENTURY} }}) {{ version }}", "INVALID_INPUT"),
    "inverted timeline": (DESKS % f"timeline(window: {{ {INVERTED} }}) {{ version }}", "INVALID_INPUT"),
    "slots of a century": (DESKS % f"slots(window: {{ {CENTURY} }}) {{ startsAt }}", "INVALID_INPUT"),
    "slots of no length": (
        DESKS % f"slots(window: {{ {WEEK} }}, durationMinutes: 0) {{ startsAt }}",
        "INVALID_INPUT",
    ),
    "slots for nobody": (DESKS % f"slots(window: {{ {WEEK} }}, quantity: 0) {{ startsAt }}", "INVALID_INPUT"),
    "inverted calendar": (DESKS % 'calendar(from: "2030-01-02", to: "2030-01-01") { date }', "INVALID_INPUT"),
    "calendar of a century": (DESKS % 'calendar(from: "2030-01-01", to: "2130-01-01") { date }', "INVALID_INPUT"),
    "no resources": ("availability(input: { resourceIds: [] }) { version }", "INVALID_INPUT"),
    "availability of nothing": ("availability(input: {}) { version }", "INVALID_INPUT"),
    "availability of a malformed id": (
        f'availability(input: {{ resourceIds: ["x"], window: {{ {WEEK} }} }}) {{ version }}',
        "NOT_FOUND",
    ),
    "page of nothing": ("venues(first: 0) { edges { cursor } }", "INVALID_INPUT"),
    "page of too much": ("venues(first: 101) { edges { cursor } }", "INVALID_INPUT"),
    "cursor of somebody else": ('venues(after: "not a cursor") { edges { cursor } }', "INVALID_INPUT"),
    "bookings of a guest": ("bookings { edges { cursor } }", "UNAUTHENTICATED"),
    "booking without a token": ('booking(reference: "ABCD") { id }', "UNAUTHENTICATED"),
    "field that does not exist": ("prices { amount }", "INVALID_INPUT"),
    "argument that does not exist": ('venue(name: "Atlas") { id }', "INVALID_INPUT"),
    "type that does not exist": ("node(id: $id) { ... on Invoice { id } }", "INVALID_INPUT"),
    "too deep": ("node(id: $id) { ... on Resource { " + "venue { resources { edges { node { " * 8
                 + "id" + " } } } }" * 8 + " } }", "INVALID_INPUT"),
    "too many aliases": (" ".join(f"v{n}: venue(slug: \"atlas-algiers\") {{ id }}" for n in range(200)),
                         "INVALID_INPUT"),
    "syntax error": ("venue(slug: ", "INVALID_INPUT"),
}  # fmt: skip


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("case", QUERIES)
async def test_a_question_that_makes_no_sense_is_an_error_of_the_request(
    platform: Platform, world: World, case: str
) -> None:
    asked, code = QUERIES[case]
    query = f"query($id: ID) {{ {asked} }}".replace("$id: ID)", "$id: ID!)") if "$id" in asked else f"{{ {asked} }}"
    answer = await post(platform, {"query": query, "variables": {"id": world.desks} if "$id" in asked else {}})
    assert_request_error(answer, code, statuses=(200, 400))


@pytest.mark.usefixtures("unharmed")
async def test_an_id_that_is_nobodys_is_null_and_no_error(platform: Platform, world: World) -> None:
    strange = ["", "x", "A" * 44, "🔑", "A" * 10_000, encode(GlobalKind.VENUE, atlas.EXAMPLE.id, uuid.uuid4()),
               world.booking, world.unpublished]  # fmt: skip
    for id_ in strange:
        answer = await post(platform, {"query": "query($id: ID!) { node(id: $id) { id } }", "variables": {"id": id_}})
        assert answer.json() == {"data": {"node": None}}, id_
    answer = await post(
        platform, {"query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": strange}}
    )
    assert answer.json() == {"data": {"nodes": [None] * len(strange)}}
    answer = await post(
        platform, {"query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": ["x"] * 10_000}}
    )
    assert_request_error(answer, "INVALID_INPUT", statuses=(200, 400))


FRAGMENTS = " ".join(f"fragment F{n} on Venue {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))
BOMB = f'{{ venue(slug: "atlas-algiers") {{ ...F0 }} }} {FRAGMENTS} fragment F30 on Venue {{ id name }}'
CYCLE = '{ venue(slug: "atlas-algiers") { ...A } } fragment A on Venue { ...B } fragment B on Venue { ...A }'

# What is sent as the body, and the status of the refusal.
BODIES: Mapping[str, tuple[bytes, tuple[int, ...]]] = {
    "nothing": (b"", (400,)),
    "no JSON": (b"{query: venues}", (400,)),
    "half a character": (b'{"query": "{ viewer { role } }", "variables": {"name": "\\udc00"}}', (400,)),
    "half of JSON": (b'{"query": "{ viewer { role } }"', (400,)),
    "no UTF-8": (b'{"query": "\xff\xfe"}', (400,)),
    "number": (b"7", (400,)),
    "text": (b'"{ viewer { role } }"', (400,)),
    "null": (b"null", (400,)),
    "empty object": (b"{}", (400,)),
    "batch": (b'[{"query": "{ viewer { role } }"}]', (400,)),
    "query that is a number": (b'{"query": 7}', (400,)),
    "variables that are a list": (b'{"query": "{ viewer { role } }", "variables": [1]}', (400,)),
    "variables that are text": (b'{"query": "{ viewer { role } }", "variables": "x"}', (400,)),
    "operation that is not there": (b'{"query": "query A { viewer { role } }", "operationName": "B"}', (400,)),
    "brackets in brackets": (b"[" * 200_000, (400,)),
    "brackets in variables": (b'{"query": "{ viewer { role } }", "variables": ' + b'{"a":' * 50_000, (400,)),
    "more than a MiB": (b'{"query": "' + b" " * 1_100_000 + b'"}', (413,)),
    "long query": (json.dumps({"query": "{ viewer { role " + "role " * 20_000 + "} }"}).encode(), (200, 400)),
    "deep query": (json.dumps({"query": "{ viewer " * 5_000}).encode(), (200, 400)),
    "deep value": (json.dumps({"query": "{ node(id: " + "[" * 5_000 + ") { id } }"}).encode(), (200, 400)),
    "fragments that double": (json.dumps({"query": BOMB}).encode(), (200, 400)),
    "fragments in a circle": (json.dumps({"query": CYCLE}).encode(), (200, 400)),
    "subscription by POST": (
        b'{"query": "subscription { capacityChanged(resourceIds: []) { version } }"}',
        (200, 400),
    ),
}


@pytest.mark.usefixtures("unharmed", "world")
@pytest.mark.parametrize("case", BODIES)
async def test_a_body_that_can_not_be_read_is_refused(platform: Platform, case: str) -> None:
    body, statuses = BODIES[case]
    async with client_of(platform) as client:
        answer = await client.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert_request_error(answer, "INVALID_INPUT", statuses=statuses)


@pytest.mark.usefixtures("unharmed", "world")
async def test_a_body_without_an_announced_length_is_bounded_too(platform: Platform) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    async with client_of(platform) as client:
        answer = await client.http.post("/graphql", content=endless(), headers={"Content-Type": "application/json"})
    assert_request_error(answer, "INVALID_INPUT", statuses=(413,))


@pytest.mark.usefixtures("unharmed", "world")
async def test_only_post_and_only_json(platform: Platform) -> None:
    query = {"query": "{ viewer { role } }"}
    async with client_of(platform) as client:
        for answer, statuses in (
            (await client.http.get("/graphql", params=query), (405,)),
            (await client.http.put("/graphql", json=query), (405,)),
            (await client.http.post("/graphql", data=query), (400, 415)),
            (await client.http.post("/graphql", content=b"{ viewer { role } }"), (400, 415)),
            (await client.http.post("/graphql/", json=query), (404, 307)),
            (await client.http.get("/../etc/passwd"), (404,)),
        ):
            assert answer.status_code in statuses, answer.text
            assert not INSIDE.search(answer.text), answer.text


TOKENS: Mapping[str, Callable[[Platform], str]] = {
    "expired": lambda p: "Bearer " + p.token(Role.STAFF, atlas.EXAMPLE.id, exp=datetime.now(UTC) - timedelta(hours=1)),
    "garbage": lambda p: "Bearer garbage",
    "nothing": lambda p: "Bearer",
    "another scheme": lambda p: "Basic YWRhOmFkYQ==",
    "unsigned": lambda p: "Bearer " + jwt.encode({"sub": "a", "role": "MANAGER"}, "", algorithm="none"),
    "signed by somebody else": lambda p: "Bearer " + AccountTokens(["x" * 40]).sign(_claims()),
    "without an end": lambda p: "Bearer " + AccountTokens(p.settings.secrets).sign(_claims(exp=None)),
    "unknown role": lambda p: "Bearer " + AccountTokens(p.settings.secrets).sign(_claims(role="KING")),
    "role of a guest": lambda p: "Bearer " + AccountTokens(p.settings.secrets).sign(_claims(role="GUEST")),
    "no organization": lambda p: "Bearer " + p.token(Role.STAFF, atlas.EXAMPLE.id, org="atlas"),
    "very long": lambda p: "Bearer " + "a" * 20_000,
}


@pytest.mark.usefixtures("unharmed", "world")
@pytest.mark.parametrize("case", TOKENS)
async def test_a_token_that_does_not_count_is_refused_and_never_taken_for_a_guests(
    platform: Platform, case: str
) -> None:
    authorization = TOKENS[case](platform)
    async with client_of(platform) as client:
        answer = await client.http.post(
            "/graphql", json={"query": "{ viewer { role } }"}, headers={"Authorization": authorization}
        )
    assert_request_error(answer, "UNAUTHENTICATED", statuses=(401,))
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert await _closes(platform, {"type": "connection_init", "payload": {"Authorization": authorization}}) == 4403


MESSAGES: Mapping[str, tuple[object, int]] = {
    "no JSON": ("{", 4400),
    "list": ([], 4400),
    "unknown type": ({"type": "start", "id": "1"}, 4400),
    "no type": ({"id": "1"}, 4400),
    "before it is let in": ({"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { role } }"}}, 4401),
    "subscription without a query": ({"type": "subscribe", "id": "1", "payload": {}}, 4400),
    "id that is a number": ({"type": "subscribe", "id": 1, "payload": {"query": "{ viewer { role } }"}}, 4400),
    "init that is a list": ({"type": "connection_init", "payload": []}, 4400),
    "two MiB": ({"type": "ping", "payload": {"a": "a" * 2_000_000}}, 1009),
}


@pytest.mark.usefixtures("unharmed", "world")
@pytest.mark.parametrize("case", MESSAGES)
async def test_a_message_that_is_none_of_the_protocols_closes_the_connection(platform: Platform, case: str) -> None:
    message, code = MESSAGES[case]
    assert await _closes(platform, message) == code


@pytest.mark.usefixtures("unharmed", "world")
async def test_the_legacy_protocol_is_not_spoken(platform: Platform) -> None:
    async with connect(_address(platform), subprotocols=[Subprotocol("graphql-ws")]) as channel:
        with pytest.raises(ConnectionClosed):
            await channel.recv()
        assert channel.close_code == 4406


@pytest.mark.usefixtures("unharmed")
async def test_what_can_not_be_watched_is_an_error_of_the_subscription(platform: Platform, world: World) -> None:
    asked: list[tuple[str, Json, str]] = [
        ("capacityChanged(resourceIds: $ids) { version }", {"ids": []}, "INVALID_INPUT"),
        ("capacityChanged(resourceIds: $ids) { version }", {"ids": [world.desks] * 101}, "INVALID_INPUT"),
        ("capacityChanged(resourceIds: $ids) { version }", {"ids": ["x"]}, "NOT_FOUND"),
        ("capacityChanged(resourceIds: $ids) { version }", {"ids": [world.unpublished]}, "NOT_FOUND"),
        (
            f"capacityChanged(resourceIds: $ids, window: {{ {CENTURY} }}) {{ version }}",
            {"ids": [world.desks]},
            "INVALID_INPUT",
        ),
        ("bookingChanged(bookingId: $id) { id }", {"id": world.booking}, "UNAUTHENTICATED"),
        ('bookingChanged(bookingId: $id, token: "x") { id }', {"id": world.booking}, "NOT_FOUND"),
        ('bookingChanged(bookingId: "x", token: "x") { id } # $id', {}, "NOT_FOUND"),
    ]
    for selection, variables, code in asked:
        declared = "($ids: [ID!]!)" if "ids" in variables else "($id: ID!)" if variables else ""
        async with (
            client_of(platform) as client,
            client.watching(f"subscription{declared} {{ {selection}\n}}", **variables) as watch,
        ):
            message = json.loads(await watch.channel.recv())
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert [error["extensions"]["code"] for error in errors] == [code], (selection, message)
        assert not INSIDE.search(json.dumps(message)), message


async def _closes(platform: Platform, message: object) -> int | None:
    """With which code the server closes a WebSocket after this message."""
    async with connect(_address(platform), subprotocols=[Subprotocol("graphql-transport-ws")]) as channel:
        await channel.send(message if isinstance(message, str) else json.dumps(message))
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                while True:
                    assert json.loads(await channel.recv())["type"] != "next"
        except ConnectionClosed:
            return channel.close_code


def _address(platform: Platform) -> str:
    return platform.urls[0].replace("http", "ws", 1) + "/graphql"


def _claims(**changes: object) -> Json:
    now = datetime.now(UTC)
    usual = {"sub": "a", "role": "MANAGER", "org": str(atlas.EXAMPLE.id), "iat": now, "exp": now + timedelta(hours=1)}
    return {**usual, **changes}
