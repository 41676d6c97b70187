"""Clients: each asks one thing after the other of either server, repeats some, and notes how every call ended."""

import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx

from engine.viewer import Role
from tests.e2e.clients import Client, Refused, client_of
from tests.e2e.platforms import Platform
from tests.history.documents import DOCUMENTS, refusal, secrets_of
from tests.history.effects import HOLD
from tests.history.operations import Held, HeldSeries, Mine, Operation, Waits, act, choose, leave
from tests.history.records import UNREACHED, History, Json, Outcome
from tests.history.several import HOLD_ALL
from tests.history.waiting import JOIN
from tests.history.world import World

CLIENTS = 8
BOOKINGS_MAX = 4
"""How many bookings a client keeps: then it cancels the oldest, so that there is always something to be had."""

ENTRIES_MAX = 2
"""For how many things a client waits: then it leaves the oldest."""

SERIES_MAX = 2
"""Of how many series a client still thinks."""

REPEATED = 0.08
"""Of the calls, those that are the last one once more, whatever came of it."""
REPEATED_UNKNOWN = 0.5
"""Of the calls whose outcome is unknown, those that are repeated at once; the rest are, in the end."""
DOUBLED = 0.05
"""Of the calls, those that are made at both servers at the same time."""

THINKING_SECONDS_MAX = 0.02
UNREACHED_PAUSE_SECONDS = 0.05
RESOLVE_ATTEMPTS_MAX = 40
RESOLVE_PAUSE_SECONDS = 0.25

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
MAYBE_DONE = frozenset({"BUSY", "INTERNAL"})
"""Codes that leave open whether it was done: a line that breaks at the wrong moment does not tell."""

HAS_ENDED = frozenset({"HOLD_EXPIRED", "NOT_CANCELLABLE"})

SECRETS = ("token", "tokens")
"""What the history does not keep of an answer."""

Ending = tuple[Outcome, Json]


@dataclass(slots=True)
class Doors:
    """How to reach each server, as a guest and as staff."""

    world: World
    history: History
    guests: list[Client]
    staff: list[Client]

    async def attempt(self, operation: Operation, server: int) -> Ending:
        """Make the call once, and note it."""
        number = self.history.invoked(operation.call, operation.key, operation.input)
        outcome, answer = await self._ask(operation, (self.staff if operation.is_for_staff else self.guests)[server])
        self.history.returned(number, outcome, {name: each for name, each in answer.items() if name not in SECRETS})
        return outcome, answer

    async def _ask(self, operation: Operation, client: Client) -> Ending:
        try:
            data = await client.ask(DOCUMENTS[operation.call], **operation.variables(self.world))
        except NOT_SENT:
            return Outcome.FAIL, {"code": UNREACHED}
        except (httpx.TransportError, json.JSONDecodeError) as error:
            return Outcome.UNKNOWN, {"code": type(error).__name__}
        except Refused as refused:
            outcome = Outcome.UNKNOWN if MAYBE_DONE.issuperset(refused.codes) else Outcome.FAIL
            return outcome, {"code": refused.codes[0]}
        done = data["done"]
        errors = done.get("errors") if isinstance(done, dict) else None
        if errors:
            told = refusal(errors)
            return Outcome.UNKNOWN if told["code"] in MAYBE_DONE else Outcome.FAIL, told
        return Outcome.OK, {**operation.answer(done, self.world), **secrets_of(operation.call, done)}


@asynccontextmanager
async def open_doors(platform: Platform, world: World, history: History) -> AsyncIterator[Doors]:
    """Connections to all servers."""
    token = platform.token(Role.STAFF, world.organization_id)
    async with AsyncExitStack() as stack:
        doors = Doors(world, history, [], [])
        for server in range(len(platform.urls)):
            doors.guests.append(await stack.enter_async_context(client_of(platform, server)))
            doors.staff.append(await stack.enter_async_context(client_of(platform, server, token=token)))
        yield doors


