"""Webhooks on their way: sent, tried again when nobody took them, and what faults do to them.

The order is not promised, as it is not by Stripe. What is on its way is kept with the account: after a restart it
goes on.
"""

import asyncio
import heapq
import itertools
import json
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Final

import httpx

from payments.simulator.documents import Document, new_id
from payments.simulator.events import rendered
from payments.simulator.faults import Fault, FaultKind, Faults
from payments.simulator.signatures import signature_header
from payments.simulator.webhook_endpoints import secrets_of, wants
from payments.simulator.world import World

SENDERS: Final = 8
ANSWER_SECONDS_MAX: Final = 10.0
BATCH_MAX: Final = 100

Batch = list[str]
"""Deliveries that are sent one after the other."""


@cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes longer than all else that a start does."""
    return ssl.create_default_context()


class Deliveries:
    """The queue of webhooks, and the senders that empty it."""

    def __init__(self, world: World, faults: Faults, retry_seconds: Sequence[float]) -> None:
        self._world = world
        self._faults = faults
        self._retry_seconds = retry_seconds
        self._waiting: list[tuple[float, int, Batch]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._held: dict[str, Batch] = {}
        self._paused = False
        self._client = httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX, trust_env=False, verify=_certificates())
        self.sent = 0
        self.failed = 0
        for delivery in world.documents.oldest_first("delivery"):
            self._queue([delivery["id"]], 0.0)

    def enqueue(self, event: Document) -> None:
        """Send `event` to every endpoint that wants it, or let the fault have it that it meets."""
        endpoints = [
            each for each in self._world.documents.oldest_first("webhook_endpoint") if wants(each, event["type"])
        ]
        fault = self._faults.of_event(event["type"]) if endpoints else None
        if fault is not None and fault.kind is FaultKind.EVENT_DROPPED:
            return
        copies = 1 + (fault.copies if fault is not None and fault.kind is FaultKind.EVENT_DUPLICATED else 0)
        for endpoint in endpoints:
            batch = [self._kept(event["id"], endpoint["id"]) for _ in range(copies)]
            if fault is not None and fault.kind is FaultKind.EVENT_REORDERED:
                self._hold(fault, batch)
            else:
                delayed = fault is not None and fault.kind is FaultKind.EVENT_DELAYED
                self._queue(batch, fault.seconds if fault is not None and delayed else 0.0)

    def resend(self, event: Document, endpoint: Document) -> None:
        """Send it once more, whatever became of it before."""
        self._queue([self._kept(event["id"], endpoint["id"])], 0.0)

    def pause(self, paused: bool) -> None:
        """Hold everything back, or let it go."""
        self._paused = paused
        self._changed.set()

    def forget(self) -> None:
        """Send nothing of what is waiting, and count anew."""
        self._waiting.clear()
        self._held.clear()
        self.sent = self.failed = 0
        self.pause(False)

    @property
    def waiting(self) -> int:
        """How many webhooks have not been taken, and will be tried again."""
        return self._world.documents.counts().get("delivery", 0)

    async def run(self) -> None:
        """Send what there is to send, until cancelled."""
        async with self._client, asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self._send_all())

    async def _send_all(self) -> None:
        while True:
            for delivery in await self._next():
                await self._send(delivery)

    async def _next(self) -> Batch:
        while True:
            self._changed.clear()
            now = time.monotonic()
            if self._waiting and not self._paused and self._waiting[0][0] <= now:
                return heapq.heappop(self._waiting)[2]
            due = self._waiting[0][0] - now if self._waiting and not self._paused else None
            with suppress(TimeoutError):
                async with asyncio.timeout(due):
                    await self._changed.wait()

    async def _send(self, identifier: str) -> None:
        delivery = self._world.documents.find("delivery", identifier)
        if delivery is None:
            return
        endpoint = self._world.documents.find("webhook_endpoint", delivery["endpoint"])
        event = self._world.documents.find("event", delivery["event"])
        taken = endpoint is None or event is None or await self._post(event, endpoint)
        if self._world.documents.find("delivery", identifier) is None:
            return  # all was forgotten meanwhile
        if taken or delivery["tries"] >= len(self._retry_seconds):
            self.failed += not taken
            self._world.documents.remove("delivery", identifier)
        else:
            delivery["tries"] += 1
            self._world.put("delivery", delivery)
            self._queue([identifier], self._retry_seconds[delivery["tries"] - 1])
        self._world.documents.save()

    async def _post(self, event: Document, endpoint: Document) -> bool:
        """Whether the endpoint took it: an answer of 2xx in time."""
        body = json.dumps(rendered(self._world, event))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature_header(body, secrets_of(self._world, endpoint), int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        self.sent += 1
        try:
            async with self._client.stream("POST", endpoint["url"], content=body, headers=headers) as answer:
                return answer.is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            return False

    def _kept(self, event: str, endpoint: str) -> str:
        delivery = {"id": new_id("delivery"), "event": event, "endpoint": endpoint, "tries": 0}
        return str(self._world.put("delivery", delivery)["id"])

    def _queue(self, batch: Batch, seconds: float) -> None:
        heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._order), batch))
        self._changed.set()

    def _hold(self, fault: Fault, batch: Batch) -> None:
        held = self._held.setdefault(fault.id, [])
        held += batch
        if len(held) == len(batch):
            asyncio.get_running_loop().call_later(fault.seconds, self._release, fault.id)
        if fault.is_spent or len(held) >= BATCH_MAX:
            self._release(fault.id)

    def _release(self, fault: str) -> None:
        held = self._held.pop(fault, [])
        if held:
            self._queue(held[::-1], 0.0)
