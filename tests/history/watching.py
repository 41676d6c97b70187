"""Watchers: each watches all resources at one server, comes back whenever it is cut off, and notes what it is told."""

import asyncio
import json
import random
from contextlib import suppress

from websockets.exceptions import WebSocketException

from tests.e2e.clients import Client, Refused
from tests.history.documents import uuid_of
from tests.history.records import History
from tests.history.world import World

WATCH = """
subscription($ids: [ID!]!, $window: WindowInput, $after: [ExpectedVersionInput!]) {
  capacityChanged(resourceIds: $ids, window: $window, after: $after) { resource { id } version } }
"""
BACK_SECONDS = 0.2
CUT_OFF = (OSError, EOFError, TimeoutError, WebSocketException, Refused, json.JSONDecodeError)


class Watcher:
    """One watcher. `versions`: the last that it was told of each resource."""

    def __init__(self, number: int, client: Client, world: World, history: History, rng: random.Random) -> None:
        self.versions: dict[str, int] = {}
        self._number = number
        self._client = client
        self._world = world
        self._history = history
        self._rng = rng

    async def watch(self) -> None:
        """Watch until cancelled. Comes back with the versions that it saw, or as if it had seen none."""
        while True:
            with suppress(*CUT_OFF):
                await self._watch_once(self._seen() if self._rng.random() < 0.5 else None)
            await asyncio.sleep(BACK_SECONDS)

    def _seen(self) -> list[dict[str, object]]:
        return [{"resourceId": self._world.resource(id), "version": seen} for id, seen in self.versions.items()]

    async def _watch_once(self, after: list[dict[str, object]] | None) -> None:
        ids = [self._world.resource(place.id) for place in self._world.places]
        async with self._client.watching(WATCH, ids=ids, window=self._world.days, after=after) as watch:
            while True:
                pushed = await watch.next()
                resource = uuid_of(pushed["resource"]["id"])
                self.versions[resource] = pushed["version"]
                self._history.pushed(self._number, resource, pushed["version"])