@dataclass(slots=True)
class Person:
    """One client. `mine` are the bookings that it has, `series` and `entries` what it made beside them, `unknown` what
    it has to ask once more in the end.
    """

    doors: Doors
    rng: random.Random
    mine: deque[Held] = field(default_factory=deque)
    series: deque[HeldSeries] = field(default_factory=lambda: deque(maxlen=SERIES_MAX))
    entries: deque[Waits] = field(default_factory=deque)
    unknown: dict[str, Operation] = field(default_factory=dict)
    last: Operation | None = None

    async def live(self, stopped: asyncio.Event) -> None:
        """Ask until `stopped`."""
        while not stopped.is_set():
            operation = self._next()
            for server in self._servers():
                outcome, answer = await self._do(operation, server)
                is_reached = answer.get("code") != UNREACHED
                if is_reached and (outcome is not Outcome.UNKNOWN or self.rng.random() > REPEATED_UNKNOWN):
                    break
            await asyncio.sleep(self.rng.uniform(0, THINKING_SECONDS_MAX))

    async def resolve(self) -> None:
        """Repeat what is unknown until it is not, and wait for nothing any more; bounded: the checker tells of what is
        left.
        """
        await self._repeat(list(self.unknown.values()))
        await self._repeat([leave(self.rng, waits) for waits in self.entries])

    async def _repeat(self, operations: list[Operation]) -> None:
        for operation in operations:
            for number in range(RESOLVE_ATTEMPTS_MAX):
                outcome, _ = await self._do(operation, number % len(self.doors.guests))
                if outcome is not Outcome.UNKNOWN:
                    break
                await asyncio.sleep(RESOLVE_PAUSE_SECONDS)

    def _next(self) -> Operation:
        if self.last is not None and self.rng.random() < REPEATED:
            return self.last
        if len(self.mine) > BOOKINGS_MAX:
            return act(self.rng, "bookingCancel", self.mine.popleft())
        if len(self.entries) > ENTRIES_MAX:
            return leave(self.rng, self.entries.popleft())
        return choose(self.rng, self.doors.world, Mine(list(self.mine), list(self.series), list(self.entries)))

    def _servers(self) -> list[int]:
        servers = list(range(len(self.doors.guests)))
        self.rng.shuffle(servers)
        return servers

    async def _do(self, operation: Operation, server: int) -> Ending:
        self.last = operation
        if self.rng.random() < DOUBLED:
            both = [self.doors.attempt(operation, number) for number in range(len(self.doors.guests))]
            endings = await asyncio.gather(*both)
        else:
            endings = [await self.doors.attempt(operation, server)]
        for ending in endings:
            self._learn(operation, *ending)
        if all(answer.get("code") == UNREACHED for _, answer in endings):
            await asyncio.sleep(UNREACHED_PAUSE_SECONDS)
        return endings[0]

    def _learn(self, operation: Operation, outcome: Outcome, answer: Json) -> None:
        if answer.get("status") == "CANCELLED" or answer.get("code") in HAS_ENDED:
            self.mine = deque(held for held in self.mine if held.booking != operation.input.get("booking"))
        if outcome is Outcome.OK:
            self.unknown.pop(operation.key or "", None)
            self._take(operation, answer)
        elif outcome is Outcome.UNKNOWN and operation.key is not None:
            self.unknown[operation.key] = operation

    def _take(self, operation: Operation, answer: Json) -> None:
        """Remember what is this client's now, unless it does already."""
        items = operation.input.get("items", [operation.input])
        is_approved = any(self.doors.world.is_approved(item["resource"]) for item in items if "resource" in item)
        tokens = {answer["booking"]: answer["token"]} if operation.call == HOLD else answer.get("tokens", {})
        known = {held.booking for held in self.mine}
        self.mine += [Held(id_, token, is_approved) for id_, token in tokens.items() if id_ not in known]
        if operation.call == HOLD_ALL and answer["series"] not in {each.series for each in self.series}:
            # All of its bookings, which it is asked about in the order of their dates.
            booked = tuple(one["booking"] for one in answer["outcomes"] if one["booking"] is not None)
            self.series.append(HeldSeries(answer["series"], booked, answer["token"]))
        elif operation.call == JOIN and answer["entry"] not in {each.entry for each in self.entries}:
            self.entries.append(Waits(answer["entry"], answer["token"]))
