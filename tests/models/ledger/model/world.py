"""The ledger in PostgreSQL, asked as the application asks it, with a clock that stands until it is moved."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

import asyncpg

from engine.holds import new_reference
from models.base import new_id
from models.database import Database, connect
from models.errors import BookingError
from models.interval import Interval
from models.ledger import calls, requests
from models.ledger.records import BookingRecord
from models.resource import Resource, Sharing
from tests.models.ledger.model.asks import SLOT, Adjust, Answer, Ask, Change, Hold, content, instant, slot_of
from tests.models.ledger.model.oracle import Thing
from tests.support.clock import move_clock, take_clock
from tests.support.factories import command_of, make_requirement, make_resource

POOL_SIZE = 1
SWEPT_MAX = 100
FOLDED_MAX = 1_000

STEPS = """
    SELECT resource_id, greatest(at, $2) AS at, capacity, taken, closed, sharing_key
      FROM timeline t WHERE organization_id = $1 ORDER BY resource_id, t.at
"""

Step = tuple[int, int, bool, str | None]
State = tuple[str, int, int | None]


@dataclass
class World:
    """One organization in the ledger, and the names by which the model knows what is in it."""

    database: Database
    owner: asyncpg.Connection
    resources: Mapping[str, Resource]
    bookings: dict[int, uuid.UUID] = field(default_factory=dict)
    numbers: dict[uuid.UUID, int] = field(default_factory=dict)

    @property
    def organization_id(self) -> uuid.UUID:
        return next(iter(self.resources.values())).organization_id

    async def answer(self, ask: Ask) -> Answer:
        """What the ledger says; what the database itself refuses is told by the name of its constraint or its state."""
        try:
            return "DONE", await self._done(ask)
        except BookingError as refusal:
            return refusal.code, None
        except asyncpg.PostgresError as error:
            return "DATABASE", error.constraint_name or error.sqlstate

    async def sweep(self, *, patient: bool) -> int:
        """The sweeper's function, as the worker calls it."""
        ended: int = await self.database.ledger.fetchval(
            "SELECT worker_expire_over($1, $2, $3)", self.organization_id, SWEPT_MAX, patient
        )
        return ended

    async def fold(self) -> dict[str, int]:
        """The past folded, all of it, as the worker would; where each resource was ever folded to."""
        await self.database.ledger.fetchval("SELECT worker_fold('0', $1, $2)", FOLDED_MAX, FOLDED_MAX)
        rows = await self.owner.fetch(
            "SELECT id, folded_until FROM resource WHERE organization_id = $1 AND folded_until IS NOT NULL",
            self.organization_id,
        )
        folded = {row["id"]: slot_of(row["folded_until"]) for row in rows}
        return {name: folded[each.id] for name, each in self.resources.items() if each.id in folded}

    async def move_clock(self, slot: int) -> None:
        """Now is the beginning of this slot."""
        await move_clock(self.owner, instant(slot))

    async def stored_bookings(self) -> dict[int, State]:
        """Status, version, and the slot at which the hold is over, of every booking."""
        rows = await self.owner.fetch(
            "SELECT id, status, version, hold_expires_at FROM booking WHERE organization_id = $1", self.organization_id
        )
        return {self.numbers[row["id"]]: _state(row["status"], row["version"], row["hold_expires_at"]) for row in rows}

    async def stored_versions(self) -> dict[str, int]:
        """The version of every resource."""
        rows = await self.owner.fetch(
            "SELECT id, version FROM resource WHERE organization_id = $1", self.organization_id
        )
        versions = {row["id"]: row["version"] for row in rows}
        return {name: versions[resource.id] for name, resource in self.resources.items()}

    async def stored_steps(self) -> dict[str, dict[int, Step]]:
        """The change points of every resource's timeline."""
        steps: dict[uuid.UUID, dict[int, Step]] = {}
        for row in await self.owner.fetch(STEPS, self.organization_id, instant(0)):
            key = self._own(row["sharing_key"])
            step = (row["capacity"], row["taken"], row["closed"], key)
            steps.setdefault(row["resource_id"], {})[slot_of(row["at"])] = step
        return {name: steps[resource.id] for name, resource in self.resources.items()}

    async def _done(self, ask: Ask) -> object:
        actor_and_key = command_of(self.organization_id, key=ask.key, asks=repr(content(ask)))
        match ask:
            case Hold():
                return self._told(await calls.hold(self.database, self._hold(ask, actor_and_key)))
            case Change():
                change = requests.ChangeBooking(
                    actor_and_key, self.bookings[ask.booking], ask.action, expected_version=ask.expected
                )
                return self._told(await calls.change_booking(self.database, change))
            case Adjust():
                adjust = requests.Adjust(
                    actor_and_key,
                    self.resources[ask.resource].id,
                    None if ask.start is None else instant(ask.start),
                    None if ask.end is None else instant(ask.end),
                    ask.capacity,
                    ask.closed,
                    expected_version=ask.expected,
                )
                return await calls.adjust(self.database, adjust)
        assert_never(ask)

    def _hold(self, ask: Hold, command: requests.Command) -> requests.Hold:
        booking_id = self.bookings.setdefault(ask.booking, new_id())
        self.numbers[booking_id] = ask.booking
        items = [
            requests.HoldItem(
                self.resources[item.resource].id,
                Interval(instant(item.start), instant(item.end)),
                item.quantity,
                item.activity,
            )
            for item in ask.items
        ]
        expected = {} if ask.expected is None else {items[0].resource_id: ask.expected}
        return requests.Hold(command, booking_id, new_reference(), tuple(items), expected=expected)

    def _told(self, record: BookingRecord) -> tuple[int, str, int, int | None]:
        booking = record.booking
        return self.numbers[booking.id], *_state(booking.status, booking.version, booking.hold_expires_at)

    def _own(self, key: str | None) -> str | None:
        """A party's own key carries its id; the model's carries its number."""
        return f"#{self.numbers[uuid.UUID(key[1:])]}" if key is not None and key.startswith("#") else key


