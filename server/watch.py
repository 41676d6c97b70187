"""`python -m server.watch VENUE RESOURCE`: prints a resource's vacancies, now and as they change, until Ctrl-C.

A small client of the public API over graphql-transport-ws, to look at and to copy from. When the connection is lost
it comes back by itself, tells the last version that it saw, and is given what it missed.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

PROTOCOL: Final = Subprotocol("graphql-transport-ws")
MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
STEPS_PRINTED_MAX: Final = 12
PAUSE_SECONDS: Final = 1.0

FIND: Final = "query($venue: String!) { venue(slug: $venue) { resources(first: 100) { edges { node { id slug } } } } }"
WATCH: Final = (
    "subscription($id: ID!, $after: [ExpectedVersionInput!]) { capacityChanged(resourceIds: [$id], after: $after) "
    "{ version snapshot startsAt endsAt steps { startsAt endsAt capacity vacancies status } } }"
)


class WatchError(Exception):
    """The server refuses what was asked; the message says why."""


def main() -> int:
    """Watch until Ctrl-C; the exit code is 1 if the server refuses."""
    parser = argparse.ArgumentParser(prog="python -m server.watch", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("venue", help="slug of the venue")
    parser.add_argument("resource", help="slug of the resource")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server is (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        asyncio.run(watch(arguments.url, arguments.venue, arguments.resource))
    except WatchError as error:
        _say(f"{error}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


async def watch(url: str, venue: str, resource: str) -> None:
    """Print every change, through lost connections. Raises WatchError if the server refuses."""
    parts = urlsplit(url)
    address = urlunsplit(("wss" if parts.scheme == "https" else "ws", parts.netloc, "/graphql", "", ""))
    version: int | None = None
    while True:
        try:
            async with connect(address, subprotocols=[PROTOCOL], max_size=MESSAGE_BYTES_MAX) as socket:
                resource_id = await _find(socket, venue, resource)
                after = [] if version is None else [{"resourceId": resource_id, "version": version}]
                async for data in _ask(socket, WATCH, {"id": resource_id, "after": after}):
                    version = data["capacityChanged"]["version"]
                    _print(data["capacityChanged"])
        except (OSError, WebSocketException) as error:
            _say(f"Not connected ({error}); trying again.", sys.stderr)
        await asyncio.sleep(PAUSE_SECONDS)


async def _find(socket: ClientConnection, venue: str, resource: str) -> str:
    await socket.send(json.dumps({"type": "connection_init"}))
    await socket.recv()
    async for data in _ask(socket, FIND, {"venue": venue}):
        edges = data["venue"]["resources"]["edges"] if data["venue"] else []
        for edge in edges:
            if edge["node"]["slug"] == resource:
                return str(edge["node"]["id"])
    raise WatchError(f"There is no resource {resource!r} in a venue {venue!r}.")


async def _ask(socket: ClientConnection, query: str, variables: dict[str, Any]) -> AsyncIterator[Any]:
    """The data of each result of one operation, under an id of its own."""
    operation = query.partition("(")[0]
    await socket.send(
        json.dumps({"type": "subscribe", "id": operation, "payload": {"query": query, "variables": variables}})
    )
    async for text in socket:
        message = json.loads(text)
        if message["type"] == "ping":
            await socket.send(json.dumps({"type": "pong"}))
        elif message["type"] == "complete" and message["id"] == operation:
            return
        elif message["type"] == "error":
            raise WatchError("; ".join(error["message"] for error in message["payload"]))
        elif message["type"] == "next" and message["id"] == operation:
            for error in message["payload"].get("errors", ()):
                raise WatchError(error["message"])
            yield message["payload"]["data"]


def _print(change: dict[str, Any]) -> None:
    kind = "now" if change["snapshot"] else "changed"
    _say(f"version {change['version']}, {kind}: {change['startsAt']} to {change['endsAt']}")
    for step in change["steps"][:STEPS_PRINTED_MAX]:
        free = f"{step['vacancies']} of {step['capacity']} free"
        _say(f"  {step['startsAt']}  {free:<20} {step['status']}")
    if len(change["steps"]) > STEPS_PRINTED_MAX:
        _say(f"  and {len(change['steps']) - STEPS_PRINTED_MAX} more steps")


def _say(line: str, out: Any = None) -> None:
    print(line, file=out or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
