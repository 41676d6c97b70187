"""Clients of the platform as others write them: GraphQL over HTTP, and subscriptions over WebSockets."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.e2e.platforms import NO_TLS, Platform

ANSWER_SECONDS_MAX = 20.0
PUSH_SECONDS_MAX = 10.0

Json = dict[str, Any]

ERRORS = """
errors { __typename code message path retryable
  ... on SoldOut { vacancies resource { slug } alternatives { startsAt endsAt bookable vacancies } }
  ... on RuleViolation { rule parameters }
  ... on VersionConflict { current }
  ... on CapacityInUse { references } }
"""
BOOKING = """
booking { id reference status version holdExpiresAt holdSecondsLeft contact { name email } customer
  items { quantity activity startsAt endsAt localStart localEnd resource { slug } } }
"""
BOOKING_TOKEN = f"{BOOKING} token"
INPUTS = {
    "bookingHold": "BookingHold",
    "bookingCheckout": "BookingCheckout",
    "bookingChange": "BookingChange",
    "bookingItemCancel": "BookingItemCancel",
}
"""What mutations of bookings take, where it is not the input that most of them share."""


WATCH_CAPACITY = """
subscription($ids: [ID!]!, $window: WindowInput) { capacityChanged(resourceIds: $ids, window: $window)
  { resource { slug version } version snapshot startsAt endsAt steps { startsAt endsAt capacity vacancies status } } }
"""
WATCH_BOOKING = """
subscription($id: ID!, $token: String) { bookingChanged(bookingId: $id, token: $token)
  { id status version holdExpiresAt holdSecondsLeft } }
"""


@asynccontextmanager
async def client_of(platform: Platform, server: int = 0, token: str | None = None) -> AsyncIterator["Client"]:
    """A client of one of the platform's servers."""
    async with httpx.AsyncClient(
        base_url=platform.urls[server], timeout=ANSWER_SECONDS_MAX, verify=NO_TLS, trust_env=False
    ) as http:
        yield Client(http, token)


class Refused(Exception):
    """The whole request was refused; `errors` as in the response."""

    def __init__(self, errors: Sequence[Json]) -> None:
        super().__init__(errors)
        self.errors = errors

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


@dataclass
class Client:
    """Asks GraphQL of one server over HTTP, and watches over WebSockets; `token` as the Authorization, if any."""

    http: httpx.AsyncClient
    token: str | None = None
    keys: Iterator[str] = field(default_factory=lambda: iter(lambda: secrets.token_hex(16), ""))

    async def ask(self, query: str, **variables: Any) -> Json:
        """The data. Raises Refused if there are errors of the request."""
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=self._headers()
        )
        answer: Json = response.json()
        if answer.get("errors"):
            raise Refused(answer["errors"])
        data: Json = answer["data"]
        return data

    async def do(self, mutation: str, *, selects: str = "", key: str | None = None, **input: Any) -> Json:
        """The payload of a mutation, under a fresh key unless one is given. `selects` is what is asked of it."""
        name = mutation[0].upper() + mutation[1:]
        if mutation.startswith("booking") and not mutation.startswith("bookingRule"):
            name = INPUTS.get(mutation, "BookingAction")
            selects = selects or (BOOKING_TOKEN if mutation == "bookingHold" else BOOKING)
        query = f"mutation($input: {name}Input!) {{ done: {mutation}(input: $input) {{ {selects} {ERRORS} }} }}"
        data = await self.ask(query, input={"idempotencyKey": key or next(self.keys), **input})
        payload: Json = data["done"]
        return payload

    async def did(self, mutation: str, **more: Any) -> Json:
        """The same where it must succeed."""
        payload = await self.do(mutation, **more)
        assert payload["errors"] == [], payload["errors"]
        return payload

    async def pay(self, *, card: str = "pm_card_visa", **shown: str) -> Json:
        """The booking, once it is paid by a test card."""
        booking: Json = (await self.did("bookingCheckout", paymentMethod=card, **shown))["booking"]
        return booking

    @asynccontextmanager
    async def watching(self, query: str, **variables: Any) -> AsyncIterator["Watch"]:
        """A subscription on a WebSocket of its own."""
        address = str(self.http.base_url).replace("http", "ws", 1) + "/graphql"
        async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as channel:
            await channel.send(json.dumps({"type": "connection_init", "payload": self._headers()}))
            assert json.loads(await channel.recv())["type"] == "connection_ack"
            operation = {"query": query, "variables": variables}
            await channel.send(json.dumps({"type": "subscribe", "id": "1", "payload": operation}))
            yield Watch(channel)

    def _headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


@dataclass
class Watch:
    """What a subscription pushes."""

    channel: ClientConnection

    async def next(self, *, seconds_max: float = PUSH_SECONDS_MAX) -> Json:
        """The data of the next push. Raises Refused for errors, EOFError at the end, TimeoutError after a while."""
        async with asyncio.timeout(seconds_max):
            message = json.loads(await self.channel.recv())
        if message["type"] == "complete":
            raise EOFError
        if message["type"] == "error":
            raise Refused(message["payload"])
        if message["payload"].get("errors"):
            raise Refused(message["payload"]["errors"])
        data: Json = next(iter(message["payload"]["data"].values()))
        return data

    async def until(self, found: Any, *, seconds_max: float = PUSH_SECONDS_MAX) -> Json:
        """The first push of which `found` is true."""
        async with asyncio.timeout(seconds_max):
            while True:
                pushed = await self.next(seconds_max=seconds_max)
                if found(pushed):
                    return pushed