@dataclass(frozen=True)
class Connections:
    """To one database that the model has for itself."""

    database: Database
    owner: asyncpg.Connection

    async def make(self, things: Mapping[str, Thing]) -> World:
        """A fresh organization with these resources, at the model's dawn."""
        resources: dict[str, Resource] = {}
        for name, thing in things.items():
            resources[name] = await make_resource(
                self.database,
                beside=next(iter(resources.values()), None),
                capacity=thing.base,
                sharing=Sharing(thing.sharing),
                hold_seconds=_seconds(thing.hold),
                hold_ceiling_seconds=_seconds(thing.ceiling),
            )
        for name, thing in things.items():
            for required, (per_unit, per_booking) in thing.requires.items():
                await make_requirement(
                    self.database,
                    resources[name],
                    resources[required],
                    per_unit=per_unit,
                    per_booking=per_booking,
                )
        world = World(self.database, self.owner, resources)
        await world.move_clock(0)
        for name, version in (await world.stored_versions()).items():
            things[name].version = version  # what is required has made versions already
        return world


@asynccontextmanager
async def connections(database_url: str, owner_url: str) -> AsyncIterator[Connections]:
    """Connect, and take over the database's clock."""
    owner = await asyncpg.connect(owner_url)
    try:
        await take_clock(owner, instant(0))
        database = await connect(database_url, pool_size=POOL_SIZE)
        try:
            yield Connections(database, owner)
        finally:
            await database.close()
    finally:
        await owner.close()


def _state(status: str, version: int, expires_at: datetime | None) -> State:
    return status, version, None if expires_at is None else slot_of(expires_at)


def _seconds(slots: int) -> int:
    return int((slots * SLOT).total_seconds())
